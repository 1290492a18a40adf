"""How sure a mean is: 95 % intervals of scores and of paired differences. Pure arithmetic.

Everything is computed from sums, so a million scores cost what ten do.

*A share of right answers* gets Wilson's score interval with continuity correction (Newcombe 1998,
method 4). Without the correction its coverage falls to 84 % for rare events in small samples; with
it, it is at least 94.9 % for every share and every number of rows from 5 to 1,000.

*Any other mean*, and a difference, gets Student's interval over the rows and one imaginary row at
each end of the scale. For differences of right-or-wrong scores this is Bonett and Price's adjusted
interval (2012). It is there for what few rows hide: of 20 answers of which all are right, a plain
interval is a point, and so is a bootstrap's. In simulations over skewed, sparse and lumpy scores
with 5 to 200 rows it covered at least 94 % (Student's plain interval down to 4 %, a studentized
bootstrap down to 8 %); with some hundred rows it is Student's (``tests/jobs/test_intervals.py``).
"""

import math
from dataclasses import dataclass

import scipy

from jobs.scoring import Interval


@dataclass(frozen=True, slots=True)
class Sums:
    """What is to be known of values: how many, their sum and the sum of their squares."""

    count: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        return self.total / self.count

    @property
    def variance(self) -> float:
        """Of a single value, estimated."""
        if self.count < 2:
            return 0.0
        spread = self.squares - self.total**2 / self.count
        return max(spread, 0.0) / (self.count - 1)


def of_share(count: int, right: int) -> Interval:
    """Interval of a share, of which ``right`` of ``count`` rows were seen."""
    found = scipy.stats.binomtest(right, count).proportion_ci(
        confidence_level=0.95, method="wilsoncc"
    )
    return Interval(low=float(found.low), high=float(found.high))


def of_mean(scores: Sums) -> Interval:
    """Interval of the mean of scores between 0 and 1."""
    return _student(scores, 0.0, 1.0, 0.95)


def of_difference(differences: Sums, confidence: float = 0.95) -> Interval:
    """Interval of the mean of differences between such scores."""
    return _student(differences, -1.0, 1.0, confidence)


def p_value(differences: Sums) -> float:
    """Of differences as large as these, were there none: what belongs to :func:`of_difference`."""
    wider = _with_ends(differences, -1.0, 1.0)
    error = math.sqrt(wider.variance / wider.count)
    return float(2 * scipy.special.stdtr(wider.count - 1, -abs(wider.mean) / error))


def _student(values: Sums, low: float, high: float, confidence: float) -> Interval:
    wider = _with_ends(values, low, high)
    quantile = float(scipy.special.stdtrit(wider.count - 1, (1 + confidence) / 2))
    half = quantile * math.sqrt(wider.variance / wider.count)
    # Its centre is drawn to the middle of the scale; the mean itself must lie within.
    return Interval(
        low=max(low, min(wider.mean - half, values.mean)),
        high=min(high, max(wider.mean + half, values.mean)),
        confidence=confidence,
    )


def _with_ends(values: Sums, low: float, high: float) -> Sums:
    """The values and an imaginary one at each end of their scale."""
    return Sums(
        count=values.count + 2,
        total=values.total + low + high,
        squares=values.squares + low**2 + high**2,
    )
