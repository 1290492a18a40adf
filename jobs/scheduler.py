"""Which benchmark runs when: admission by free hardware, and what to do about dead jobs.

Called by the tracker about once a second; there is one tracker, so there is one scheduler. Every
decision is a conditional update in SQL that is committed before Ray hears of it, so a kill in
between is repaired by the next call: a benchmark that is ``running`` without a job gets one.
"""

import sys
from datetime import UTC, datetime
from typing import Any

import ray
import structlog
from sqlalchemy import select

from cluster import ray_jobs
from cluster.database import session
from cluster.ray_jobs import JobStatus
from cluster.settings import settings
from jobs import benchmarks, parts, totals
from jobs.models import BenchmarkRow
from jobs.schemas.benchmarks import BenchmarkSpec, Phase, Placement, Status

log = structlog.get_logger()


def admit() -> None:
    """Start queued benchmarks in the queue's order, while there is hardware for the first. Those
    that ask another service need none, and so do not wait for the others."""
    hardware_waits = False
    for benchmark_id in benchmarks.queue():
        with session() as sql:
            candidate = benchmarks.row(sql, benchmark_id)
        spec = BenchmarkSpec.model_validate(candidate.spec)
        if hardware_waits and spec.model.runs_here:
            continue
        if impossible := check_possible(spec, _total_gpus()):
            # It would wait for ever, and everything behind it.
            benchmarks.end(candidate.id, Status.FAILED, error=impossible)
            continue
        at_work = _at_work()
        if spec.model.runs_here:
            placement = place(spec, _total_gpus(), _placements(at_work))
            hardware_waits = placement is None
        else:
            placement = place_elsewhere(candidate.model_id, at_work)
        if placement is None:
            continue
        # A job submitted by hand waits to be admitted; if it is gone, nobody waits any more.
        by_hand = candidate.job_id is not None
        if by_hand and not _alive(candidate.job_id):
            benchmarks.end(candidate.id, Status.FAILED, error="Its Ray job ended while queued.")
            continue
        attempt = candidate.attempts + 1
        job_id = candidate.job_id or _job_id(candidate.id, attempt)
        with session() as sql:
            admitted = benchmarks.advance(
                sql,
                candidate.id,
                [Status.QUEUED],
                Status.RUNNING,
                phase=Phase.LOADING.value,
                started_at=datetime.now(UTC),
                attempt_started_at=datetime.now(UTC),
                placement=placement.model_dump(),
                job_id=job_id,
                attempts=attempt,
            )
        if admitted:
            log.info("benchmark admitted", benchmark_id=candidate.id, **placement.model_dump())
            if not by_hand:
                _submit(candidate.id, job_id)


