"""When a benchmark's job was last started.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("benchmarks", sa.Column("attempt_started_at", sa.DateTime(timezone=True)))
    # Those that are at work go on; that their attempt began when they did is the best guess.
    op.execute("UPDATE benchmarks SET attempt_started_at = started_at WHERE status = 'running'")


def downgrade() -> None:
    op.drop_column("benchmarks", "attempt_started_at")
