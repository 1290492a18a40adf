"""The band around a benchmark's estimated end."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("benchmarks", sa.Column("eta_low_seconds", sa.BigInteger()))
    op.add_column("benchmarks", sa.Column("eta_high_seconds", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("benchmarks", "eta_high_seconds")
    op.drop_column("benchmarks", "eta_low_seconds")
