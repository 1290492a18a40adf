"""Benchmarks in SQL: create, look up, cancel, delete, and every change of status."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, defer, joinedload

from cluster import cache
from cluster.database import session
from cluster.storage import storage
from jobs import datasets, hardware, registry
from jobs.errors import Conflict, InvalidRequest, NotFound
from jobs.models import BatchRow, BenchmarkRow, DatasetRow, JudgementRow, ModelRow
from jobs.progress import Prior
from jobs.queue import Waiting, order
from jobs.schemas.benchmarks import Benchmark, BenchmarkSpec, Phase, Status
from jobs.schemas.datasets import Kind
from jobs.schemas.models import Model, ModelSpec
from jobs.schemas.openai import LIVE as LIVE_BATCH
from jobs.schemas.requests import Endpoint
from jobs.schemas.sampling import Sampling

LIVE = [status.value for status in Status if not status.is_terminal()]
_CHUNKS_PER_ENGINE = 64
# Benchmarks of a model from which it is learned how long the next takes.
_REMEMBERED = 8
_AT_WORK = [Status.RUNNING.value, Status.CANCELLING.value]


def create(
    model_id: str,
    dataset_id: str,
    sampling: Sampling,
    job_id: str | None = None,
    benchmark_id: str | None = None,
    kind: Kind = Kind.ORDINARY,
    rerun_of: str | None = None,
    revision: str | None = None,
) -> Benchmark:
    """Queue a benchmark. ``job_id`` names the Ray job that waits to run it, if one does already.
    ``benchmark_id`` is the id that its batch has given it, if it is one's. ``rerun_of`` is the one
    that it repeats, with weights of ``revision``.

    Raises:
        NotFound: no such model or dataset.
        InvalidRequest: the dataset needs two kinds of engine, or the model does not fit the
            hardware.
    """
    model = registry.get(model_id)
    if not model.fit.fits:
        raise InvalidRequest(
            "model_does_not_fit",
            f"{model.name} cannot be run on this cluster: it {model.fit.reason}.{_advice(model)}",
            verdict=model.fit.verdict,
            longest=model.fit.longest,
        )
    dataset = datasets.get(dataset_id)
    embeds = Endpoint.EMBEDDINGS in dataset.endpoints
    if embeds and len(dataset.endpoints) > 1:
        raise InvalidRequest(
            "mixed_endpoints",
            f"Dataset {dataset_id!r} mixes embeddings with generation, which need two engines. "
            "Split it into two datasets.",
        )
    benchmark_id = benchmark_id or f"bm_{uuid.uuid4().hex[:12]}"
    entry = ModelSpec.model_validate(model.model_dump(include=set(ModelSpec.model_fields)))
    entry.weights.revision = revision or entry.weights.revision
    spec = BenchmarkSpec(
        benchmark_id=benchmark_id,
        dataset_id=dataset_id,
        dataset_sha256=dataset.sha256,
        total=dataset.count,
        chunk_rows=chunk_rows(dataset.count, _most_engines(entry)),
        model=entry,
        sampling=sampling,
        task="embed" if embeds else "generate",
    )
    now = datetime.now(UTC)
    with session() as sql:
        row = BenchmarkRow(
            id=benchmark_id,
            model_id=model_id,
            dataset_id=dataset_id,
            kind=kind,
            status=Status.QUEUED,
            phase=Phase.QUEUED,
            total=dataset.count,
            started_at=now,
            created_at=now,
            spec=spec.model_dump(mode="json"),
            job_id=job_id,
            rerun_of=rerun_of,
        )
        sql.add(row)
    return get(benchmark_id)


def _advice(model: Model) -> str:
    if model.fit.longest is None:
        return ""
    length = f"`max_model_len` of at most {model.fit.longest}"
    if model.added:
        return f" Add it again with a {length}."
    return f" Give its registry entry a {length}."


def chunk_rows(total: int, engines: int = 1) -> int:
    """Requests per chunk for as many engines as there can be.

    A chunk costs a replica some milliseconds whatever is in it, so 10,000 requests on one engine
    are better 79 chunks than 313 (0.10 ms of CPU a request against 0.19), and better 40 than 79.
    But each engine needs many of them, or some have nothing to do while others finish theirs. A
    million requests make about a thousand parts for DuckDB to open.
    """
    size = 32
    while size < 1024 and total / size > _CHUNKS_PER_ENGINE * engines:
        size *= 2
    return size


def _most_engines(model: ModelSpec) -> int:
    return model.replicas or max(hardware.read().gpus // model.tensor_parallel, 1)


def get(benchmark_id: str) -> Benchmark:
    with session() as sql:
        return _benchmark(row(sql, benchmark_id), _queue(sql))


def row(sql: Session, benchmark_id: str) -> BenchmarkRow:
    found = sql.get(BenchmarkRow, benchmark_id)
    if found is None:
        raise NotFound("benchmark_not_found", f"There is no benchmark {benchmark_id!r}.")
    return found


# Pages ask for lists each second, and JSON has to be decoded: what is not shown is not read.
_SHOWN = (
    joinedload(BenchmarkRow.dataset, innerjoin=True).load_only(DatasetRow.name),
    joinedload(BenchmarkRow.model, innerjoin=True).load_only(ModelRow.name),
    defer(BenchmarkRow.placement),
)


def all_benchmarks(
    limit: int,
    offset: int,
    status: Iterable[Status] = (),
    dataset_id: str | None = None,
    model_id: str | None = None,
    kind: Kind | None = Kind.ORDINARY,
) -> tuple[list[Benchmark], int]:
    """Benchmarks, newest first, and how many match; of every kind where ``kind`` is none."""
    query = select(BenchmarkRow)
    if kind is not None:
        query = query.where(BenchmarkRow.kind == kind.value)
    if status := list(status):
        query = query.where(BenchmarkRow.status.in_(status))
    if dataset_id is not None:
        query = query.where(BenchmarkRow.dataset_id == dataset_id)
    if model_id is not None:
        query = query.where(BenchmarkRow.model_id == model_id)
    newest_first = query.order_by(BenchmarkRow.created_at.desc(), BenchmarkRow.id).options(*_SHOWN)
    with session() as sql:
        rows = sql.scalars(newest_first.limit(limit).offset(offset)).all()
        total = sql.scalar(select(func.count()).select_from(query.subquery()))
        queue = _queue(sql)
    return [_benchmark(found, queue) for found in rows], total or 0


def advance(
    sql: Session, benchmark_id: str, expected: Iterable[str], status: Status, **values: Any
) -> bool:
    """Move a benchmark to ``status`` if it is in one of the ``expected`` ones.

    Statuses only move forward, except that :mod:`jobs.retry` queues an ended benchmark again.

    One conditional update, so that of two processes that decide at once only one succeeds.
    """
    if status.is_terminal():
        over = {"eta_seconds": 0, "eta_low_seconds": None, "eta_high_seconds": None}
        values = {"phase": status.value, **over, **values}
    changed = sql.execute(
        update(BenchmarkRow)
        .where(BenchmarkRow.id == benchmark_id, BenchmarkRow.status.in_(list(expected)))
        .values(status=status.value, **values)
    )
    return changed.rowcount == 1  # pyright: ignore[reportAttributeAccessIssue]


def cancel(benchmark_id: str) -> Benchmark:
    """Ask for the end of a benchmark; finished results stay. Repeating it changes nothing."""
    with session() as sql:
        found = row(sql, benchmark_id)
        # What ran has results on storage, by which the scheduler settles it.
        if found.attempts == 0:
            now = datetime.now(UTC)
            advance(sql, benchmark_id, [Status.QUEUED], Status.CANCELLED, completed_at=now)
        advance(sql, benchmark_id, [Status.QUEUED, Status.RUNNING], Status.CANCELLING)
    return get(benchmark_id)


def delete(benchmark_id: str) -> None:
    """Delete an ended benchmark with its results, and the judges of it with theirs.

    Raises:
        Conflict: when it, a judge of it, or the batch that it is, has not ended.
    """
    with session() as sql:
        found = row(sql, benchmark_id)
        judging = select(JudgementRow.judge_id).where(
            (JudgementRow.benchmark_id == benchmark_id) | (JudgementRow.against_id == benchmark_id)
        )
        going = [found, *(row(sql, judge_id) for judge_id in sql.scalars(judging))]
        for one in going:
            if not Status(one.status).is_terminal():
                raise Conflict(
                    "benchmark_live",
                    f"Benchmark {one.id!r} is {one.status}. Cancel it first, or wait.",
                )
        of_batch = select(BatchRow.id).where(
            BatchRow.benchmark_id == benchmark_id, BatchRow.status.in_(LIVE_BATCH)
        )
        if batch_id := sql.scalar(of_batch):
            raise Conflict("batch_live", f"Batch {batch_id!r} is still writing its files. Wait.")
        for one in going:
            sql.delete(one)
        sql.flush()
        # Nobody but the judge has a use for what was made for it.
        made = [one.dataset for one in going if one.kind == Kind.JUDGE.value]
        for dataset in made:
            sql.delete(dataset)
    for one in going:
        storage().delete(f"benchmarks/{one.id}")
        cache.drop(one.id)
    for dataset in made:
        storage().delete(f"datasets/{dataset.id}")
        cache.drop(dataset.id)


def end(benchmark_id: str, status: Status, **values: Any) -> bool:
    """Write the end of a benchmark that was at work."""
    now = datetime.now(UTC)
    with session() as sql:
        found = row(sql, benchmark_id)
        seconds = (now - found.started_at).total_seconds()
        return advance(
            sql,
            benchmark_id,
            LIVE,
            status,
            completed_at=now,
            total_time_seconds=(found.total_time_seconds or 0.0) + seconds,
            **values,
        )


def prior(model_id: str) -> Prior:
    """What the newest completed benchmarks of a model say about the next one."""
    query = (
        select(
            BenchmarkRow.load_seconds,
            BenchmarkRow.total_time_seconds,
            BenchmarkRow.generation_seconds,
            BenchmarkRow.total,
            BenchmarkRow.band_stretch,
        )
        .where(
            BenchmarkRow.model_id == model_id,
            BenchmarkRow.status == Status.COMPLETED.value,
            BenchmarkRow.load_seconds.is_not(None),  # some are imported, and loaded nothing
        )
        .order_by(BenchmarkRow.created_at.desc())
        .limit(_REMEMBERED)
    )
    with session() as sql:
        newest = sql.execute(query).all()
    if not newest:
        return Prior()
    # All before the first request: an engine's own load is some seconds less.
    loads = [
        max(load or 0.0, (taken or 0.0) - (seconds or 0.0)) for load, taken, seconds, *_ in newest
    ]
    requests = [seconds / max(total, 1) for _, _, seconds, total, _ in newest if seconds]
    return Prior.learned(loads, requests, [one for *_, one in newest if one is not None])


def queue() -> list[str]:
    """Ids of queued benchmarks in the order of admission."""
    with session() as sql:
        return _queue(sql)


def _queue(sql: Session) -> list[str]:
    columns = BenchmarkRow.id, BenchmarkRow.model_id, BenchmarkRow.started_at
    # started_at of a queued benchmark is when it was queued.
    queued = sql.execute(select(*columns).where(BenchmarkRow.status == Status.QUEUED.value)).all()
    if not queued:
        return []
    admitted = BenchmarkRow.attempt_started_at
    newest = select(BenchmarkRow.model_id).where(admitted.is_not(None)).order_by(admitted.desc())
    return order((Waiting(*one) for one in queued), sql.scalar(newest.limit(1)))


def check_dataset(spec: BenchmarkSpec) -> None:
    """See that the requests of a benchmark are there to be asked again.

    Raises:
        Conflict: the dataset has been deleted, or is another.
    """
    try:
        dataset = datasets.get(spec.dataset_id)
    except NotFound:
        raise Conflict(
            "dataset_deleted",
            f"Dataset {spec.dataset_id!r} has been deleted. Upload it again and run the model "
            "over it.",
        ) from None
    if spec.dataset_sha256 not in (None, dataset.sha256):
        raise Conflict(
            "dataset_changed",
            f"Dataset {spec.dataset_id!r} is not the file that it was: its digest is "
            f"{dataset.sha256}, and was {spec.dataset_sha256}.",
        )


def _benchmark(row: BenchmarkRow, queue: list[str]) -> Benchmark:
    return Benchmark(
        benchmark_id=row.id,
        model_id=row.model_id,
        model_name=row.model.name,
        engine=row.spec["model"]["engine"],
        dataset_id=row.dataset_id,
        dataset_name=row.dataset.name,
        kind=Kind(row.kind),
        status=Status(row.status),
        phase=Phase(row.phase),
        progress=row.progress,
        completed=row.completed,
        failed=row.failed,
        total=row.total,
        throughput=row.throughput,
        total_throughput=row.total_throughput,
        eta_seconds=row.eta_seconds,
        eta_low_seconds=row.eta_low_seconds,
        eta_high_seconds=row.eta_high_seconds,
        prompt_tokens=row.prompt_tokens,
        output_tokens=row.output_tokens,
        started_at=row.started_at,
        created_at=row.created_at,
        completed_at=row.completed_at,
        total_time_seconds=row.total_time_seconds,
        load_seconds=row.load_seconds,
        queue_position=queue.index(row.id) + 1 if row.id in queue else None,
        rerun_of=row.rerun_of,
        attempts=row.attempts,
        error=row.error,
        sampling=Sampling.model_validate(row.spec["sampling"]),
    )
