"""What only a server can do: writers at once, and a restart in the middle of a benchmark."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from factories import chats, record
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from cluster.database import session
from jobs import benchmarks, datasets, scheduler
from jobs.parts import Chunk
from jobs.schemas.benchmarks import Benchmark, Status
from jobs.schemas.datasets import Dataset
from jobs.schemas.sampling import Sampling

Upload = Callable[..., Dataset]


@pytest.fixture
def server(database: str, postgres: Any) -> Any:
    if database != "postgresql":
        pytest.skip("about the server")
    return postgres


@pytest.fixture
def running(server: Any, model_id: str, upload: Upload) -> Benchmark:
    created = benchmarks.create(model_id, upload(*chats(60)).id, Sampling())
    with session() as sql:
        benchmarks.advance(sql, created.benchmark_id, [Status.QUEUED], Status.RUNNING)
    return created


def test_of_writers_at_once_one_decides(running: Benchmark) -> None:
    barrier = threading.Barrier(8)

    def end(status: Status) -> bool:
        barrier.wait()
        return benchmarks.end(running.benchmark_id, status)

    with ThreadPoolExecutor(8) as pool:
        decided = list(pool.map(end, [Status.COMPLETED, Status.FAILED] * 4))
    assert decided.count(True) == 1
    assert benchmarks.get(running.benchmark_id).status.is_terminal()


def test_many_writers_lose_nothing(server: Any, model_id: str, upload: Upload) -> None:
    dataset = upload(*chats(3)).id

    def create(_: int) -> str:
        return benchmarks.create(model_id, dataset, Sampling()).benchmark_id

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(create, range(40)))
    assert set(benchmarks.queue()) == made
    assert len(made) == 40


def test_a_restart_of_the_database_in_the_middle_of_a_benchmark_loses_nothing(
    running: Benchmark, server: Any
) -> None:
    """As the tracker does it: progress each moment, what fails is tried again the next."""
    failures: list[Exception] = []
    stop = threading.Event()

    def track() -> None:
        finished = 0
        while not stop.is_set():
            finished = min(finished + 1, 59)
            try:
                with session() as sql:
                    benchmarks.advance(
                        sql,
                        running.benchmark_id,
                        [Status.RUNNING],
                        Status.RUNNING,
                        completed=finished,
                    )
            except OperationalError as error:
                failures.append(error)
            time.sleep(0.01)

    tracker = threading.Thread(target=track)
    tracker.start()
    for index in (0, 1):
        chunk = Chunk(running.benchmark_id, index)
        chunk.open()
        rows = range(index * 32, min((index + 1) * 32, 60))
        for row in rows:
            chunk.add(record(row))
            if row == 40:
                with server.away():
                    pass
        chunk.finish()
    time.sleep(0.2)
    stop.set()
    tracker.join()

    assert scheduler.settle(running.benchmark_id, Status.COMPLETED)
    ended = benchmarks.get(running.benchmark_id)
    assert (ended.status, ended.completed, ended.failed) == (Status.COMPLETED, 60, 0)
    assert datasets.get(running.dataset_id).count == 60
    # Whoever met the restart saw an error that says so, and a connection that works thereafter.
    with session() as sql:
        assert sql.scalar(text("SELECT count(*) FROM benchmarks")) == 1
