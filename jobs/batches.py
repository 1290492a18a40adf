"""Batches of the OpenAI API: each is a benchmark, with that API's states and files around it.

The ids say so: ``batch_9d02b7c4e1a8`` is the benchmark ``bm_9d02b7c4e1a8``. What moves a batch on
is in :mod:`jobs.batch_steps`.
"""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cluster.database import session
from cluster.settings import settings
from jobs import benchmarks, cursors, files
from jobs.errors import Conflict, InvalidParameter, NotFound
from jobs.models import BatchRow, BenchmarkRow
from jobs.schemas.openai import (
    LIVE,
    Batch,
    BatchErrors,
    BatchPage,
    BatchStatus,
    CreateBatch,
    InputTokensDetails,
    OutputTokensDetails,
    RequestCounts,
    Usage,
)


def create(asked: CreateBatch) -> Batch:
    """Take a batch in; its file is looked at in the state ``validating``.

    Raises:
        InvalidParameter: no file's id; metadata or expiry out of bounds.
    """
    if not asked.input_file_id.startswith("file"):
        message = (
            f"Invalid 'input_file_id': '{asked.input_file_id}'. "
            "Expected an ID that begins with 'file'."
        )
        raise InvalidParameter("invalid_value", message, "input_file_id")
    _check_metadata(asked.metadata or {})
    expiry = asked.output_expires_after
    if expiry is not None:
        files.check_expiry(expiry, "output_expires_after")
    number = uuid.uuid4().hex[:12]
    now = datetime.now(UTC)
    batch = BatchRow(
        id=f"batch_{number}",
        benchmark_id=f"bm_{number}",
        input_file_id=asked.input_file_id,
        endpoint=asked.endpoint.value,
        completion_window=asked.completion_window,
        details=asked.metadata,
        output_expires_seconds=expiry.seconds if expiry else None,
        status=BatchStatus.VALIDATING.value,
        total=0,
        completed=0,
        failed=0,
        created_at=now,
        expires_at=now + timedelta(seconds=settings().batch_window_seconds),
    )
    with session() as sql:
        sql.add(batch)
    return _record(batch, None)


def get(batch_id: str) -> Batch:
    with session() as sql:
        batch = row(sql, batch_id)
        return _record(batch, sql.get(BenchmarkRow, batch.benchmark_id))


def row(sql: Session, batch_id: str) -> BatchRow:
    found = sql.get(BatchRow, batch_id)
    if found is None:
        raise NotFound("batch_not_found", f"No batch found with id '{batch_id}'.", param="id")
    return found


def page(limit: int, after: str | None) -> BatchPage:
    """Batches, newest first."""
    with session() as sql:
        rows, has_more = cursors.cut(sql, select(BatchRow), BatchRow, limit, after)
        ids = [batch.benchmark_id for batch in rows]
        found = sql.scalars(select(BenchmarkRow).where(BenchmarkRow.id.in_(ids)))
        of = {benchmark.id: benchmark for benchmark in found}
    items = [_record(batch, of.get(batch.benchmark_id)) for batch in rows]
    first, last = cursors.ends([item.id for item in items])
    return BatchPage(data=items, first_id=first, last_id=last, has_more=has_more)


def live() -> list[BatchRow]:
    """Batches that have not ended, oldest first."""
    query = select(BatchRow).where(BatchRow.status.in_(LIVE))
    with session() as sql:
        return list(sql.scalars(query.order_by(BatchRow.created_at, BatchRow.id)))


