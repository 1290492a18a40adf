"""By what the bands around a benchmark's estimated end were off."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("benchmarks", sa.Column("band_stretch", sa.Double()))


def downgrade() -> None:
    op.drop_column("benchmarks", "band_stretch")
