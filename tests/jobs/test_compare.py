"""Comparisons: the join, the order, what is missing."""

# ruff: noqa: F401, F811 - fixtures are imported

from datetime import UTC, datetime, timedelta

import pytest
from ext_fixtures import (
    MODELS,
    failure,
    make_benchmark,
    place,
    record,
    request,
    store_dataset,
    write,
)

from cluster.database import session
from cluster.storage import storage
from jobs import benchmarks, datasets, graders, joins, results, scorer
from jobs.analysis import ComparisonSort
from jobs.compare import compare
from jobs.errors import NotFound, NotReady
from jobs.schemas.benchmarks import Status
from jobs.scoring import GraderDraft


@pytest.fixture
def pair(store_dataset, make_benchmark):
    """Two benchmarks of one dataset: equal, alike, wholly different, and one that failed."""
    dataset = store_dataset(
        *(request(f"r-{i}", f"Question {i}", expected=f"gold {i}") for i in range(3)),
        request("r-3", "A hidden question"),
    )
    left = ["the same answer", "a good candidate", "xyz", "an answer"]
    right = ["the same answer", "a good candidat", "an utterly other thing"]
    one = make_benchmark([record(i, text) for i, text in enumerate(left)], dataset, MODELS[0])
    two = make_benchmark(
        [*(record(i, text) for i, text in enumerate(right)), failure(3)], dataset, MODELS[1]
    )
    return [one, two]


def test_most_different_first(pair):
    found = compare(pair, 100, 0)
    assert [row.custom_id for row in found.rows] == ["r-3", "r-2", "r-1", "r-0"]
    similarities = [row.similarity for row in found.rows]
    assert similarities[0] == 0  # a failure against an answer
    assert similarities[-1] == 1
    assert similarities == sorted(similarities)
    assert 0.9 < similarities[2] < 1
    assert (found.total, found.unmatched) == (4, 0)
    assert [row.custom_id for row in compare(pair, 1, 1).rows] == ["r-2"]
    assert [row.custom_id for row in compare(pair, 1, 0, order="desc").rows] == ["r-0"]


def test_a_row_says_what_was_asked_expected_and_answered(pair):
    results.mark(pair[1], 0)
    found = compare(pair, 100, 0, sort=ComparisonSort.ROW_ID)
    first, last = found.rows[0], found.rows[3]
    assert (first.prompt, first.expected, first.row_id) == ("Question 0", "gold 0", 0)
    assert [one and (one.benchmark_id, one.text, one.golden) for one in first.results] == [
        (pair[0], "the same answer", False),
        (pair[1], "the same answer", True),
    ]
    assert last.expected is None
    assert [one and one.status_code for one in last.results] == [200, 400]
    assert [one.benchmark.benchmark_id for one in found.benchmarks] == pair
    assert [one.statistics.failed for one in found.benchmarks] == [0, 1]


@pytest.mark.parametrize(
    ("q", "rows"),
    [
        ("UTTERLY", ["r-2"]),
        ("hidden", ["r-3"]),
        ("r-1", ["r-1"]),
        ("rejected", ["r-3"]),
        ("%", []),
        ("role", []),
    ],
)
def test_search(pair, q, rows):
    found = compare(pair, 100, 0, q=q)
    assert ([row.custom_id for row in found.rows], found.total) == (rows, len(rows))
    assert [one.statistics.count for one in found.benchmarks] == [4, 4]


def test_across_datasets_and_while_running(store_dataset, make_benchmark):
    other = store_dataset(*(request(f"r-{i}") for i in (5, 0, 1)))
    one = make_benchmark([record(i) for i in range(2)], status=Status.RUNNING, ended=False)
    two = make_benchmark(
        [record(i, custom_id=f"r-{own}") for i, own in enumerate((5, 0, 1))], other, MODELS[1]
    )
    found = compare([one, two], 100, 0)
    assert (found.total, found.unmatched) == (3, 1)
    assert [(row.custom_id, row.similarity) for row in found.rows] == [
        ("r-5", 0.0),
        ("r-0", 1.0),
        ("r-1", 1.0),
    ]
    assert [one and one.row_id for one in found.rows[1].results] == [0, 1]
    assert found.rows[0].results[0] is None
    assert found.rows[0].prompt == "Hello"


def test_three_are_compared_in_pairs(make_benchmark):
    ids = [
        make_benchmark([record(0, text)], model=model)
        for text, model in zip(("same", "same", None), MODELS, strict=True)
    ]
    (row,) = compare(ids, 100, 0).rows
    assert row.similarity == pytest.approx(1 / 3)


def test_a_difference_beyond_the_compared_characters_counts(make_benchmark):
    beginning = "word " * 100
    ids = [make_benchmark([record(0, beginning + end)]) for end in ("a", "b")]
    (row,) = compare(ids, 100, 0).rows
    assert row.similarity == pytest.approx(0.99)


def test_missing_in_both_is_alike(make_benchmark):
    ids = [make_benchmark([failure(0, "a")]), make_benchmark([failure(0, "b")])]
    (row,) = compare(ids, 100, 0).rows
    assert row.similarity == 1


def test_deleted_dataset(pair):
    (dataset_id,) = {one.benchmark.dataset_id for one in compare(pair, 1, 0).benchmarks}
    datasets.delete(dataset_id)
    found = compare(pair, 100, 0)
    assert found.total == 4
    assert {(row.prompt, row.expected) for row in found.rows} == {("", None)}


