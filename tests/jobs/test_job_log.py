"""Pages of a job's log."""

import pytest

from cluster import ray_jobs
from cluster.database import session
from cluster.ray_jobs import JobStatus
from jobs import benchmarks, job_log
from jobs.errors import NotFound
from jobs.schemas.benchmarks import Status
from jobs.schemas.sampling import Sampling


@pytest.fixture
def benchmark_id(model_id, upload, monkeypatch) -> str:
    from factories import chat

    created = benchmarks.create(model_id, upload(chat("a")).id, Sampling()).benchmark_id
    with session() as sql:
        benchmarks.advance(sql, created, [Status.QUEUED], Status.RUNNING, job_id=created)
    said = "".join(f"line {i}\n" for i in range(9)) + "key br_abcdefgh" + "x" * 35 + "\n"
    monkeypatch.setattr(ray_jobs, "status", lambda _: JobStatus.RUNNING)
    monkeypatch.setattr(ray_jobs, "logs", lambda _: said)
    return created


def test_the_end_is_read_and_then_followed(benchmark_id: str) -> None:
    end = job_log.read(benchmark_id, None, 2)
    assert end.lines == ["line 8", "key br_abcdefgh…"]
    assert (end.first, end.next, end.total) == (8, 10, 10)
    assert job_log.read(benchmark_id, end.next, 2).lines == []


def test_a_page_from_the_middle(benchmark_id: str) -> None:
    page = job_log.read(benchmark_id, 3, 2)
    assert (page.lines, page.next) == (["line 3", "line 4"], 5)
    assert job_log.read(benchmark_id, 99, 2).first == 10


def test_a_job_that_the_cluster_forgot(benchmark_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_jobs, "status", lambda _: None)
    assert not job_log.read(benchmark_id, None, 10).available


def test_no_such_benchmark(database: str) -> None:
    with pytest.raises(NotFound):
        job_log.read("bm_none", None, 10)
