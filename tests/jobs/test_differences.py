"""What is said of two models' scores, and how often it is said wrongly."""

import re

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from jobs.differences import Difference, Finding, Pair, holm, judge
from jobs.intervals import Sums


def pair(first: np.ndarray, second: np.ndarray, binary: bool = True, name: str = "B") -> Pair:
    values = second - first
    return Pair(
        "bm_a",
        f"bm_{name.lower()}",
        "A",
        name,
        Sums(len(values), float(values.sum()), float((values**2).sum())),
        int((values < 0).sum()),
        int((values > 0).sum()),
        binary,
    )


def counted(ties: int, first: int, second: int, binary: bool = True) -> Pair:
    zeros, ones = np.zeros(first + second + ties), np.zeros(first + second + ties)
    zeros[:first], ones[first : first + second] = 1, 1
    return pair(zeros, ones, binary)


def one(asked: Pair) -> Difference:
    (found,) = judge([asked])
    return found


def test_a_clear_difference_is_named_with_its_size() -> None:
    found = one(counted(900, 20, 80))
    assert found.finding is Finding.SECOND_BETTER
    assert found.sentence.startswith("B is better by 6.0 points [4.")
    assert found.difference == pytest.approx(0.06)
    assert (found.rows, found.first_wins, found.second_wins, found.ties) == (1000, 20, 80, 900)
    assert found.rows_needed is None


def test_the_better_one_is_named_whichever_side_it_is_on() -> None:
    found = one(counted(900, 80, 20))
    assert found.finding is Finding.FIRST_BETTER
    assert found.sentence.startswith("A is better by 6.0 points [4.")
    assert found.interval is not None
    assert found.interval.high < 0


def test_what_is_not_shown_says_how_many_rows_would_be_needed() -> None:
    found = one(counted(180, 8, 12))
    assert found.finding is Finding.NOT_SHOWN
    assert re.search(r"about [\d,]+ rows would be needed", found.sentence)
    assert found.rows_needed is not None
    # With that many rows of the same kind, a test has the power that was promised.
    rng = np.random.default_rng(0)
    draws = rng.choice([-1, 0, 1], (300, found.rows_needed), p=[0.04, 0.9, 0.06])
    shown = [
        one(
            Pair(
                "a",
                "b",
                "A",
                "B",
                Sums(len(row), float(row.sum()), float((row**2).sum())),
                int((row < 0).sum()),
                int((row > 0).sum()),
                True,
            )
        ).finding
        is Finding.SECOND_BETTER
        for row in draws
    ]
    assert 0.7 < np.mean(shown) < 0.9


def test_mcnemars_p_value_lies_between_the_exact_and_the_asymptotic() -> None:
    found = one(counted(200, 9, 24))
    table = [[100, 9], [24, 100]]
    exact, loose = mcnemar(table, exact=True).pvalue, mcnemar(table, False, False).pvalue
    assert found.p_value is not None
    assert loose < found.p_value < exact


def test_holms_method_is_statsmodels() -> None:
    values = [0.04, 0.001, 0.9, 0.012, 0.012, 0.5]
    assert holm(values) == pytest.approx(multipletests(values, method="holm")[1])
    assert holm([]) == []


def test_continuous_scores_are_tested_as_students_paired_test_does() -> None:
    rng = np.random.default_rng(5)
    first, second = rng.beta(2, 2, 5000), rng.beta(2, 1.9, 5000)
    found = one(pair(first, second, binary=False))
    assert found.p_value == pytest.approx(stats.ttest_rel(first, second).pvalue, rel=0.05)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("rows", [20, 200])
def test_a_model_against_itself_is_seldom_declared_different(rows: int, binary: bool) -> None:
    """Sampled anew, with answers that come out otherwise; at most the promised 5 %."""
    rng = np.random.default_rng(11)
    declared = 0
    for _ in range(1000):
        ability = rng.beta(2, 1, rows)
        if binary:
            first, second = (rng.random((2, rows)) < ability).astype(float)
        else:
            first, second = np.clip(ability + rng.normal(0, 0.2, (2, rows)), 0, 1)
        declared += one(pair(first, second, binary)).finding is not Finding.NOT_SHOWN
    assert declared <= 65  # 5 % of 1,000 and two standard errors


@pytest.mark.parametrize("binary", [True, False])
def test_the_same_scores_are_not_different(binary: bool) -> None:
    scores = np.random.default_rng(2).integers(0, 2, 300).astype(float)
    found = one(pair(scores, scores, binary))
    assert found.finding is Finding.NOT_SHOWN
    assert (found.difference, found.p_value, found.rows_needed) == (0, 1, None)
    assert found.sentence.endswith("their mean scores are equal.")


def test_eight_equal_models_are_seldom_told_apart() -> None:
    """28 comparisons at once, each of which alone would err in 5 % of cases."""
    rng = np.random.default_rng(4)
    wrong = 0
    for _ in range(200):
        scores = (rng.random((8, 100)) < 0.6).astype(float)
        pairs = [pair(scores[a], scores[b]) for a in range(8) for b in range(a)]
        wrong += any(found.finding is not Finding.NOT_SHOWN for found in judge(pairs))
    assert wrong <= 18  # 5 % of 200 and two standard errors and a half


def test_the_interval_agrees_with_the_verdict_where_several_are_compared() -> None:
    rng = np.random.default_rng(9)
    for _ in range(100):
        scores = (rng.random((4, 150)) < rng.uniform(0.4, 0.7, (4, 1))).astype(float)
        pairs = [pair(scores[a], scores[b]) for a in range(4) for b in range(a)]
        for found in judge(pairs):
            assert found.interval is not None
            if found.finding is not Finding.NOT_SHOWN:
                assert not found.interval.low <= 0 <= found.interval.high
            assert found.interval.confidence >= 0.95


def test_no_row_of_both() -> None:
    nothing = Pair("bm_a", "bm_b", "A", "B", Sums(0, 0.0, 0.0), 0, 0, True)
    empty, other = judge([nothing, counted(900, 20, 80)])
    assert (empty.finding, empty.interval, empty.rows) == (Finding.NO_ROWS, None, 0)
    assert "yet" in empty.sentence
    # A pair without rows is no comparison, and costs the others nothing.
    assert other.p_value == other.p_adjusted
