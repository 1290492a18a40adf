"""A benchmark that runs, and results of it written as a replica writes them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from factories import chats, record
from replicas import stop

from cluster.database import session
from jobs import benchmarks, tracking
from jobs.parts import Chunk
from jobs.replica import Replica
from jobs.schemas.benchmarks import Benchmark, BenchmarkSpec, Status
from jobs.schemas.datasets import Dataset
from jobs.schemas.sampling import Sampling

ROWS = 70  # two chunks of 32 and one of 6


@pytest.fixture
def benchmark(model_id: str, upload: Callable[..., Dataset]) -> Benchmark:
    dataset = upload(*chats(ROWS), name="seventy.jsonl")
    created = benchmarks.create(model_id, dataset.id, Sampling())
    with session() as sql:
        benchmarks.advance(sql, created.benchmark_id, [Status.QUEUED], Status.RUNNING)
    return created


@pytest.fixture
def no_tracker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replicas report to nobody: asking for the tracker would start a Ray cluster."""

    async def report(*_: Any) -> None:
        return

    monkeypatch.setattr(tracking, "report", report)


@pytest.fixture
def write(benchmark: Benchmark) -> Iterator[Callable[..., None]]:
    """Write results of a chunk; ``finish=False`` leaves it at work, in its journal."""
    opened: list[Chunk] = []

    def chunk(index: int, rows: range, *, finish: bool = True, **fields: Any) -> None:
        one = Chunk(benchmark.benchmark_id, index)
        opened.append(one)
        one.open()
        for row in rows:
            one.add(record(row, **fields))
        if finish:
            one.finish()

    yield chunk
    for one in opened:
        assert one._file is not None
        one._file.close()


@pytest.fixture
def make(model_id: str) -> Callable[[Dataset], BenchmarkSpec]:
    """A benchmark at work over a dataset."""

    def benchmark(dataset: Dataset) -> BenchmarkSpec:
        created = benchmarks.create(model_id, dataset.id, Sampling())
        with session() as sql:
            benchmarks.advance(sql, created.benchmark_id, [Status.QUEUED], Status.RUNNING)
            return BenchmarkSpec.model_validate(benchmarks.row(sql, created.benchmark_id).spec)

    return benchmark


@pytest.fixture
def start(no_tracker: None) -> Iterator[Callable[[BenchmarkSpec], Replica]]:
    started: list[Replica] = []

    def replica(spec: BenchmarkSpec) -> Replica:
        started.append(Replica(spec.model_dump(mode="json"), on_gpu=False))
        return started[-1]

    yield replica
    for one in started:
        stop(one)
