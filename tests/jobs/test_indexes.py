"""When there is an index, and of what. That lists are the same with and without one is tested of
every query in ``serve_app/test_results_query.py``."""

# ruff: noqa: F401, F811 - fixtures are imported

from datetime import UTC, datetime

import pytest
from ext_fixtures import failure, make_benchmark, place, record, store_dataset, write

from cluster import cache
from cluster.database import session
from cluster.storage import storage
from jobs import benchmarks, datasets, indexes, queries, results, retry
from jobs.analysis import ResultFilter, Sort
from jobs.schemas.benchmarks import Status


@pytest.fixture(autouse=True)
def _of_anything(monkeypatch):
    monkeypatch.setattr(indexes, "_FROM_ROWS", 3)
    monkeypatch.setattr(indexes, "_PATIENCE", None)


def listed(benchmark_id, **only):
    page = results.page(benchmark_id, 10, 0, ResultFilter(**only), Sort.LATENCY_MS, "desc")
    return [row.row_id for row in page.results]


def kept(owner):
    folder = cache.path(owner, "")
    return [path.name for path in folder.iterdir()] if folder.exists() else []


def test_it_is_read_instead_of_the_parts(make_benchmark, monkeypatch):
    ended = make_benchmark([record(i, latency_ms=float(i)) for i in range(4)])
    assert listed(ended) == [3, 2, 1, 0]
    monkeypatch.setattr(queries, "results", None)  # what makes the relation of all parts
    assert listed(ended, q="question 2") == [2]
    assert len(kept(ended)) == 1


def test_of_what_is_small_or_at_work_there_is_none(make_benchmark):
    small = make_benchmark([record(0), record(1)])
    working = make_benchmark([record(i) for i in range(4)], status=Status.RUNNING)
    assert len(listed(small)) == 2
    assert len(listed(working)) == 4
    assert kept(small) == kept(working) == []


def test_what_a_retry_changes_has_another(make_benchmark):
    rows = [*(record(i) for i in range(3)), failure(3)]
    benchmark_id = make_benchmark(rows)
    assert listed(benchmark_id, outcome="failed") == [3]
    before = kept(benchmark_id)

    retry.retry_failed(benchmark_id)
    write(benchmark_id, [record(3)])
    assert listed(benchmark_id, outcome="failed") == []
    with session() as sql:
        now = datetime.now(UTC)
        benchmarks.advance(sql, benchmark_id, [Status.QUEUED], Status.COMPLETED, completed_at=now)
    assert listed(benchmark_id, outcome="failed") == []
    assert len(listed(benchmark_id)) == 4
    assert len(kept(benchmark_id)) == 1
    assert kept(benchmark_id) != before


def test_who_reads_does_without_one_that_cannot_be_made(make_benchmark, monkeypatch):
    ended = make_benchmark([record(i, latency_ms=float(i)) for i in range(4)])
    tried = []

    def full(*_):
        tried.append(1)
        raise OSError("No space left on device")

    monkeypatch.setattr(indexes, "_build", full)
    assert listed(ended) == listed(ended) == [3, 2, 1, 0]
    assert len(tried) == 1  # and not again for a while
    assert kept(ended) == []


def test_only_so_many_files_stay_open_and_the_newest(make_benchmark, monkeypatch):
    monkeypatch.setattr(queries, "_ATTACHED", 1)
    each = [make_benchmark([record(i, latency_ms=float(i)) for i in range(4)]) for _ in range(3)]
    for benchmark_id in each:
        assert listed(benchmark_id) == [3, 2, 1, 0]
    with queries.connect() as db:
        open_ = db.execute(
            "SELECT path FROM duckdb_databases() WHERE starts_with(database_name, 'file_')"
        ).fetchall()
    assert {each.index(path.split("/")[-2]) for (path,) in open_} == {1, 2}
    assert listed(each[0]) == [3, 2, 1, 0]


def test_it_goes_with_its_benchmark(make_benchmark):
    ended = make_benchmark([record(i) for i in range(4)])
    assert len(listed(ended)) == 4
    assert kept(ended)
    benchmarks.delete(ended)
    assert kept(ended) == []


def test_nothing_is_made_of_a_dataset_that_was_deleted(make_benchmark, store_dataset):
    benchmark_id = make_benchmark([record(i) for i in range(4)])
    (dataset_id,) = storage().list("datasets")
    assert listed(benchmark_id, q="question") == [0, 1, 2, 3]
    assert kept(dataset_id)
    datasets.delete(dataset_id)
    assert listed(benchmark_id, q="question") == []
    assert listed(benchmark_id, q="yes") == [0, 1, 2, 3]
    assert kept(dataset_id) == []
