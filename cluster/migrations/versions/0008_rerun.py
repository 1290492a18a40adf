"""Which benchmark a rerun repeats."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No foreign key: what it repeats is still worth knowing when that has been deleted.
    op.add_column("benchmarks", sa.Column("rerun_of", sa.String(64)))


def downgrade() -> None:
    op.drop_column("benchmarks", "rerun_of")
