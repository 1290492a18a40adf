"""Judges: what they are asked, how their verdicts are read, and whose scores these become."""

# ruff: noqa: F401, F811 - fixtures are imported

import orjson
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
from jobs import benchmarks, datasets, graders, judgements, judging, queries, scorer, scores
from jobs.errors import Conflict, InvalidRequest, NotFound
from jobs.judging import NoVerdict, Verdict
from jobs.schemas.benchmarks import Status
from jobs.schemas.datasets import Kind
from jobs.scoring import GraderDraft, Judge, JudgeRequest, ScoreState

POINTWISE = Judge(kind="judge", model_id=MODELS[2])
PAIRWISE = Judge(kind="judge", model_id=MODELS[2], mode="pairwise", reason=False)


@pytest.fixture
def dataset(store_dataset):
    return store_dataset(
        *(request(f"r-{i}", f"Question {i}", expected=f"Right {i}") for i in range(3))
    )


@pytest.fixture
def pair(dataset, make_benchmark):
    one = make_benchmark([record(i, f"left {i}") for i in range(3)], dataset, MODELS[0])
    two = make_benchmark(
        [*(record(i, f"right {i}") for i in range(2)), failure(2)], dataset, MODELS[1]
    )
    return one, two


def make_grader(dataset, spec):
    return graders.create(GraderDraft(name="taste", dataset_id=dataset.id, spec=spec)).grader_id


def asked(judge):
    return [one.body["messages"][-1]["content"] for one in requests(judge)]


def requests(judge):
    return datasets.page(judge.dataset_id, 100, 0).requests


def answer(judge, texts, status=Status.COMPLETED):
    """End a judge's benchmark with these answers; none: the row was not reached."""
    lines = requests(judge)
    rows = [
        record(i, text, custom_id=lines[i].custom_id)
        for i, text in enumerate(texts)
        if text is not None
    ]
    write(judge.benchmark_id, rows)
    with session() as sql:
        benchmarks.advance(sql, judge.benchmark_id, [Status.QUEUED], Status.RUNNING)
    benchmarks.end(judge.benchmark_id, status)


def found(benchmark_id):
    (column,) = scores.columns(benchmarks.get(benchmark_id))
    with queries.connect() as db:
        of = queries.source(db, benchmark_id)
        rows = queries.fetch(db, of, range(3)).values()
        of_rows = scores.of_rows(db, [column], rows)
    return column, [of_rows[row].get(column.key) for row in range(3)]


def test_each_answer_is_judged_by_itself(dataset, pair):
    grader_id = make_grader(dataset, POINTWISE)
    judge = judgements.start(pair[0], JudgeRequest(grader_id=grader_id))
    assert (judge.kind, judge.model_id, judge.total) == (Kind.JUDGE, MODELS[2], 3)
    assert judge.sampling.temperature == 0
    first = asked(judge)[0]
    for shown in ("user: Question 0", "<answer>\nleft 0\n</answer>", "Right 0", "from 1 (worst)"):
        assert shown in first
    answer(
        judge,
        ['{"reason": "fine", "level": 4}', '{"reason": "", "level": 9}', "I would say four"],
    )
    scorer.refresh(pair[0])
    column, (good, beyond, prose) = found(pair[0])
    assert (good.value, good.note, good.error) == (0.75, "level 4: fine", None)
    assert beyond.value is prose.value is None
    assert "not one of 1 to 5" in beyond.error
    assert "not JSON: I would say four" in prose.error
    summary = scores.summary(column)
    assert (summary.state, summary.scored, summary.errors) == (ScoreState.COMPLETE, 1, 2)
    assert summary.judge_id == judge.benchmark_id


def test_a_pair_is_judged_from_both_sides(dataset, pair):
    grader_id = make_grader(dataset, PAIRWISE)
    judge = judgements.start(pair[0], JudgeRequest(grader_id=grader_id, against_id=pair[1]))
    texts = asked(judge)
    assert len(texts) == 4  # of the third row, one side has no answer
    assert "<answer_A>\nleft 0\n</answer_A>" in texts[0]
    assert "<answer_A>\nright 0\n</answer_A>" in texts[1]
    answer(judge, ['{"better": "A"}', '{"better": "B"}', '{"better": "A"}', '{"better": "A"}'])
    for benchmark_id in pair:
        scorer.refresh(benchmark_id)
    left, (won, by_position, unjudged) = found(pair[0])
    right, (lost, _, _) = found(pair[1])
    assert (won.value, lost.value) == (1, 0)
    assert by_position.value == 0.5
    assert by_position.note.startswith("the judge chose by position")
    assert unjudged is None
    assert (left.key, right.key) == (f"{grader_id}:{pair[1]}", f"{grader_id}:{pair[0]}")


def test_what_the_judge_did_not_reach_says_so(dataset, pair):
    judge = judgements.start(pair[0], JudgeRequest(grader_id=make_grader(dataset, POINTWISE)))
    answer(judge, ['{"reason": "", "level": 1}', None, None], Status.CANCELLED)
    scorer.refresh(pair[0])
    column, (first, second, _) = found(pair[0])
    assert first.value == 0
    assert "before it came to this row" in second.error
    assert scores.summary(column).state is ScoreState.FAILED


