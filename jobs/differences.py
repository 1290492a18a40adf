"""Is one model better than another? Paired differences of scores, and what to say of them. Pure.

A difference is declared when both hold: its p-value, corrected for the number of comparisons by
Holm's method, is below 5 %, and its interval excludes zero. For right-or-wrong scores the p-value
is McNemar's (mid-p, which keeps the 5 % without being as timid as the exact test: Fagerland 2013),
else Student's over the interval's own rows. The interval of each comparison has the confidence at
which Holm's method tests it, so the two say the same.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import scipy
from pydantic import BaseModel, Field

from jobs import intervals
from jobs.intervals import Sums
from jobs.scoring import Interval

_ALPHA = 0.05
_POWER = 0.8
# Beyond this nobody will ask; the difference is nil for every purpose.
_MOST_ROWS_NEEDED = 10_000_000


class Finding(StrEnum):
    """What a comparison of two shows."""

    FIRST_BETTER = "first_better"
    SECOND_BETTER = "second_better"
    NOT_SHOWN = "not_shown"
    NO_ROWS = "no_rows"
    """No row has a score of both (yet)."""


class Difference(BaseModel):
    """The second's scores less the first's, over the rows that both have."""

    first_id: str
    second_id: str
    finding: Finding
    sentence: str = Field(
        examples=["B is better by 4.1 points [1.2, 7.0].", "No difference shown; …"]
    )
    rows: int = Field(description="Rows with a score of both.")
    first_wins: int
    second_wins: int
    ties: int
    difference: float | None = Field(description="Mean difference; 0.01 is a point.")
    interval: Interval | None = Field(
        description="Of the difference, at the confidence that Holm's correction asks for."
    )
    p_value: float | None
    p_adjusted: float | None = Field(description="Corrected by Holm's method.")
    rows_needed: int | None = Field(
        description="Rows at which a difference as large as the one seen would be shown with 80 % "
        "power; none where one is shown, and where none is seen."
    )
    detectable: float | None = Field(
        description="The smallest difference that so many rows show with 80 % power."
    )


@dataclass(frozen=True, slots=True)
class Pair:
    """Two benchmarks' scores by one grader, over the rows that both have."""

    first_id: str
    second_id: str
    first_name: str
    second_name: str
    differences: Sums
    """Second less first, row by row."""
    first_wins: int
    second_wins: int
    binary: bool

    @property
    def ties(self) -> int:
        return self.differences.count - self.first_wins - self.second_wins


def judge(pairs: Sequence[Pair]) -> list[Difference]:
    """What each pair shows, corrected for being one of so many."""
    testable = [pair for pair in pairs if pair.differences.count > 0]
    values = [_p_value(pair) for pair in testable]
    adjusted = holm(values)
    tested = map(_tested, testable, values, adjusted, _levels(values, adjusted))
    return [next(tested) if pair.differences.count > 0 else _nothing(pair) for pair in pairs]


def _p_value(pair: Pair) -> float:
    if not pair.binary:
        return intervals.p_value(pair.differences)
    fewer, discordant = (
        min(pair.first_wins, pair.second_wins),
        pair.first_wins + pair.second_wins,
    )
    if discordant == 0:
        return 1.0
    below = scipy.special.bdtr(fewer - 1, discordant, 0.5) if fewer else 0.0
    mid = scipy.special.bdtr(fewer, discordant, 0.5) + below
    return float(min(mid, 1.0))


def holm(values: Sequence[float]) -> list[float]:
    """P-values corrected by Holm's method. (statsmodels' own collects garbage at every call, which
    took 30 ms of each in this process.)"""
    ranked = sorted(range(len(values)), key=values.__getitem__)
    adjusted = [0.0] * len(values)
    largest = 0.0
    for rank, at in enumerate(ranked):
        largest = max(largest, min(values[at] * (len(values) - rank), 1.0))
        adjusted[at] = largest
    return adjusted


def _levels(values: Sequence[float], adjusted: Sequence[float]) -> list[float]:
    """The confidence of each interval. Holm's method tests the smallest p-value at 5 % / m, the
    next at 5 % / (m - 1) and so on, until one fails; the rest stay at that level."""
    levels = [0.0] * len(values)
    level, failed = 0.0, False
    for rank, at in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        if not failed:
            level = 1 - _ALPHA / (len(values) - rank)
        failed = failed or adjusted[at] >= _ALPHA
        levels[at] = level
    return levels


def _tested(pair: Pair, value: float, corrected: float, level: float) -> Difference:
    seen = pair.differences.mean
    interval = intervals.of_difference(pair.differences, level)
    shown = corrected < _ALPHA and not interval.low <= 0 <= interval.high
    if shown:
        finding = Finding.SECOND_BETTER if seen > 0 else Finding.FIRST_BETTER
        needed = None
    else:
        finding = Finding.NOT_SHOWN
        needed = _rows_needed(pair.differences)
    return Difference(
        first_id=pair.first_id,
        second_id=pair.second_id,
        finding=finding,
        sentence=_sentence(pair, finding, interval, needed),
        rows=pair.differences.count,
        first_wins=pair.first_wins,
        second_wins=pair.second_wins,
        ties=pair.ties,
        difference=seen,
        interval=interval,
        p_value=value,
        p_adjusted=corrected,
        rows_needed=needed,
        detectable=_detectable(pair.differences),
    )


def _nothing(pair: Pair) -> Difference:
    return Difference(
        first_id=pair.first_id,
        second_id=pair.second_id,
        finding=Finding.NO_ROWS,
        sentence=f"No row has a score of both {pair.first_name} and {pair.second_name} yet.",
        rows=0,
        first_wins=0,
        second_wins=0,
        ties=0,
        difference=None,
        interval=None,
        p_value=None,
        p_adjusted=None,
        rows_needed=None,
        detectable=None,
    )


def _sentence(pair: Pair, finding: Finding, interval: Interval, needed: int | None) -> str:
    if finding is Finding.NOT_SHOWN:
        said = f"No difference shown between {pair.first_name} and {pair.second_name}"
        low, high = _points(interval.low), _points(interval.high)
        within = f" over {pair.differences.count:,} rows (within [{low}, {high}] points)"
        if pair.differences.total == 0:
            return f"{said}{within}: their mean scores are equal."
        if needed is None:
            return f"{said}{within}."
        return f"{said}{within}; about {_round(needed):,} rows would be needed."
    better, low, high = (
        (pair.second_name, interval.low, interval.high)
        if finding is Finding.SECOND_BETTER
        else (pair.first_name, -interval.high, -interval.low)
    )
    by = _points(abs(pair.differences.mean))
    return f"{better} is better by {by} points [{_points(low)}, {_points(high)}]."


def _points(share: float) -> str:
    return f"{100 * share:.1f}"


def _round(rows: int) -> int:
    """To two digits: it is an estimate."""
    digits = max(len(str(rows)) - 2, 0)
    return math.ceil(rows / 10**digits) * 10**digits


def _quantiles() -> float:
    return float(scipy.special.ndtri(1 - _ALPHA / 2) + scipy.special.ndtri(_POWER))


def _rows_needed(seen: Sums) -> int | None:
    if seen.total == 0:
        return None
    needed = math.ceil(_quantiles() ** 2 * seen.variance / seen.mean**2)
    # A difference that is there and not shown needs more than there are, whatever the formula says.
    needed = max(needed, seen.count + 1)
    return needed if needed <= _MOST_ROWS_NEEDED else None


def _detectable(seen: Sums) -> float | None:
    if seen.variance == 0:
        return None
    return _quantiles() * math.sqrt(seen.variance / seen.count)
