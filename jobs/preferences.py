"""From pairwise votes to strengths: the Bradley–Terry model, with intervals. Pure arithmetic.

A tie, also one of two bad answers, is half a win for each side. Before any vote each pair of models
is given half a win either way (Jeffreys' prior), so that a model that has won every vote so far
gets a finite strength.

Intervals are Rubin's Bayesian bootstrap: each draw weighs every row (not every vote, as votes of
several people on one row are not independent) by an exponential variable and the prior's half wins
by gamma variables, and fits anew. With two models and no ties that is exactly the Beta posterior,
whose intervals are honest after few votes, also when one model has won them all; resampling votes
would then give an interval of no width. The tests simulate the coverage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import expit

# A draw can weigh the only loss of a model next to nothing, and its strength is then far off.
_MOST_STEPS = 100
_PRECISION = 1e-6
_RIDGE = 1e-9
_INTERVAL = (2.5, 97.5)

Interval = tuple[float, float]
"""Of 95 %."""


@dataclass(frozen=True, slots=True)
class Duel:
    """One vote: models by number, the row that it is about, and what it says."""

    first: int
    second: int
    row: str
    score: float
    """1: the first is better; 0: the second; 0.5: neither."""


@dataclass(frozen=True, slots=True)
class Strength:
    """How one model fares."""

    strength: float
    """Log-odds of winning, relative to the mean of the models."""
    interval: Interval
    win_rate: float
    """Expected share of votes won against the others, ties counted half."""
    win_rate_interval: Interval


@dataclass(frozen=True, slots=True)
class Preferences:
    models: list[Strength]
    probability_best: list[float]
    """Share of the draws in which a model is the strongest."""


def estimate(count: int, duels: Sequence[Duel], *, draws: int = 1000, seed: int = 0) -> Preferences:
    """Strengths of ``count`` models. The same votes give the same numbers; the percentiles of
    fewer ``draws`` are noisier."""
    rows = {row: at for at, row in enumerate(sorted({duel.row for duel in duels}))}
    wins = np.zeros((max(len(rows), 1), count, count))
    for duel in duels:
        wins[rows[duel.row], duel.first, duel.second] += duel.score
        wins[rows[duel.row], duel.second, duel.first] += 1 - duel.score
    half = np.full((count, count), 0.5)
    np.fill_diagonal(half, 0)

    (point,) = _fit(wins.sum(axis=0, keepdims=True) + half)
    rng = np.random.default_rng(seed)
    weights = rng.exponential(size=(draws, len(wins)))
    drawn = np.tensordot(weights, wins, axes=1) + rng.gamma(half, size=(draws, count, count))
    fitted = _fit(drawn)

    low, high = np.percentile(fitted, _INTERVAL, axis=0)
    rates = np.array([win_rates(one) for one in fitted])
    rate_low, rate_high = np.percentile(rates, _INTERVAL, axis=0)
    models = [
        Strength(
            strength=float(point[at]),
            interval=(float(low[at]), float(high[at])),
            win_rate=float(rate),
            win_rate_interval=(float(rate_low[at]), float(rate_high[at])),
        )
        for at, rate in enumerate(win_rates(point))
    ]
    best = np.bincount(fitted.argmax(axis=1), minlength=count) / draws
    return Preferences(models=models, probability_best=best.tolist())


def win_rates(strengths: np.ndarray) -> np.ndarray:
    """The expected share of votes that each model wins, the others being met equally often."""
    odds = strengths[:, None] - strengths[None, :]
    against = expit(odds)
    np.fill_diagonal(against, 0)
    return against.sum(axis=1) / (len(strengths) - 1)


def pairs(count: int) -> list[tuple[int, int]]:
    """Every pair of models, by number."""
    return list(combinations(range(count), 2))


def _fit(wins: np.ndarray) -> np.ndarray:
    """Strengths, whose mean is 0, for a stack of tables of how often one model (row) has beaten
    another (column): Newton's method on the log-likelihood, which is concave, for all at once.

    ``choix`` does one table at a time, which takes seconds for a thousand draws of eight models;
    the tests compare with it.
    """
    count = wins.shape[-1]
    met = wins + wins.transpose(0, 2, 1)
    won = wins.sum(axis=2)
    strengths = np.zeros(wins.shape[:2])
    for _ in range(_MOST_STEPS):
        beats = expit(strengths[:, :, None] - strengths[:, None, :])
        gradient = won - (met * beats).sum(axis=2)
        curvature = met * beats * (1 - beats)
        hessian = -curvature
        hessian[:, range(count), range(count)] += curvature.sum(axis=2) + _RIDGE
        # Strengths are known up to a constant; adding ones keeps the mean where it is.
        step = np.linalg.solve(hessian + 1, gradient[:, :, None])[:, :, 0].clip(-1, 1)
        strengths += step
        if np.abs(step).max() < _PRECISION:
            break
    return strengths - strengths.mean(axis=1, keepdims=True)
