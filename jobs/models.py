"""The SQL tables: ``datasets`` and ``benchmarks`` as in the owner's design, with more columns."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    TypeDecorator,
    false,
    func,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Timestamp(TypeDecorator[datetime]):
    """A UTC time. SQLite forgets the zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own convention
        datetime: Timestamp,
        str: Text,
        dict[str, Any]: JSON,
        list[str]: JSON,
    }


class DatasetRow(Base):
    __tablename__ = "datasets"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    file_path: Mapped[str]
    count: Mapped[int] = mapped_column(BigInteger)
    uploaded_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.current_timestamp())
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    endpoints: Mapped[list[str]]
    models: Mapped[list[str]]
    kind: Mapped[str] = mapped_column(String(16), server_default="ordinary", default="ordinary")
    """A :class:`jobs.schemas.datasets.Kind`."""
    deleted_at: Mapped[datetime | None]
    """Set when a dataset is deleted that finished benchmarks still name; its files are gone."""


class ModelRow(Base):
    __tablename__ = "model_registry"

    model_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    name: Mapped[str]
    spec: Mapped[dict[str, Any]]
    """A :class:`jobs.schemas.models.ModelSpec`."""
    removed_at: Mapped[datetime | None]
    """Set when its file is gone from the registry folder, or a user has removed it; finished
    benchmarks still name it."""
    added: Mapped[bool] = mapped_column(server_default=false(), default=False)
    """A user has added it; it has no file."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.current_timestamp())


class BenchmarkRow(Base):
    __tablename__ = "benchmarks"
    __table_args__ = (Index("ix_benchmarks_status_created_at", "status", "created_at"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    model_id: Mapped[str] = mapped_column(ForeignKey("model_registry.model_id"))
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"), index=True)
    status: Mapped[str] = mapped_column(String(16))
    progress: Mapped[int] = mapped_column(server_default="0", default=0)
    completed: Mapped[int] = mapped_column(BigInteger, server_default="0", default=0)
    total: Mapped[int] = mapped_column(BigInteger)
    throughput: Mapped[float] = mapped_column(server_default="0", default=0.0)
    eta_seconds: Mapped[int] = mapped_column(BigInteger, server_default="0", default=0)
    started_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    total_time_seconds: Mapped[float | None]
    results_file: Mapped[str | None]
    metadata_file: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.current_timestamp())
    # Beyond the owner's design:
    kind: Mapped[str] = mapped_column(String(16), server_default="ordinary", default="ordinary")
    """A :class:`jobs.schemas.datasets.Kind`."""
    phase: Mapped[str] = mapped_column(String(16))
    failed: Mapped[int] = mapped_column(BigInteger, server_default="0", default=0)
    prompt_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0", default=0)
    output_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0", default=0)
    eta_low_seconds: Mapped[int | None] = mapped_column(BigInteger)
    eta_high_seconds: Mapped[int | None] = mapped_column(BigInteger)
    band_stretch: Mapped[float | None]
    """By what factor the bands around its estimated end were off: :func:`jobs.forecast.stretch`."""
    total_throughput: Mapped[float] = mapped_column(server_default="0", default=0.0)
    spec: Mapped[dict[str, Any]]
    """A :class:`jobs.schemas.benchmarks.BenchmarkSpec`: what the job reads."""
    placement: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """A :class:`jobs.schemas.benchmarks.Placement`, once admitted."""
    job_id: Mapped[str | None]
    """Submission id of the Ray job at work; the benchmark's id on the first attempt."""
    attempts: Mapped[int] = mapped_column(server_default="0", default=0)
    """Times its job was started, ever; a job's id has this number, so it never goes back."""
    attempts_before: Mapped[int] = mapped_column(server_default="0", default=0)
    """``attempts`` when it was last queued or had brought a result: those after it were in vain,
    and count when it comes to giving up."""
    attempt_started_at: Mapped[datetime | None]
    """When its job was last started."""
    load_seconds: Mapped[float | None]
    generation_seconds: Mapped[float | None]
    """As :class:`jobs.totals.Totals` defines it."""
    error: Mapped[str | None]
    rerun_of: Mapped[str | None] = mapped_column(String(64))
    """The benchmark that it repeats, which may have been deleted since."""

    dataset: Mapped[DatasetRow] = relationship(lazy="joined", innerjoin=True)
    model: Mapped[ModelRow] = relationship(lazy="joined", innerjoin=True)


class MarkRow(Base):
    __tablename__ = "marks"

    benchmark_id: Mapped[str] = mapped_column(
        ForeignKey("benchmarks.id", ondelete="CASCADE"), primary_key=True
    )
    row_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16))
    """A :class:`jobs.schemas.marks.MarkKind`."""
    response: Mapped[str | None]
    note: Mapped[str | None]
    author: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.current_timestamp())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.current_timestamp())


