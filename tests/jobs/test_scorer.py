"""Scores appear beside results and follow them; none is ever that of another answer."""

# ruff: noqa: F401, F811 - fixtures are imported

import pytest
from ext_fixtures import failure, make_benchmark, place, record, request, store_dataset, write

from cluster.database import session
from cluster.storage import storage
from jobs import backlog, benchmarks, datasets, graders, queries, scorer, scores
from jobs.errors import Conflict, InvalidRequest, NotFound
from jobs.schemas.benchmarks import Status
from jobs.scoring import Exact, GraderDraft, Normalized, ScoreState


@pytest.fixture
def dataset(store_dataset):
    return store_dataset(*(request(f"r-{i}", f"Q {i}", expected="yes") for i in range(40)))


def grader(dataset, **spec):
    return graders.create(
        GraderDraft(name="right", dataset_id=dataset.id, spec=spec or {"kind": "exact"})
    )


def summaries(benchmark_id):
    return [scores.summary(one) for one in scores.columns(benchmarks.get(benchmark_id))]


def by_row(benchmark_id):
    with queries.connect() as db:
        of = queries.source(db, benchmark_id)
        rows = queries.fetch(db, of, range(of.spec.total)).values()
        columns = scores.columns(benchmarks.get(benchmark_id))
        found = scores.of_rows(db, columns, rows)
    return {row: [(s.value, s.error) for s in own.values()] for row, own in found.items()}


def test_an_ended_benchmark(dataset, make_benchmark):
    rows = [*(record(i, "yes" if i % 4 else "no") for i in range(39)), failure(39)]
    benchmark_id = make_benchmark(rows, dataset)
    grader(dataset)
    (before,) = summaries(benchmark_id)
    assert (before.state, before.scored, before.mean) == (ScoreState.PENDING, 0, None)
    scorer.refresh(benchmark_id)
    (after,) = summaries(benchmark_id)
    assert (after.state, after.scored, after.errors) == (ScoreState.COMPLETE, 39, 1)
    assert after.mean == pytest.approx(29 / 39)
    assert after.interval is not None
    assert after.interval.low < 29 / 39 < after.interval.high
    found = by_row(benchmark_id)
    assert found[0] == [(0.0, None)]
    assert found[1] == [(1.0, None)]
    assert found[39] == [(None, "The request failed with status 400.")]


def test_while_it_runs_finished_chunks_are_scored(dataset, make_benchmark):
    benchmark_id = make_benchmark(
        [record(i, "yes") for i in range(36)], dataset, status=Status.RUNNING, ended=False
    )
    grader(dataset)
    scorer.refresh(benchmark_id)
    (found,) = summaries(benchmark_id)
    assert (found.state, found.scored) == (ScoreState.PENDING, 32)
    assert by_row(benchmark_id)[35] == []


def test_what_a_cancelled_benchmark_left_unfinished_is_scored(dataset, make_benchmark):
    benchmark_id = make_benchmark(
        [record(i, "yes") for i in range(36)], dataset, status=Status.CANCELLED, ended=False
    )
    grader(dataset)
    scorer.refresh(benchmark_id)
    (found,) = summaries(benchmark_id)
    assert (found.state, found.scored) == (ScoreState.COMPLETE, 36)


def test_an_answer_asked_anew_has_no_score_of_the_old_one(dataset, make_benchmark):
    benchmark_id = make_benchmark(
        [record(i, "yes") for i in range(40)], dataset, status=Status.RUNNING
    )
    grader(dataset)
    scorer.refresh(benchmark_id)
    assert by_row(benchmark_id)[39] == [(1.0, None)]
    # As jobs.retry does: the chunk is written anew.
    storage().delete(f"benchmarks/{benchmark_id}/parts/0000001.parquet")
    write(benchmark_id, [record(i, "no", finished_at=9e8 + i) for i in range(32, 40)])
    assert by_row(benchmark_id)[39] == []
    scorer.refresh(benchmark_id)
    found = by_row(benchmark_id)
    assert (found[0], found[39]) == ([(1.0, None)], [(0.0, None)])


