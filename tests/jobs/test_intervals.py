"""Intervals cover the truth in simulation: small samples, skewed shares, lumpy scores."""

from collections.abc import Callable

import numpy as np
import pytest

from jobs import intervals
from jobs.intervals import Sums
from jobs.scoring import Interval

DRAWS = 1000
LEAST_COVERED = 0.93

Draw = Callable[[np.random.Generator, int], np.ndarray]

SCORES: dict[str, Draw] = {
    "skewed low": lambda rng, n: rng.beta(0.5, 5, n),
    "skewed high": lambda rng, n: rng.beta(5, 0.3, n),
    "symmetric": lambda rng, n: rng.beta(2, 2, n),
    "mostly one": lambda rng, n: np.where(rng.random(n) < 0.1, rng.random(n), 1),
    "levels of a judge": lambda rng, n: rng.choice([0, 0.25, 0.5, 0.75, 1], n, p=LEVELS),
}
LEVELS = [0.02, 0.03, 0.05, 0.1, 0.8]
DIFFERENCES: dict[str, Draw] = {
    "none, sparse": lambda rng, n: rng.choice([-1, 0, 1], n, p=[0.02, 0.96, 0.02]),
    "one-sided": lambda rng, n: rng.choice([0, 1], n, p=[0.9, 0.1]),
    "large": lambda rng, n: rng.choice([-1, 0, 1], n, p=[0.1, 0.5, 0.4]),
    "continuous": lambda rng, n: rng.beta(2, 1, n) - rng.beta(2, 2, n),
    "lumpy": lambda rng, n: np.where(rng.random(n) < 0.1, rng.random(n), 0.0),
}


def sums(values: np.ndarray) -> Sums:
    return Sums(len(values), float(values.sum()), float((values**2).sum()))


def covered(interval: Callable[[np.ndarray], Interval], draw: Draw, rows: int) -> float:
    rng = np.random.default_rng(7)
    truth = float(draw(rng, 1_000_000).mean())
    found = (interval(draw(rng, rows).astype(float)) for _ in range(DRAWS))
    return sum(one.low <= truth <= one.high for one in found) / DRAWS


@pytest.mark.parametrize("rows", [5, 20, 100, 1000])
@pytest.mark.parametrize("share", [0.01, 0.05, 0.3, 0.5, 0.9, 0.985])
def test_a_share(share: float, rows: int) -> None:
    rng = np.random.default_rng(3)
    seen = rng.binomial(rows, share, DRAWS)
    found = {right: intervals.of_share(rows, right) for right in set(seen.tolist())}
    hits = [found[right].low <= share <= found[right].high for right in seen.tolist()]
    assert np.mean(hits) >= LEAST_COVERED


@pytest.mark.parametrize("rows", [5, 20, 200])
@pytest.mark.parametrize("name", SCORES)
def test_a_mean(name: str, rows: int) -> None:
    share = covered(lambda values: intervals.of_mean(sums(values)), SCORES[name], rows)
    assert share >= LEAST_COVERED


@pytest.mark.parametrize("rows", [10, 50, 500])
@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_paired_difference(name: str, rows: int) -> None:
    share = covered(lambda values: intervals.of_difference(sums(values)), DIFFERENCES[name], rows)
    assert share >= LEAST_COVERED


def test_with_many_rows_it_is_students() -> None:
    values = np.random.default_rng(1).beta(3, 2, 100_000)
    found = intervals.of_mean(sums(values))
    half = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    assert (found.low, found.high) == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=1e-4
    )


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_what_all_rows_share_is_not_certain(value: float) -> None:
    found = intervals.of_mean(sums(np.full(20, value)))
    assert found.low <= value <= found.high
    assert 0.1 < found.high - found.low < 0.3
    share = intervals.of_share(20, int(20 * value))
    assert 0.1 < share.high - share.low < 0.3


def test_one_row_says_next_to_nothing() -> None:
    found = intervals.of_mean(Sums(1, 0.5, 0.25))
    assert (found.low, found.high) == (0, 1)


def test_no_difference_has_a_p_value_of_one() -> None:
    assert intervals.p_value(Sums(100, 0.0, 40.0)) == pytest.approx(1)
    assert intervals.p_value(Sums(100, 0.0, 0.0)) == pytest.approx(1)
