"""Tables datasets, model_registry and benchmarks."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
NOW = sa.func.current_timestamp()


def upgrade() -> None:
    op.create_table(
        "datasets",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("file_path", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_at", TIME, nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("endpoints", sa.JSON(), nullable=False),
        sa.Column("models", sa.JSON(), nullable=False),
        sa.Column("deleted_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_datasets"),
    )
    op.create_table(
        "model_registry",
        sa.Column("model_id", sa.String(200), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("removed_at", TIME),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("model_id", name="pk_model_registry"),
    )
    op.create_table(
        "benchmarks",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("model_id", sa.String(200), nullable=False),
        sa.Column("dataset_id", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("progress", sa.Integer(), server_default="0", nullable=False),
        sa.Column("completed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("throughput", sa.Double(), server_default="0", nullable=False),
        sa.Column("eta_seconds", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("completed_at", TIME),
        sa.Column("total_time_seconds", sa.Double()),
        sa.Column("results_file", sa.Text()),
        sa.Column("metadata_file", sa.Text()),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total_throughput", sa.Double(), server_default="0", nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("placement", sa.JSON()),
        sa.Column("job_id", sa.Text()),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("load_seconds", sa.Double()),
        sa.Column("generation_seconds", sa.Double()),
        sa.Column("error", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_benchmarks"),
        sa.ForeignKeyConstraint(
            ["model_id"], ["model_registry.model_id"], name="fk_benchmarks_model_id"
        ),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name="fk_benchmarks_dataset_id"),
    )
    op.create_index("ix_benchmarks_dataset_id", "benchmarks", ["dataset_id"])
    op.create_index("ix_benchmarks_status_created_at", "benchmarks", ["status", "created_at"])


def downgrade() -> None:
    op.drop_table("benchmarks")
    op.drop_table("model_registry")
    op.drop_table("datasets")
