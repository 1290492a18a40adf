"""Marks on results: made, taken away, and gone with their benchmark."""

# ruff: noqa: F401, F811 - fixtures are imported

import pytest
from ext_fixtures import make_benchmark, place, record, store_dataset
from sqlalchemy import func, select

from cluster.database import session
from jobs import benchmarks, golden, marks, results
from jobs.analysis import ResultFilter
from jobs.errors import NotFound
from jobs.models import MarkRow


def test_mark_and_unmark(make_benchmark):
    benchmark_id = make_benchmark([record(0), record(1)])
    for _ in range(2):
        assert results.mark(benchmark_id, 1).golden
    assert set(marks.kinds(benchmark_id)) == {1}
    assert [one.golden for one in results.page(benchmark_id, 10, 0).results] == [False, True]
    assert results.get(benchmark_id, 1).result.golden
    for _ in range(2):
        assert not golden.unmark(benchmark_id, 1).golden
    assert set(marks.kinds(benchmark_id)) == set()


def test_a_mark_needs_a_result(make_benchmark):
    benchmark_id = make_benchmark([record(0)])
    with pytest.raises(NotFound) as caught:
        results.mark(benchmark_id, 1)
    assert caught.value.code == "result_not_found"
    for call in (lambda: results.mark("bm_none", 0), lambda: golden.unmark("bm_none", 0)):
        with pytest.raises(NotFound) as caught:
            call()
        assert caught.value.code == "benchmark_not_found"


def test_filter(make_benchmark):
    benchmark_id = make_benchmark([record(row_id) for row_id in range(40)])
    results.mark(benchmark_id, 33)
    page = results.page(benchmark_id, 100, 0, ResultFilter(golden=True))
    assert ([one.row_id for one in page.results], page.total) == ([33], 1)
    assert results.page(benchmark_id, 100, 0, ResultFilter(golden=False)).total == 39


def test_marks_go_with_their_benchmark(make_benchmark):
    kept, deleted = make_benchmark([record(0)]), make_benchmark([record(0)])
    for benchmark_id in (kept, deleted):
        results.mark(benchmark_id, 0)
    benchmarks.delete(deleted)
    with session() as sql:
        assert sql.scalar(select(func.count()).select_from(MarkRow)) == 1
    assert set(marks.kinds(kept)) == {0}