def cancel(batch_id: str) -> Batch:
    """Ask for the end of a batch and its benchmark. Repeating it changes nothing.

    Raises:
        Conflict: it has ended otherwise.
    """
    with session() as sql:
        batch = row(sql, batch_id)
        unfinished = [status for status in LIVE if status != BatchStatus.CANCELLING.value]
        begun = advance(
            sql,
            batch_id,
            unfinished,
            BatchStatus.CANCELLING,
            outcome=BatchStatus.CANCELLED.value,
            cancelling_at=datetime.now(UTC),
        )
        sql.refresh(batch)
        if batch.status not in (BatchStatus.CANCELLING.value, BatchStatus.CANCELLED.value):
            raise Conflict(
                "batch_ended", f"Cannot cancel a batch with status '{batch.status}'.", param=None
            )
        exists = sql.get(BenchmarkRow, batch.benchmark_id) is not None
    if begun and exists:
        benchmarks.cancel(batch.benchmark_id)
    return get(batch_id)


def advance(
    sql: Session, batch_id: str, expected: Iterable[str], status: BatchStatus, **values: Any
) -> bool:
    """Move a batch to ``status`` if it is in one of the ``expected`` ones.

    One conditional update: of the API and the tracker deciding at once, one succeeds.
    """
    changed = sql.execute(
        update(BatchRow)
        .where(BatchRow.id == batch_id, BatchRow.status.in_(list(expected)))
        .values(status=status.value, **values)
    )
    return changed.rowcount == 1  # pyright: ignore[reportAttributeAccessIssue]


def _check_metadata(metadata: dict[str, str]) -> None:
    most = settings().batch_metadata_pairs
    if len(metadata) > most:
        message = (
            f"Invalid 'metadata': too many properties. Expected an object with at most {most} "
            f"properties, but got an object with {len(metadata)} properties instead."
        )
        raise InvalidParameter("object_above_max_properties", message, "metadata")
    for name, value in metadata.items():
        _check_length("metadata", "key", name, settings().batch_metadata_key_chars)
        _check_length(f"metadata.{name}", "value", value, settings().batch_metadata_value_chars)


def _check_length(param: str, what: str, text: str, most: int) -> None:
    if len(text) > most:
        message = (
            f"Invalid '{param}': {what} too long. Expected a string with maximum length {most}, "
            f"but got a string with length {len(text)} instead."
        )
        raise InvalidParameter("string_above_max_length", message, param)


def _record(batch: BatchRow, benchmark: BenchmarkRow | None) -> Batch:
    status = BatchStatus(batch.status)
    counts = RequestCounts(total=batch.total, completed=batch.completed, failed=batch.failed)
    usage = Usage.model_validate(batch.usage or {})
    if benchmark is not None and not status.is_terminal():
        counts.completed, counts.failed = benchmark.completed, benchmark.failed
        usage = tokens(benchmark.prompt_tokens, benchmark.output_tokens)
    return Batch(
        id=batch.id,
        endpoint=batch.endpoint,
        model=batch.model,
        errors=BatchErrors.model_validate({"data": batch.errors}) if batch.errors else None,
        input_file_id=batch.input_file_id,
        completion_window=batch.completion_window,
        status=status,
        output_file_id=batch.output_file_id,
        error_file_id=batch.error_file_id,
        created_at=int(batch.created_at.timestamp()),
        in_progress_at=_seconds(batch.in_progress_at),
        expires_at=int(batch.expires_at.timestamp()),
        finalizing_at=_seconds(batch.finalizing_at),
        completed_at=_seconds(batch.completed_at),
        failed_at=_seconds(batch.failed_at),
        expired_at=_seconds(batch.expired_at),
        cancelling_at=_seconds(batch.cancelling_at),
        cancelled_at=_seconds(batch.cancelled_at),
        request_counts=counts,
        usage=usage,
        metadata=batch.details,
    )


def tokens(prompt: int, output: int, cached: int = 0, reasoning: int = 0) -> Usage:
    """Sums of tokens as OpenAI shows them."""
    return Usage(
        input_tokens=prompt,
        input_tokens_details=InputTokensDetails(cached_tokens=cached),
        output_tokens=output,
        output_tokens_details=OutputTokensDetails(reasoning_tokens=reasoning),
        total_tokens=prompt + output,
    )


def _seconds(time: datetime | None) -> int | None:
    return int(time.timestamp()) if time else None
