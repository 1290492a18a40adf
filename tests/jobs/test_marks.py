"""Marks of every kind: recorded with who and when, filtered by, and kept by a retry."""

# ruff: noqa: F401, F811 - fixtures are imported

import pytest
from ext_fixtures import failure, make_benchmark, place, record, store_dataset
from pydantic import ValidationError

from jobs import compare, golden, marks, results, retry
from jobs.analysis import ResultFilter
from jobs.errors import NotFound
from jobs.schemas.marks import Marking, MarkKind

FIX = Marking(kind=MarkKind.FIX, response="Yes.", note="one word")
WRONG = Marking(kind=MarkKind.WRONG)
GOLDEN = Marking(kind=MarkKind.GOLDEN)


def test_a_mark_says_what_who_and_when(make_benchmark):
    benchmark_id = make_benchmark([record(0), record(1)])
    made = results.judge(benchmark_id, 1, FIX, "Ada")
    assert (made.kind, made.response, made.note, made.author) == (
        MarkKind.FIX,
        "Yes.",
        "one word",
        "Ada",
    )
    assert made.created_at == made.updated_at
    assert results.get(benchmark_id, 1).result.mark == made
    first, second = results.page(benchmark_id, 10, 0).results
    assert (first.mark, second.mark, second.golden) == (None, made, False)
    assert marks.page(benchmark_id, 10, 0).marks == [made]


def test_a_later_mark_replaces_an_earlier_one(make_benchmark):
    benchmark_id = make_benchmark([record(0)])
    before = results.judge(benchmark_id, 0, FIX, "Ada")
    after = results.judge(benchmark_id, 0, WRONG, "Grace")
    assert (after.kind, after.response, after.note, after.author) == (
        MarkKind.WRONG,
        None,
        None,
        "Grace",
    )
    assert after.created_at == before.created_at < after.updated_at
    assert marks.page(benchmark_id, 10, 0).total == 1
    marks.remove(benchmark_id, 0)
    marks.remove(benchmark_id, 0)
    assert results.get(benchmark_id, 0).result.mark is None


def test_golden_is_a_kind_of_mark(make_benchmark):
    benchmark_id = make_benchmark([record(0), record(1)])
    results.judge(benchmark_id, 0, FIX, "Ada")
    golden.unmark(benchmark_id, 0)
    assert marks.kinds(benchmark_id) == {0: MarkKind.FIX}
    results.mark(benchmark_id, 0, "Grace")
    (kept,) = marks.of(benchmark_id, [0]).values()
    assert (kept.kind, kept.response, kept.note, kept.author) == (
        MarkKind.GOLDEN,
        "Yes.",
        "one word",
        "Grace",
    )
    results.mark(benchmark_id, 0, "Ada")
    assert marks.of(benchmark_id, [0]) == {0: kept}
    golden.unmark(benchmark_id, 0)
    assert marks.kinds(benchmark_id) == {}


@pytest.mark.parametrize("response", [None, ""])
def test_a_fix_needs_a_response(response):
    with pytest.raises(ValidationError, match="what the answer should have been"):
        Marking(kind=MarkKind.FIX, response=response)


def test_filter_and_pages(make_benchmark):
    benchmark_id = make_benchmark([record(row_id) for row_id in range(40)])
    results.judge(benchmark_id, 33, FIX, None)
    results.judge(benchmark_id, 2, WRONG, None)
    results.judge(benchmark_id, 5, WRONG, None)
    page = results.page(benchmark_id, 100, 0, ResultFilter(mark=MarkKind.WRONG))
    assert ([one.row_id for one in page.results], page.total) == ([2, 5], 2)
    listed = marks.page(benchmark_id, 1, 1, MarkKind.WRONG)
    assert ([one.row_id for one in listed.marks], listed.total) == ([5], 2)
    assert [one.row_id for one in marks.page(benchmark_id, 10, 0).marks] == [2, 5, 33]


def test_a_comparison_shows_them(make_benchmark):
    benchmark_id = make_benchmark([record(0), record(1)])
    results.judge(benchmark_id, 1, WRONG, None)
    other = make_benchmark([record(0), record(1)])
    shown = compare.compare([benchmark_id, other], 10, 0).rows
    assert {row.row_id: [one and one.mark for one in row.results] for row in shown} == {
        0: [None, None],
        1: [MarkKind.WRONG, None],
    }


def test_a_retry_takes_the_marks_of_the_answers_that_go_and_no_others(make_benchmark):
    benchmark_id = make_benchmark([record(0), failure(1), record(2)])
    results.judge(benchmark_id, 0, FIX, "Ada")
    results.judge(benchmark_id, 1, WRONG, "Ada")
    results.judge(benchmark_id, 2, GOLDEN, "Ada")
    retry.retry_failed(benchmark_id)
    assert marks.kinds(benchmark_id) == {0: MarkKind.FIX, 2: MarkKind.GOLDEN}


def test_a_mark_needs_a_result(make_benchmark):
    benchmark_id = make_benchmark([record(0)])
    with pytest.raises(NotFound) as caught:
        results.judge(benchmark_id, 1, WRONG, None)
    assert caught.value.code == "result_not_found"
    for call in (
        lambda: results.judge("bm_none", 0, WRONG, None),
        lambda: marks.remove("bm_none", 0),
        lambda: marks.page("bm_none", 10, 0),
    ):
        with pytest.raises(NotFound) as caught:
            call()
        assert caught.value.code == "benchmark_not_found"
