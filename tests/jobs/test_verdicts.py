"""What a comparison shows: scores, agreement, and a model beside itself."""

# ruff: noqa: F401, F811 - fixtures are imported

import numpy as np
import pytest
from ext_fixtures import MODELS, failure, make_benchmark, place, record, request, store_dataset

from jobs import graders, scorer
from jobs.differences import Finding
from jobs.errors import NotFound
from jobs.schemas.benchmarks import Status
from jobs.scoring import GraderDraft
from jobs.verdicts import verdicts

ROWS = 100


@pytest.fixture
def dataset(store_dataset):
    return store_dataset(*(request(f"r-{i}", f"Q {i}", expected="yes") for i in range(ROWS)))


@pytest.fixture
def right(dataset):
    draft = GraderDraft(name="right", dataset_id=dataset.id, spec={"kind": "exact"})
    return graders.create(draft)


def answers(share):
    """Right in the first so many rows of a hundred."""
    return [record(i, "yes" if i < share else "no") for i in range(ROWS)]


def scored(*ids):
    for benchmark_id in ids:
        scorer.refresh(benchmark_id)
    return verdicts(ids)


def test_the_better_model_is_named(dataset, right, make_benchmark):
    one = make_benchmark(answers(60), dataset, MODELS[0])
    two = make_benchmark(answers(80), dataset, MODELS[1])
    found = scored(one, two)
    (grader,) = found.graders
    assert found.names == ["Test/One", "Test/Two"]
    assert grader.headline.startswith("Test/Two is better by 20.0 points [")
    (difference,) = grader.differences
    assert (difference.rows, difference.first_wins, difference.second_wins) == (100, 0, 20)
    assert [column and column.mean for column in grader.columns] == [0.6, 0.8]
    (pair,) = found.agreements
    assert (pair.rows, pair.exact, pair.normalized) == (100, 0.8, 0.8)


def test_a_model_against_itself_is_not_declared_different(dataset, right, make_benchmark):
    one, rerun = (make_benchmark(answers(70), dataset) for _ in range(2))
    found = scored(one, rerun)
    assert len(set(found.names)) == 2
    assert found.graders[0].differences[0].finding is Finding.NOT_SHOWN
    assert found.agreements[0].exact == 1


def test_the_noise_floor_is_a_models_difference_from_itself(dataset, right, make_benchmark):
    rng = np.random.default_rng(1)
    first, again = (
        [record(i, "yes" if flip else "no") for i, flip in enumerate(rng.random(ROWS) < 0.6)]
        for _ in range(2)
    )
    one, rerun = make_benchmark(first, dataset), make_benchmark(again, dataset)
    two = make_benchmark(answers(60), dataset, MODELS[1])
    scorer.refresh(rerun)
    found = scored(one, two)
    (noise,) = found.noise
    assert (noise.benchmark_id, noise.rerun_id) == (one, rerun)
    pairs = list(zip(first, again, strict=True))
    same = sum(a["text"] == b["text"] for a, b in pairs) / ROWS
    assert noise.agreement.exact == same
    (change,) = found.graders[0].noise
    assert change.changed == pytest.approx(1 - same)
    assert change.rows == ROWS


def test_benchmarks_of_two_datasets_meet_by_custom_id(
    dataset, right, store_dataset, make_benchmark
):
    turned = [request(f"r-{i}", f"Q {i}", expected="yes") for i in reversed(range(ROWS))]
    other = store_dataset(*turned, request("other", expected="yes"))
    graders.create(GraderDraft(name="right", dataset_id=other.id, spec={"kind": "exact"}))
    one = make_benchmark(answers(60), dataset, MODELS[0])
    rows = [
        record(i, "yes" if own < 70 else "no", custom_id=f"r-{own}")
        for i, own in enumerate(reversed(range(ROWS)))
    ]
    two = make_benchmark([*rows, record(ROWS, custom_id="other")], other, MODELS[1])
    (grader,) = scored(one, two).graders
    (difference,) = grader.differences
    assert (difference.rows, difference.first_wins, difference.second_wins) == (100, 0, 10)


def test_three_models_are_corrected_for_three_comparisons(dataset, right, make_benchmark):
    ids = [
        make_benchmark(answers(share), dataset, model)
        for share, model in zip((40, 62, 66), MODELS, strict=True)
    ]
    (grader,) = scored(*ids).graders
    findings = [one.finding for one in grader.differences]
    assert findings == [Finding.SECOND_BETTER, Finding.SECOND_BETTER, Finding.NOT_SHOWN]
    assert grader.headline == (
        "Test/Three has the highest mean, but is shown to be better than 1 of the other 2 only."
    )
    for one in grader.differences:
        assert one.p_value is not None
        assert one.p_adjusted is not None
        assert one.p_adjusted >= one.p_value


def test_while_one_still_runs(dataset, right, make_benchmark):
    one = make_benchmark(answers(60), dataset, MODELS[0])
    two = make_benchmark(answers(80)[:70], dataset, MODELS[1], Status.RUNNING, ended=False)
    found = scored(one, two)
    (difference,) = found.graders[0].differences
    assert difference.rows == 64  # two chunks of the second
    assert found.agreements[0].rows == 70


def test_without_graders_there_is_agreement_alone(make_benchmark):
    ids = [make_benchmark([record(0, text)]) for text in ("Yes.", "yes")]
    found = verdicts(ids)
    assert found.graders == []
    assert (found.agreements[0].exact, found.agreements[0].normalized) == (0, 1)


def test_unknown_benchmark(make_benchmark):
    with pytest.raises(NotFound):
        verdicts([make_benchmark([record(0)]), "bm_no"])
