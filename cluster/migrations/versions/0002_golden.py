"""Table golden_examples; benchmarks.attempts_before, for asking failed requests again."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "golden_examples",
        sa.Column("benchmark_id", sa.String(64), nullable=False),
        sa.Column("row_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.current_timestamp(),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("benchmark_id", "row_id", name="pk_golden_examples"),
        sa.ForeignKeyConstraint(
            ["benchmark_id"],
            ["benchmarks.id"],
            name="fk_golden_examples_benchmark_id",
            ondelete="CASCADE",
        ),
    )
    op.add_column(
        "benchmarks",
        sa.Column("attempts_before", sa.Integer(), server_default="0", nullable=False),
    )


def downgrade() -> None:
    op.drop_column("benchmarks", "attempts_before")
    op.drop_table("golden_examples")
