"""Table ballots: blind pairwise votes of people on results."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
NOW = sa.func.current_timestamp()


def upgrade() -> None:
    op.create_table(
        "ballots",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("first_id", sa.String(64), nullable=False),
        sa.Column("second_id", sa.String(64), nullable=False),
        sa.Column("custom_id", sa.Text(), nullable=False),
        sa.Column("first_row", sa.BigInteger(), nullable=False),
        sa.Column("second_row", sa.BigInteger(), nullable=False),
        sa.Column("swapped", sa.Boolean(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("choice", sa.String(16)),
        sa.Column("voted_at", TIME),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ballots"),
        sa.ForeignKeyConstraint(
            ["first_id"], ["benchmarks.id"], name="fk_ballots_first_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["second_id"], ["benchmarks.id"], name="fk_ballots_second_id", ondelete="CASCADE"
        ),
    )
    # One person judges two answers once. It also finds the votes on a pair of benchmarks.
    op.create_index(
        "ix_ballots_pair",
        "ballots",
        ["first_id", "second_id", "author", "custom_id"],
        unique=True,
    )
    op.create_index("ix_ballots_second_id", "ballots", ["second_id"])


def downgrade() -> None:
    op.drop_table("ballots")