class BallotRow(Base):
    """Two answers to one request, dealt to one person; with ``choice`` set, their vote."""

    __tablename__ = "ballots"
    __table_args__ = (
        Index("ix_ballots_pair", "first_id", "second_id", "author", "custom_id", unique=True),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Random: it is all that a client knows before the vote, and says nothing."""
    first_id: Mapped[str] = mapped_column(ForeignKey("benchmarks.id", ondelete="CASCADE"))
    second_id: Mapped[str] = mapped_column(
        ForeignKey("benchmarks.id", ondelete="CASCADE"), index=True
    )
    """The two benchmarks, in the order of their ids."""
    custom_id: Mapped[str]
    first_row: Mapped[int] = mapped_column(BigInteger)
    second_row: Mapped[int] = mapped_column(BigInteger)
    swapped: Mapped[bool]
    """The second is shown on the left."""
    author: Mapped[str]
    choice: Mapped[str | None] = mapped_column(String(16))
    """A :class:`jobs.judgement.Preferred`; none while it is open."""
    voted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.current_timestamp())


class FileRow(Base):
    """A file of the OpenAI API. One with purpose ``batch`` is a dataset, or was meant to be one."""

    __tablename__ = "files"
    __table_args__ = (
        Index("ix_files_created_at_id", "created_at", "id"),
        Index("ix_files_expires_at", "expires_at"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(32))
    filename: Mapped[str]
    bytes: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    key: Mapped[str]
    """Where its content is on storage."""
    dataset_id: Mapped[str | None] = mapped_column(
        ForeignKey("datasets.id", ondelete="SET NULL"), index=True
    )
    """None for what a batch wrote, and for an upload with bad lines."""
    errors: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    """Each a :class:`jobs.schemas.requests.LineError`: why the file is no dataset."""
    deleted_at: Mapped[datetime | None]
    """Set when it is deleted. The row stays, as clients page through lists by an id."""


class BatchRow(Base):
    """A batch of the OpenAI API: what it has beyond its benchmark."""

    __tablename__ = "batches"
    __table_args__ = (
        Index("ix_batches_created_at_id", "created_at", "id"),
        Index("ix_batches_status", "status"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    benchmark_id: Mapped[str] = mapped_column(String(64), index=True)
    """Given to the batch from the start; the benchmark exists once the file is validated."""
    input_file_id: Mapped[str]
    endpoint: Mapped[str]
    completion_window: Mapped[str]
    model: Mapped[str | None]
    details: Mapped[dict[str, str] | None] = mapped_column("metadata", JSON(none_as_null=True))
    output_expires_seconds: Mapped[int | None]
    status: Mapped[str] = mapped_column(String(16))
    outcome: Mapped[str | None] = mapped_column(String(16))
    """The status that it will end in, once that is decided."""
    errors: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    output_file_id: Mapped[str | None]
    error_file_id: Mapped[str | None]
    total: Mapped[int] = mapped_column(BigInteger, server_default="0", default=0)
    completed: Mapped[int] = mapped_column(BigInteger, server_default="0", default=0)
    failed: Mapped[int] = mapped_column(BigInteger, server_default="0", default=0)
    usage: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Set when it has ended. Until then, counts and usage are the benchmark's."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    in_progress_at: Mapped[datetime | None]
    finalizing_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    expired_at: Mapped[datetime | None]
    cancelling_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]


class GraderRow(Base):
    """A :class:`jobs.scoring.Grader`: of a dataset or of a benchmark."""

    __tablename__ = "graders"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    dataset_id: Mapped[str | None] = mapped_column(
        ForeignKey("datasets.id", ondelete="CASCADE"), index=True
    )
    benchmark_id: Mapped[str | None] = mapped_column(
        ForeignKey("benchmarks.id", ondelete="CASCADE"), index=True
    )
    spec: Mapped[dict[str, Any]]
    """A :data:`jobs.scoring.GraderSpec`."""
    revision: Mapped[int] = mapped_column(server_default="1", default=1)
    """A new one makes all scores anew, in another place."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.current_timestamp())


class JudgementRow(Base):
    """What a judge's benchmark judges."""

    __tablename__ = "judgements"

    judge_id: Mapped[str] = mapped_column(
        ForeignKey("benchmarks.id", ondelete="CASCADE"), primary_key=True
    )
    grader_id: Mapped[str] = mapped_column(ForeignKey("graders.id", ondelete="CASCADE"), index=True)
    benchmark_id: Mapped[str] = mapped_column(
        ForeignKey("benchmarks.id", ondelete="CASCADE"), index=True
    )
    against_id: Mapped[str | None] = mapped_column(
        ForeignKey("benchmarks.id", ondelete="CASCADE"), index=True
    )
    """The other side, where the judge compares pairs."""
    version: Mapped[str] = mapped_column(String(16))
    """The grader's version when the judge was asked."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.current_timestamp())