def test_a_judge_at_work_has_given_no_scores(dataset, pair):
    judge = judgements.start(pair[0], JudgeRequest(grader_id=make_grader(dataset, POINTWISE)))
    scorer.refresh(pair[0])
    column, values = found(pair[0])
    assert values == [None] * 3
    assert scores.summary(column).state is ScoreState.PENDING
    with pytest.raises(Conflict):
        benchmarks.delete(pair[0])
    answer(judge, ['{"reason": "", "level": 1}'] * 3)
    benchmarks.delete(pair[0])
    with pytest.raises(NotFound):
        benchmarks.get(judge.benchmark_id)
    assert storage().list(f"datasets/{judge.dataset_id}") == []
    assert storage().list(f"datasets/{dataset.id}") != []


def test_the_newest_judgement_counts_and_a_changed_judge_has_none(dataset, pair):
    grader_id = make_grader(dataset, POINTWISE)
    for level in (1, 5):
        judge = judgements.start(pair[0], JudgeRequest(grader_id=grader_id))
        answer(judge, [f'{{"reason": "", "level": {level}}}'] * 3)
        scorer.refresh(pair[0])
        assert found(pair[0])[1][0].value == (level - 1) / 4
    graders.replace(grader_id, POINTWISE.model_copy(update={"levels": 3}))
    assert scores.columns(benchmarks.get(pair[0])) == []


def test_the_same_rows_of_every_benchmark_are_drawn(dataset, pair):
    spec = POINTWISE.model_copy(update={"most_rows": 2})
    grader_id = make_grader(dataset, spec)
    drawn = []
    for benchmark_id in pair:
        judge = judgements.start(benchmark_id, JudgeRequest(grader_id=grader_id))
        drawn.append([one.extra["metadata"]["custom_id"] for one in requests(judge)])
    # Of the second benchmark r-2 has failed.
    assert set(drawn[0]) - {"r-2"} <= set(drawn[1])
    assert len(drawn[0]) == 2


def test_judges_are_not_among_ordinary_benchmarks_and_datasets(dataset, pair):
    judgements.start(pair[0], JudgeRequest(grader_id=make_grader(dataset, POINTWISE)))
    assert benchmarks.all_benchmarks(10, 0)[1] == 2
    assert benchmarks.all_benchmarks(10, 0, kind=Kind.JUDGE)[1] == 1
    assert benchmarks.all_benchmarks(10, 0, kind=None)[1] == 3
    assert [one.id for one in datasets.all_datasets(10, 0)[0]] == [dataset.id]


def test_what_is_refused(dataset, pair, make_benchmark, store_dataset):
    grader_id = make_grader(dataset, POINTWISE)
    with pytest.raises(InvalidRequest, match="takes no `against_id`"):
        judgements.start(pair[0], JudgeRequest(grader_id=grader_id, against_id=pair[1]))
    other = make_benchmark([record(0)], status=Status.RUNNING)
    with pytest.raises(Conflict, match="once it has ended"):
        judgements.start(other, JudgeRequest(grader_id=grader_id))
    ended = make_benchmark([record(0)])
    with pytest.raises(InvalidRequest, match="is not of benchmark"):
        judgements.start(ended, JudgeRequest(grader_id=grader_id))
    exact = GraderDraft(name="exact", dataset_id=dataset.id, spec={"kind": "exact"})
    with pytest.raises(InvalidRequest, match="is no judge"):
        judgements.start(pair[0], JudgeRequest(grader_id=graders.create(exact).grader_id))
    failed = make_benchmark([failure(0)], dataset)
    with pytest.raises(InvalidRequest, match="No row"):
        judgements.start(failed, JudgeRequest(grader_id=grader_id))
    with pytest.raises(NotFound):
        make_grader(store_dataset(request("x")), POINTWISE.model_copy(update={"model_id": "no"}))


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "5",
        "[5]",
        '{"level": 3}',
        '{"reason": "x", "level": "3"}',
        '{"reason": "x", "level": true}',
        '{"reason": "x", "level": 0}',
        '{"reason": "x", "level": 6}',
        '{"reason": "x", "level": 3.0}',
        '{"reason": 1, "level": 3}',
        '{"reason": "x", "level": 3, "more": 1}',
        'Sure! {"reason": "x", "level": 3}',
    ],
)
def test_a_verdict_is_read_strictly(text):
    with pytest.raises(NoVerdict):
        judging.read(POINTWISE, text)


@pytest.mark.parametrize("text", ['{"better": "a"}', '{"better": null}', '{"better": ["A"]}'])
def test_a_choice_is_read_strictly(text):
    with pytest.raises(NoVerdict):
        judging.read(PAIRWISE, text)


def test_both_sides_make_one_verdict():
    a, b, tie = (Verdict(value, "") for value in (1.0, 0.0, 0.5))
    assert judging.merged(a, b).value == 1
    assert judging.merged(b, a).value == 0
    assert judging.merged(a, a).value == 0.5
    assert judging.merged(a, tie).value == 0.75


def test_the_verdicts_schema_is_one_that_only_verdicts_fit():
    body = judging.pointwise(POINTWISE, [{"role": "user", "content": "Hi"}], "Hello {x}", None)
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["level"] == {"enum": [1, 2, 3, 4, 5]}
    assert list(schema["properties"]) == ["reason", "level"]  # reason first, then the verdict
    assert "reference" not in body["messages"][1]["content"]
    assert orjson.dumps(body)
