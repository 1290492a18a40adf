"""Asking a benchmark's failed and missing requests again, in place."""

from collections.abc import Iterator
from datetime import UTC, datetime

import orjson
from sqlalchemy import delete

from cluster.database import session
from cluster.storage import storage
from jobs import benchmarks, history, imported, marks, parts, queries
from jobs.errors import Conflict
from jobs.models import MarkRow
from jobs.parts import Record
from jobs.schemas.benchmarks import Benchmark, BenchmarkSpec, Phase, Status
from jobs.schemas.progress import Tally

_ENDED = [status.value for status in Status if status.is_terminal()]


def retry_failed(benchmark_id: str) -> Benchmark:
    """Queue an ended benchmark again: its failed requests are asked anew, missing ones are done.

    This is the one place where a status goes back. Nothing that succeeded is asked again.

    It has to leave a benchmark whole wherever it is killed, so the order is:

    1. Of each chunk with failures, write these into its history, which only a job reads.
    2. Write the chunk's journal: all its records. As long as the part is there too, the part
       counts, so this changes nothing.
    3. In one transaction, queue the benchmark on condition that it has ended (of two that retry at
       once, one gets this far) and delete those parts, so that their journals count, which say the
       same. The scheduler sees the benchmark after the commit, when the chunks are open already.

    A failure thus stays the result of its request until there is a newer one. A kill within 3
    rolls the transaction back: the benchmark stays ended, with all its results, and retrying it
    goes on from there, because what there is to do is read from storage and not from the counts in
    SQL.

    Raises:
        Conflict: it has not ended, its dataset has been deleted, or there is nothing to do.
        NotFound: no such benchmark.
    """
    with session() as sql:
        row = benchmarks.row(sql, benchmark_id)
    spec = BenchmarkSpec.model_validate(row.spec)
    if not Status(row.status).is_terminal():
        raise _live(benchmark_id, row.status)
    imported.check_engine(spec)
    benchmarks.check_dataset(spec)
    kept, failed = _sort_out(spec)
    if not failed and kept.finished == spec.total:
        raise Conflict(
            "nothing_to_retry", f"Every request of benchmark {benchmark_id!r} has succeeded."
        )
    reopened = _reopen(spec, failed)
    # A mark is for the answer that a person saw, and that one goes.
    unmarked = marks.kinds(benchmark_id).keys() & set(failed)
    with session() as sql:
        queued = benchmarks.advance(
            sql,
            benchmark_id,
            _ENDED,
            Status.QUEUED,
            phase=Phase.QUEUED.value,
            # While queued, started_at is when it was asked for, and orders the queue.
            started_at=datetime.now(UTC),
            completed_at=None,
            error=None,
            placement=None,
            # A job id on a queued benchmark means that the job waits for it; none does.
            job_id=None,
            attempts_before=row.attempts,
            completed=kept.completed,
            failed=0,
            progress=100 * kept.finished // max(spec.total, 1),
            prompt_tokens=kept.prompt_tokens,
            output_tokens=kept.output_tokens,
            throughput=0.0,
            total_throughput=0.0,
        )
        if not queued:
            raise _live(benchmark_id, Status.QUEUED.value)
        sql.execute(
            delete(MarkRow).where(
                MarkRow.benchmark_id == benchmark_id, MarkRow.row_id.in_(unmarked)
            )
        )
        for index in reopened:
            storage().delete(parts.part_key(benchmark_id, index))
    return benchmarks.get(benchmark_id)


def _sort_out(spec: BenchmarkSpec) -> tuple[Tally, list[int]]:
    """Counts of what succeeded, and the row ids of what failed."""
    with queries.connect() as db:
        of = queries.source(db, spec.benchmark_id)
        completed, prompt_tokens, output_tokens = queries.one(
            db,
            f"""
            SELECT count(*), coalesce(sum(prompt_tokens), 0)::BIGINT,
                   coalesce(sum(output_tokens), 0)::BIGINT
            FROM {of.name} WHERE {queries.SUCCEEDED}
            """,
        )
        failed = db.execute(
            f"SELECT row_id FROM {of.name} WHERE NOT ({queries.SUCCEEDED}) ORDER BY row_id"
        ).fetchall()
    kept = Tally(completed=completed, prompt_tokens=prompt_tokens, output_tokens=output_tokens)
    return kept, [row_id for (row_id,) in failed]


def _reopen(spec: BenchmarkSpec, failed: list[int]) -> list[int]:
    """Write history and journals of all chunks with failures; returns the chunks."""
    chunks = sorted({row_id // spec.chunk_rows for row_id in failed})
    journal, done = parts.snapshot(spec.benchmark_id, spec.chunk_rows)
    for index in chunks:
        if index in done:
            records = list(_of_part(spec.benchmark_id, index))
        else:  # the benchmark ended before the chunk was done
            records = [one for one in journal if one["row_id"] // spec.chunk_rows == index]
        failures = [one for one in records if not parts.succeeded(one)]
        history.add(spec.benchmark_id, index, failures)
        with storage().write(parts.journal_key(spec.benchmark_id, index)) as file:
            for record in records:
                file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
    return chunks


def _of_part(benchmark_id: str, index: int) -> Iterator[Record]:
    for row in parts.read_part(benchmark_id, index).to_pylist():
        yield Record(**{**row, "finished_at": row["finished_at"].timestamp()})


def _live(benchmark_id: str, status: str) -> Conflict:
    return Conflict(
        "benchmark_live", f"Benchmark {benchmark_id!r} is {status}. Cancel it first, or wait."
    )
