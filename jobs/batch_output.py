"""The files that a batch leaves: answers, and requests without one. Written as streams.

Each line of the input is in exactly one of the two. The names derive from the batch, so writing
them again after a kill overwrites.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, BinaryIO

import orjson

from cluster.storage import storage
from jobs import batches, export, queries, request_file
from jobs.models import BatchRow, BenchmarkRow, FileRow
from jobs.schemas.openai import BatchStatus, Purpose, Usage

_COLUMNS = ["row_id", "custom_id", "request_id", "status_code", "body", "error"]
_UNANSWERED = {
    BatchStatus.EXPIRED: (
        "batch_expired",
        "This request could not be executed before the completion window expired.",
    ),
    BatchStatus.CANCELLED: (
        "batch_cancelled",
        "This request was not executed because the batch was cancelled.",
    ),
    BatchStatus.FAILED: (
        "batch_failed",
        "This request was not executed because the batch failed; its `errors` say why.",
    ),
}


@dataclass(slots=True)
class Written:
    """What was written: files that are not empty, and counts."""

    output: FileRow | None = None
    errors: FileRow | None = None
    total: int = 0
    completed: int = 0
    failed: int = 0
    usage: Usage = field(default_factory=Usage)

    @property
    def files(self) -> list[FileRow]:
        return [file for file in (self.output, self.errors) if file is not None]


def write(
    batch: BatchRow, dataset_id: str, benchmark: BenchmarkRow | None, outcome: BatchStatus
) -> Written:
    """Write both files of a batch whose benchmark has ended, or never began.

    Raises:
        RuntimeError: the results are not what they should be, as when failed requests are being
            asked again in this moment. Nothing has been stored then.
    """
    written = Written()
    with ExitStack() as stack:
        output = _Lines(stack, batch, "output")
        errors = _Lines(stack, batch, "error")
        for custom_id, result in _outcomes(dataset_id, benchmark):
            written.total += 1
            if result is None:
                errors.add(_unanswered(batch, written.total, custom_id, outcome))
            elif 200 <= result["status_code"] < 300:
                written.completed += 1
                output.add(export.json_line(result))
            else:
                written.failed += 1
                errors.add(export.json_line(result))
    written.output, written.errors = output.row(), errors.row()
    if benchmark is not None:
        written.usage = _usage(benchmark.id)
    return written


def _outcomes(
    dataset_id: str, benchmark: BenchmarkRow | None
) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Each request of the dataset with its result, if it has one."""
    chunks = iter(()) if benchmark is None else export.in_order(benchmark.id, columns=_COLUMNS)
    results = chain.from_iterable(chunks)
    result = next(results, None)
    for row_id, custom_id in enumerate(request_file.custom_ids(dataset_id)):
        if result is not None and result["row_id"] == row_id:
            yield custom_id, result
            result = next(results, None)
        else:
            yield custom_id, None
    if result is not None:
        raise RuntimeError(f"result of row {result['row_id']} has no request, or came twice")


def _unanswered(batch: BatchRow, line: int, custom_id: str, outcome: BatchStatus) -> bytes:
    if outcome not in _UNANSWERED:
        raise RuntimeError(f"request {custom_id!r} of {outcome} batch {batch.id} has no result")
    code, message = _UNANSWERED[outcome]
    record = {
        "id": f"batch_req_{batch.id.removeprefix('batch_')}_{line}",
        "custom_id": custom_id,
        "response": None,
        "error": {"code": code, "message": message},
    }
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


class _Lines:
    """A file that comes to be with its first line."""

    def __init__(self, stack: ExitStack, batch: BatchRow, kind: str) -> None:
        self._stack = stack
        self._batch = batch
        self._kind = kind
        self._id = f"file-{batch.id.removeprefix('batch_')}-{kind}"
        self._key = f"files/{self._id}.jsonl"
        self._file: BinaryIO | None = None
        self._size = 0

    def add(self, line: bytes) -> None:
        if self._file is None:
            self._file = self._stack.enter_context(storage().write(self._key))
        self._file.write(line)
        self._size += len(line)

    def row(self) -> FileRow | None:
        if self._file is None:
            # What an earlier try may have left, before failed requests were asked again.
            storage().delete(self._key)
            return None
        now = datetime.now(UTC)
        seconds = self._batch.output_expires_seconds
        return FileRow(
            id=self._id,
            purpose=Purpose.BATCH_OUTPUT.value,
            filename=f"{self._batch.id}_{self._kind}.jsonl",
            bytes=self._size,
            created_at=now,
            expires_at=now + timedelta(seconds=seconds) if seconds else None,
            key=self._key,
            dataset_id=None,
        )


def _usage(benchmark_id: str) -> Usage:
    with queries.connect() as db:
        of = queries.source(db, benchmark_id)
        sums = queries.one(
            db,
            f"""
            SELECT coalesce(sum(prompt_tokens), 0)::BIGINT,
                   coalesce(sum(output_tokens), 0)::BIGINT,
                   coalesce(sum(cached_tokens), 0)::BIGINT,
                   coalesce(sum(CASE WHEN contains(body, '"reasoning_tokens"') THEN json_extract(
                       body, '$.usage.completion_tokens_details.reasoning_tokens'
                   )::BIGINT END), 0)::BIGINT
            FROM {of.name}
            """,
        )
    return batches.tokens(*sums)
