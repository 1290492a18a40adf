"""Table marks in place of golden_examples: of a kind, with an edited response, a note, and who."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
NOW = sa.func.current_timestamp()


def upgrade() -> None:
    op.create_table(
        "marks",
        sa.Column("benchmark_id", sa.String(64), nullable=False),
        sa.Column("row_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("response", sa.Text()),
        sa.Column("note", sa.Text()),
        sa.Column("author", sa.Text()),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("updated_at", TIME, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("benchmark_id", "row_id", name="pk_marks"),
        sa.ForeignKeyConstraint(
            ["benchmark_id"],
            ["benchmarks.id"],
            name="fk_marks_benchmark_id",
            ondelete="CASCADE",
        ),
    )
    op.execute(
        "INSERT INTO marks (benchmark_id, row_id, kind, created_at, updated_at) "
        "SELECT benchmark_id, row_id, 'golden', created_at, created_at FROM golden_examples"
    )
    op.drop_table("golden_examples")


def downgrade() -> None:
    op.create_table(
        "golden_examples",
        sa.Column("benchmark_id", sa.String(64), nullable=False),
        sa.Column("row_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("benchmark_id", "row_id", name="pk_golden_examples"),
        sa.ForeignKeyConstraint(
            ["benchmark_id"],
            ["benchmarks.id"],
            name="fk_golden_examples_benchmark_id",
            ondelete="CASCADE",
        ),
    )
    op.execute(
        "INSERT INTO golden_examples (benchmark_id, row_id, created_at) "
        "SELECT benchmark_id, row_id, created_at FROM marks WHERE kind = 'golden'"
    )
    op.drop_table("marks")
