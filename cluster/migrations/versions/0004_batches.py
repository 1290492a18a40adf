"""Tables files and batches; every dataset that exists becomes a file."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "files",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("dataset_id", sa.String(64)),
        sa.Column("errors", sa.JSON()),
        sa.Column("deleted_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_files"),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name="fk_files_dataset_id", ondelete="SET NULL"
        ),
    )
    op.create_index("ix_files_created_at_id", "files", ["created_at", "id"])
    op.create_index("ix_files_expires_at", "files", ["expires_at"])
    op.create_index("ix_files_dataset_id", "files", ["dataset_id"])
    # Ids of datasets are `ds_` and of files `file-`, and then the same.
    op.execute(
        "INSERT INTO files (id, purpose, filename, bytes, created_at, key, dataset_id, deleted_at)"
        " SELECT 'file-' || substr(id, 4), 'batch', name, size_bytes, uploaded_at, file_path, id,"
        " deleted_at FROM datasets"
    )
    op.create_table(
        "batches",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("benchmark_id", sa.String(64), nullable=False),
        sa.Column("input_file_id", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("completion_window", sa.Text(), nullable=False),
        sa.Column("model", sa.Text()),
        sa.Column("metadata", sa.JSON()),
        sa.Column("output_expires_seconds", sa.Integer()),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(16)),
        sa.Column("errors", sa.JSON()),
        sa.Column("output_file_id", sa.Text()),
        sa.Column("error_file_id", sa.Text()),
        sa.Column("total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("completed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("usage", sa.JSON()),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        *(
            sa.Column(f"{state}_at", TIME)
            for state in (
                "in_progress",
                "finalizing",
                "completed",
                "failed",
                "expired",
                "cancelling",
                "cancelled",
            )
        ),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
    )
    op.create_index("ix_batches_created_at_id", "batches", ["created_at", "id"])
    op.create_index("ix_batches_status", "batches", ["status"])
    op.create_index("ix_batches_benchmark_id", "batches", ["benchmark_id"])


def downgrade() -> None:
    op.drop_table("batches")
    op.drop_table("files")