def place(spec: BenchmarkSpec, total_gpus: int, others: list[Placement]) -> Placement | None:
    """The hardware for a benchmark beside ``others``; none while it has to wait.

    On GPUs one engine takes ``tensor_parallel`` of them and a benchmark takes all groups that are
    free, unless its model says how many. Without GPUs, an engine takes a CPU slot.
    """
    chunks = -(-spec.total // spec.chunk_rows)
    wanted = min(spec.model.replicas or chunks, chunks) or 1
    group = spec.model.tensor_parallel if total_gpus else 0
    if group:
        free = total_gpus - sum(other.replicas * other.gpus_per_replica for other in others)
        possible = free // group
    else:
        taken = sum(other.replicas for other in others if not other.elsewhere)
        possible = settings().cpu_slots - taken
    if possible < 1:
        return None
    # Without GPUs, replicas of one model only compete for the same cores, so one is the default.
    replicas = min(wanted, possible) if group or spec.model.replicas else 1
    return Placement(replicas=replicas, gpus_per_replica=group)


def place_elsewhere(model_id: str, at_work: list[BenchmarkRow]) -> Placement | None:
    """Room for a benchmark that asks another service; none while it has to wait. Two of one model
    would ask it twice as much at once as its entry allows."""
    placed = [row for row in at_work if row.placement]
    others = [row for row in placed if Placement.model_validate(row.placement).elsewhere]
    if len(others) >= settings().endpoint_slots or model_id in {row.model_id for row in others}:
        return None
    return Placement(replicas=1, gpus_per_replica=0, elsewhere=True)


def reconcile() -> None:
    """Compare benchmarks at work with their Ray jobs: finish, restart or give up the ended ones."""
    for row in _at_work():
        state = ray_jobs.status(row.job_id) if row.job_id else None
        if row.status == Status.CANCELLING.value:
            if row.job_id is None or state is None or state.is_terminal():
                settle(row.id, Status.CANCELLED)
            else:
                ray_jobs.stop(row.job_id)
        elif (state is None or state.is_terminal()) and not settle(row.id, Status.COMPLETED):
            _restart(row, state)


def settle(benchmark_id: str, status: Status, error: str | None = None, **seen: Any) -> bool:
    """End a benchmark with the counts on storage; false if it is not complete but should be.
    ``error`` says why it failed; ``seen`` is what else the tracker knows, by column."""
    with session() as sql:
        spec = BenchmarkSpec.model_validate(benchmarks.row(sql, benchmark_id).spec)
    total = spec.total
    in_parts = totals.count(benchmark_id)
    if status is Status.COMPLETED and in_parts.finished != total:
        return False
    # What was finished of chunks that were at work stays readable, so it is counted too.
    journal, _ = parts.snapshot(benchmark_id, spec.chunk_rows)
    counts = in_parts + parts.tally(journal)
    seconds = in_parts.generation_seconds
    tokens = in_parts.prompt_tokens + in_parts.output_tokens
    ended = benchmarks.end(
        benchmark_id,
        status,
        completed=counts.completed,
        failed=counts.failed,
        progress=100 * counts.finished // max(total, 1),
        prompt_tokens=counts.prompt_tokens,
        output_tokens=counts.output_tokens,
        generation_seconds=seconds,
        throughput=in_parts.output_tokens / seconds if seconds else 0.0,
        total_throughput=tokens / seconds if seconds else 0.0,
        results_file=f"benchmarks/{benchmark_id}/parts",
        metadata_file=f"benchmarks/{benchmark_id}/manifest.json",
        # At once with the status: a batch copies it as soon as it sees that.
        error=error,
        **seen,
    )
    if ended:
        log.info("benchmark ended", benchmark_id=benchmark_id, status=status.value)
    return True


def check_possible(spec: BenchmarkSpec, total_gpus: int) -> str | None:
    """Why this cluster can never run the benchmark; none if it can."""
    group = spec.model.tensor_parallel
    if 0 < total_gpus < group:
        return f"{spec.model.name} needs {group} GPUs for one engine; the cluster has {total_gpus}."
    return None


def _restart(row: BenchmarkRow, state: JobStatus | None) -> None:
    """Run the job again over what is missing; after too many attempts in vain, give up."""
    if state is None:
        # Killed before it was submitted, or with the whole cluster: no fault of the benchmark. The
        # same id, so that a submission that is still on its way does not make a second job.
        _again(row, row.attempts, row.attempts_before, "its Ray job is gone")
        return
    why = f"its Ray job ended as {state.value}"
    before = row.attempts if _brought_results(row) else row.attempts_before
    in_vain = row.attempts - before
    if in_vain < settings().max_attempts:
        _again(row, row.attempts + 1, before, why)
        return
    message = f"Given up after {in_vain} attempts without a result: {why}. {_last_words(row)}"
    settle(row.id, Status.FAILED, message.strip())


def _again(row: BenchmarkRow, attempt: int, attempts_before: int, why: str) -> None:
    job_id = _job_id(row.id, attempt) if attempt > row.attempts else row.job_id
    assert job_id is not None  # it was admitted
    with session() as sql:
        going = benchmarks.advance(
            sql,
            row.id,
            [Status.RUNNING],
            Status.RUNNING,
            phase=Phase.LOADING.value,
            job_id=job_id,
            attempts=attempt,
            attempts_before=attempts_before,
            attempt_started_at=datetime.now(UTC),
        )
    if going:
        log.warning("job restarted", benchmark_id=row.id, attempt=attempt, why=why)
        _submit(row.id, job_id)


def _brought_results(row: BenchmarkRow) -> bool:
    """Whether the attempt that has ended finished at least one request."""
    newest = parts.newest(row.id)
    return (
        newest is not None
        and row.attempt_started_at is not None
        and (newest > row.attempt_started_at)
    )


def _job_id(benchmark_id: str, attempt: int) -> str:
    """The submission id of an attempt. Attempts are counted over the whole life of a benchmark,
    so Ray, which never starts an id twice, does not know it yet."""
    return benchmark_id if attempt == 1 else f"{benchmark_id}-{attempt}"


def _submit(benchmark_id: str, job_id: str) -> None:
    command = f"{sys.executable} -m jobs.driver --benchmark {benchmark_id}"
    ray_jobs.submit(job_id, command, metadata={"benchmark_id": benchmark_id})


def _last_words(row: BenchmarkRow) -> str:
    assert row.job_id is not None  # it was admitted
    return "Last lines of its log: " + " | ".join(ray_jobs.logs(row.job_id).splitlines()[-3:])


def _alive(job_id: str | None) -> bool:
    state = ray_jobs.status(job_id) if job_id else None
    return state is not None and not state.is_terminal()


def _at_work() -> list[BenchmarkRow]:
    at_work = [Status.RUNNING.value, Status.CANCELLING.value]
    query = select(BenchmarkRow).where(BenchmarkRow.status.in_(at_work))
    with session() as sql:
        return list(sql.scalars(query.order_by(BenchmarkRow.started_at, BenchmarkRow.id)))


def _placements(at_work: list[BenchmarkRow]) -> list[Placement]:
    # One that was cancelled while it was queued has none.
    return [Placement.model_validate(row.placement) for row in at_work if row.placement]


def _total_gpus() -> int:
    return int(ray.cluster_resources().get("GPU", 0))