def test_unknown_benchmark(pair):
    with pytest.raises(NotFound):
        compare([pair[0], "bm_none"], 100, 0)


def test_a_row_says_how_far_its_answers_agree(make_benchmark):
    left = ["Yes.", "Yes.", "Yes.", "Yes."]
    right = ["Yes.", "yes", "No."]
    ids = [make_benchmark([record(i, text) for i, text in enumerate(left)])]
    ids.append(make_benchmark([*(record(i, text) for i, text in enumerate(right)), failure(3)]))
    rows = compare(ids, 10, 0, sort=ComparisonSort.ROW_ID).rows
    assert [row.agreement for row in rows] == ["exact", "normalized", "different", "incomplete"]


def test_differences_word_by_word_on_request(pair):
    found = compare(pair, 100, 0, sort=ComparisonSort.ROW_ID, diff_from=0)
    own, other = found.rows[1].results
    assert own is not None
    assert other is not None
    assert [(one.kind, one.text) for one in own.diff or []] == [("same", "a good candidate")]
    assert [(one.kind, one.text) for one in other.diff or []] == [
        ("same", "a good "),
        ("removed", "candidate"),
        ("added", "candidat"),
    ]
    failed = found.rows[3].results[1]
    assert failed is not None
    assert failed.diff is None
    plain = compare(pair, 1, 0).rows[0].results[0]
    assert plain is not None
    assert plain.diff is None


def test_pages_of_ended_benchmarks_come_from_a_kept_join(pair, make_benchmark):
    folder = f"benchmarks/{pair[0]}/joins"
    assert storage().list(folder) == []
    first = compare(pair, 2, 1)
    (kept,) = [name for name in storage().list(folder) if name.endswith(".parquet")]
    before = storage().path(f"{folder}/{kept}").stat().st_mtime_ns
    assert compare(pair, 2, 1) == first
    assert storage().path(f"{folder}/{kept}").stat().st_mtime_ns == before
    every = [row.custom_id for row in compare(pair, 100, 0).rows]
    for order in ("asc", "desc"):
        in_order = every if order == "asc" else every[::-1]
        for offset in range(6):
            rows = compare(pair, 2, offset, order=order).rows
            assert [row.custom_id for row in rows] == in_order[offset : offset + 2]


def test_what_is_asked_again_is_joined_anew(pair):
    compare(pair, 1, 0)
    with session() as sql:
        row = benchmarks.row(sql, pair[1])
        row.completed_at = (row.completed_at or datetime.now(UTC)) + timedelta(seconds=1)
    storage().delete(f"benchmarks/{pair[1]}/parts/0000000.parquet")
    write(pair[1], [record(i, "the same answer") for i in range(4)])
    assert compare(pair, 100, 0).rows[-1].custom_id == "r-0"
    assert len(storage().list(f"benchmarks/{pair[0]}/joins")) == 4  # two joins, each with figures


def test_old_joins_go(pair, make_benchmark, monkeypatch):
    monkeypatch.setattr(joins, "_KEPT", 2)
    for _ in range(3):
        compare([pair[0], make_benchmark([record(0)])], 1, 0)
    assert len(storage().list(f"benchmarks/{pair[0]}/joins")) == 4


def test_scores_stand_beside_the_answers(pair, make_benchmark):
    (dataset_id,) = {one.benchmark.dataset_id for one in compare(pair, 1, 0).benchmarks}
    spec = {"kind": "contains", "field": "expected"}
    made = graders.create(GraderDraft(name="right", dataset_id=dataset_id, spec=spec))
    for benchmark_id in pair:
        scorer.refresh(benchmark_id)
    found = compare(pair, 100, 0, sort=ComparisonSort.ROW_ID)
    assert [one.scores[0].mean for one in found.benchmarks] == [0, 0]
    first, last = found.rows[0].results[0], found.rows[3].results[1]
    assert first is not None
    assert last is not None
    assert first.scores[made.grader_id].value == 0
    assert "400" in (last.scores[made.grader_id].error or "")


def test_a_comparison_in_runs_of_rows_is_the_same(pair, monkeypatch):
    whole = compare(pair, 100, 0)
    for one in pair:
        storage().delete(f"benchmarks/{one}/joins")
    monkeypatch.setattr(joins, "_RUN_ROWS", 1)
    assert compare(pair, 100, 0) == whole


def test_what_takes_long_is_prepared_in_the_background(pair):
    with pytest.raises(NotReady) as caught:
        compare(pair, 100, 0, patience=0)
    assert 0 <= caught.value.details["progress"] <= 1
    assert compare(pair, 100, 0, patience=None).total == 4
    assert compare(pair, 100, 0, patience=0).total == 4


def test_a_large_comparison_of_live_benchmarks_is_in_the_order_of_rows(
    pair, make_benchmark, store_dataset, monkeypatch
):
    monkeypatch.setattr(joins, "_LIVE_PAIRS", 1)
    dataset = datasets.get(benchmarks.get(pair[0]).dataset_id)
    live = make_benchmark(
        [record(0, "something else")], dataset, status=Status.RUNNING, ended=False
    )
    found = compare([pair[0], live], 100, 0)
    assert [row.row_id for row in found.rows] == [0, 1, 2, 3]
    assert found.rows[0].similarity < 1
    assert joins.agreements([benchmarks.get(pair[0]), benchmarks.get(live)], 0) == []
