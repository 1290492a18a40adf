"""Graders and judgements; the kind of benchmarks and datasets, to tell judges' from people's."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("datasets", "benchmarks"):
        op.add_column(
            table, sa.Column("kind", sa.String(16), server_default="ordinary", nullable=False)
        )
    op.create_table(
        "graders",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("dataset_id", sa.String(64), nullable=True),
        sa.Column("benchmark_id", sa.String(64), nullable=True),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.current_timestamp(),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_graders"),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name="fk_graders_dataset_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["benchmark_id"], ["benchmarks.id"], name="fk_graders_benchmark_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_graders_dataset_id", "graders", ["dataset_id"])
    op.create_index("ix_graders_benchmark_id", "graders", ["benchmark_id"])
    op.create_table(
        "judgements",
        sa.Column("judge_id", sa.String(64), nullable=False),
        sa.Column("grader_id", sa.String(64), nullable=False),
        sa.Column("benchmark_id", sa.String(64), nullable=False),
        sa.Column("against_id", sa.String(64), nullable=True),
        sa.Column("version", sa.String(16), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.current_timestamp(),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("judge_id", name="pk_judgements"),
        *(
            sa.ForeignKeyConstraint(
                [column], [target], name=f"fk_judgements_{column}", ondelete="CASCADE"
            )
            for column, target in (
                ("judge_id", "benchmarks.id"),
                ("grader_id", "graders.id"),
                ("benchmark_id", "benchmarks.id"),
                ("against_id", "benchmarks.id"),
            )
        ),
    )
    for column in ("grader_id", "benchmark_id", "against_id"):
        op.create_index(f"ix_judgements_{column}", "judgements", [column])


def downgrade() -> None:
    op.drop_table("judgements")
    op.drop_table("graders")
    for table in ("datasets", "benchmarks"):
        op.drop_column(table, "kind")
