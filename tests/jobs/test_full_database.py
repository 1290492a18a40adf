"""A database that finds no room: what a tracker has to write waits, and nothing of it is lost."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from disk import fill, small_disk
from factories import record
from sqlalchemy.exc import OperationalError

from cluster.database import engine, session
from cluster.space import is_full
from jobs import benchmarks, results, scheduler
from jobs.parts import Chunk
from jobs.schemas.benchmarks import Benchmark, Status

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def disk(benchmark: Benchmark, data_folder: Path, configure: Callable[..., None]) -> Iterator[Path]:
    """The database, with a benchmark at work, on a disk of its own."""
    storage_url = (data_folder / "storage").as_uri()
    engine().dispose()
    database = (data_folder / "benchmark_runner.db").read_bytes()
    with small_disk(data_folder / "small", 1024) as folder:
        (folder / "benchmark_runner.db").write_bytes(database)
        configure(data_folder=folder, storage_url=storage_url, min_free_bytes=0)
        engine.cache_clear()
        # Another process of the service, which has the database open all the time.
        other = sqlite3.connect(folder / "benchmark_runner.db")
        other.execute("SELECT count(*) FROM benchmarks").fetchone()
        yield folder
        other.close()
        engine().dispose()
        engine.cache_clear()


def write_until_full(benchmark_id: str) -> None:
    """SQLite still finds room in its log for a few small changes."""
    for number in range(10_000):
        with session() as sql:
            row = benchmarks.row(sql, benchmark_id)
            row.error = f"{number}" * 1000


def test_the_end_of_a_benchmark_is_written_once_there_is_room(
    benchmark: Benchmark, disk: Path
) -> None:
    for index, rows in enumerate((range(32), range(32, 64), range(64, 70))):
        chunk = Chunk(benchmark.benchmark_id, index)
        chunk.open()
        for row in rows:
            chunk.add(record(row))
        chunk.finish()
    ballast = fill(disk)
    with pytest.raises(OperationalError) as caught:
        write_until_full(benchmark.benchmark_id)
    assert is_full(caught.value)
    with pytest.raises(OperationalError) as caught:
        scheduler.settle(benchmark.benchmark_id, Status.COMPLETED)
    assert is_full(caught.value)
    assert benchmarks.get(benchmark.benchmark_id).status is Status.RUNNING
    assert results.page(benchmark.benchmark_id, 100, 0).total == 70

    ballast.unlink()
    assert scheduler.settle(benchmark.benchmark_id, Status.COMPLETED)
    ended = benchmarks.get(benchmark.benchmark_id)
    assert (ended.status, ended.completed, ended.failed) == (Status.COMPLETED, 70, 0)