def test_a_changed_grader_is_computed_anew_and_the_old_scores_go(dataset, make_benchmark):
    benchmark_id = make_benchmark([record(0, "Yes!")], dataset)
    made = grader(dataset)
    scorer.refresh(benchmark_id)
    assert by_row(benchmark_id)[0] == [(0.0, None)]
    graders.replace(made.grader_id, Normalized(kind="normalized"))
    assert by_row(benchmark_id)[0] == []
    scorer.refresh(benchmark_id)
    assert by_row(benchmark_id)[0] == [(1.0, None)]
    assert len(storage().list(f"benchmarks/{benchmark_id}/scores")) == 1
    graders.delete(made.grader_id)
    assert summaries(benchmark_id) == []
    scorer.refresh(benchmark_id)
    assert storage().list(f"benchmarks/{benchmark_id}/scores") == []


def test_recomputing_makes_all_scores_anew(dataset, make_benchmark):
    benchmark_id = make_benchmark([record(0, "yes")], dataset)
    made = grader(dataset)
    scorer.refresh(benchmark_id)
    assert graders.recompute(made.grader_id).revision == 2
    assert by_row(benchmark_id)[0] == []
    scorer.refresh(benchmark_id)
    assert by_row(benchmark_id)[0] == [(1.0, None)]
    assert len(storage().list(f"benchmarks/{benchmark_id}/scores")) == 1


def test_a_deleted_dataset_leaves_the_scores_that_there_are(dataset, make_benchmark):
    benchmark_id = make_benchmark([record(0, "yes")], dataset)
    grader(dataset)
    scorer.refresh(benchmark_id)
    datasets.delete(dataset.id)
    scorer.refresh(benchmark_id)
    assert by_row(benchmark_id)[0] == [(1.0, None)]


def test_a_deleted_dataset_without_benchmarks_takes_its_graders_along(dataset):
    made = grader(dataset)
    datasets.delete(dataset.id)
    with pytest.raises(NotFound):
        graders.get(made.grader_id)


def test_a_grader_of_one_benchmark_is_of_no_other(dataset, make_benchmark):
    one, other = (make_benchmark([record(0, "yes")], dataset) for _ in range(2))
    graders.create(GraderDraft(name="own", benchmark_id=one, spec=Exact(kind="exact")))
    grader(dataset)
    assert [found.grader.name for found in summaries(one)] == ["own", "right"]
    assert [found.grader.name for found in summaries(other)] == ["right"]
    assert graders.all_graders(10, 0, benchmark_id=one)[1] == 2
    assert graders.all_graders(10, 0, dataset_id=dataset.id)[1] == 1
    assert graders.all_graders(1, 1)[0][0].name == "right"


def test_what_is_refused(dataset, make_benchmark):
    grader(dataset)
    with pytest.raises(Conflict, match="already"):
        grader(dataset)
    with pytest.raises(NotFound):
        graders.create(GraderDraft(name="x", dataset_id="ds_no", spec=Exact(kind="exact")))
    with pytest.raises(NotFound):
        graders.create(GraderDraft(name="x", benchmark_id="bm_no", spec=Exact(kind="exact")))
    with pytest.raises(InvalidRequest):
        graders.create(
            GraderDraft(name="x", dataset_id=dataset.id, spec={"kind": "regex", "pattern": "(?=x)"})
        )
    with pytest.raises(NotFound):
        graders.get("gr_no")
    with pytest.raises(NotFound):
        scores.find(benchmarks.get(make_benchmark([record(0)], dataset)), "gr_no")


def test_what_is_due_changes_with_graders_and_results(dataset, make_benchmark):
    benchmark_id = make_benchmark([record(0, "yes")], dataset)
    make_benchmark([record(0, "yes")])
    assert list(backlog.due()) == []
    made = grader(dataset)
    ((due, state),) = backlog.due()
    assert due == benchmark_id
    graders.replace(made.grader_id, Normalized(kind="normalized"))
    ((_, changed),) = backlog.due()
    assert changed != state
    graders.recompute(made.grader_id)
    assert [state for _, state in backlog.due()] != [changed]
    with session() as sql:
        benchmarks.row(sql, benchmark_id).completed = 5
    ((_, grown),) = backlog.due()
    assert grown != changed
    assert list(backlog.due()) == list(backlog.due())
