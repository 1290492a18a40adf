"""What moves batches on: from validating to the files they leave. Called by the tracker.

Every step is a conditional update that is committed before the next begins, and doing one twice
changes nothing, so a kill anywhere is repaired by the next call.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import structlog

from cluster.database import session
from jobs import batch_output, batch_validation, batches, benchmarks, files
from jobs.batch_errors import of_batch
from jobs.batch_output import Written
from jobs.errors import BenchmarkRunnerError
from jobs.models import BatchRow, BenchmarkRow, FileRow
from jobs.schemas.benchmarks import Status
from jobs.schemas.openai import BatchError, BatchStatus
from jobs.schemas.sampling import Sampling

log = structlog.get_logger()


class BatchSteps:
    """Takes the steps in a thread of its own, as a large file takes seconds to write."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """``wake`` is called when the queue of benchmarks has changed."""
        self._wake = wake
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="batches")
        self._at_work: Future[None] | None = None

    def tick(self) -> None:
        """Look at the batches, unless that is being done."""
        if self._at_work is None or self._at_work.done():
            self._at_work = self._thread.submit(self._work)

    def _work(self) -> None:
        try:
            if step():
                self._wake()
            files.remove_expired()
        except Exception:
            # The database or the storage is away; the next second tries again.
            log.exception("batches could not be looked at")


def step() -> bool:
    """Take every live batch as far as it goes; whether the queue of benchmarks has changed."""
    changed = False
    for batch in batches.live():
        try:
            changed |= _advance(batch)
        except Exception:
            # The others go on, and this one is tried again in a second.
            log.exception("batch step failed", batch_id=batch.id, status=batch.status)
    return changed


def _advance(batch: BatchRow) -> bool:
    now = datetime.now(UTC)
    if batch.status == BatchStatus.VALIDATING.value and now < batch.expires_at:
        return _validate(batch)
    with session() as sql:
        benchmark = sql.get(BenchmarkRow, batch.benchmark_id)
    if batch.outcome is None:
        decided = _outcome(batch, benchmark, now)
        if decided is None or not _decide(batch, benchmark, decided):
            return False
        with session() as sql:
            batch = batches.row(sql, batch.id)
    assert batch.outcome is not None
    outcome = BatchStatus(batch.outcome)
    if benchmark is not None and not Status(benchmark.status).is_terminal():
        ended_early = outcome in (BatchStatus.EXPIRED, BatchStatus.CANCELLED)
        if ended_early and benchmark.status != Status.CANCELLING.value:
            benchmarks.cancel(benchmark.id)
            return True
        # It is stopping; or its failed requests are being asked again, and the files are written
        # from what that gives.
        return False
    _finish(batch, benchmark, outcome)
    return False


def _validate(batch: BatchRow) -> bool:
    """From ``validating`` to ``in_progress``, or to ``failed``."""
    verdict = batch_validation.judge(batch)
    if verdict.errors:
        return _fail(batch, verdict.errors)
    with session() as sql:
        benchmark = sql.get(BenchmarkRow, batch.benchmark_id)
    if benchmark is None:  # else this was killed between the two before
        try:
            created = benchmarks.create(
                verdict.model, verdict.dataset_id, Sampling(), benchmark_id=batch.benchmark_id
            )
        except BenchmarkRunnerError as error:
            # The file or the model went away after it was judged.
            return _fail(batch, [of_batch(error.code, error.message)])
        total = created.total
    else:
        total = benchmark.total
    with session() as sql:
        begun = batches.advance(
            sql,
            batch.id,
            [BatchStatus.VALIDATING.value],
            BatchStatus.IN_PROGRESS,
            in_progress_at=datetime.now(UTC),
            model=verdict.model,
            total=total,
        )
    log.info("batch validated", batch_id=batch.id, total=total, begun=begun)
    return True


def _fail(batch: BatchRow, errors: list[BatchError]) -> bool:
    with session() as sql:
        batches.advance(
            sql,
            batch.id,
            [BatchStatus.VALIDATING.value],
            BatchStatus.FAILED,
            failed_at=datetime.now(UTC),
            errors=[error.model_dump() for error in errors],
        )
    log.info("batch failed validation", batch_id=batch.id, first=errors[0].message)
    return False


def _outcome(batch: BatchRow, benchmark: BenchmarkRow | None, now: datetime) -> BatchStatus | None:
    """How a batch ends; none while it goes on."""
    if benchmark is not None:
        match Status(benchmark.status):
            case Status.COMPLETED:
                return BatchStatus.COMPLETED
            case Status.FAILED:
                return BatchStatus.FAILED
            case Status.CANCELLING | Status.CANCELLED:
                return BatchStatus.CANCELLED
            case _:
                pass
    elif batch.status == BatchStatus.IN_PROGRESS.value:
        return BatchStatus.FAILED
    return BatchStatus.EXPIRED if now >= batch.expires_at else None


def _decide(batch: BatchRow, benchmark: BenchmarkRow | None, outcome: BatchStatus) -> bool:
    """Write down how a batch will end."""
    cancelled = outcome is BatchStatus.CANCELLED
    status = BatchStatus.CANCELLING if cancelled else BatchStatus.FINALIZING
    values: dict[str, Any] = {"outcome": outcome.value, f"{status.value}_at": datetime.now(UTC)}
    if outcome is BatchStatus.FAILED:
        message = (benchmark.error if benchmark else None) or "Its benchmark was deleted."
        values["errors"] = [of_batch("benchmark_failed", message).model_dump()]
    with session() as sql:
        return batches.advance(sql, batch.id, [batch.status], status, **values)


def _finish(batch: BatchRow, benchmark: BenchmarkRow | None, outcome: BatchStatus) -> None:
    """Write what the batch leaves, and then that it has ended."""
    if benchmark is not None:
        dataset_id = benchmark.dataset_id
    else:
        with session() as sql:
            file = sql.get(FileRow, batch.input_file_id)
        dataset_id = file.dataset_id if file and file.deleted_at is None else None
    written = batch_output.write(batch, dataset_id, benchmark, outcome) if dataset_id else Written()
    with session() as sql:
        ended = batches.advance(
            sql,
            batch.id,
            [batch.status],
            outcome,
            output_file_id=written.output.id if written.output else None,
            error_file_id=written.errors.id if written.errors else None,
            total=written.total,
            completed=written.completed,
            failed=written.failed,
            usage=written.usage.model_dump(),
            **{f"{outcome.value}_at": datetime.now(UTC)},
        )
        if ended:
            sql.add_all(written.files)
    if ended:
        log.info("batch ended", batch_id=batch.id, status=outcome.value)
