"""When a benchmark will end, with a band that holds the true end about four times in five.

Three stretches are told apart. **Loading**: the last load of the model is the guess. **Full**: as
long as requests wait, results come at a rate, measured since the first result (what comes before it
is warm-up) over the last half of that time, as requests differ in size along a dataset. **The
tail**: once nothing waits, the engines empty, and the end is that of the longest request. What that
takes is a multiple of the time that a request spends in an engine, which by Little's law is the
number of slots over the rate.

What the model took for its last benchmarks is the guess until there are results, and counts beside
them for as long as it has not passed: of a batch that starts all at once, the first results come
late and say little. How far off it may be is learned from how much these differed.

The spreads below were set so that the band holds the end in 75 to 85 % of looks at simulated
benchmarks of many kinds (`make bench PARTS=eta`). What differs from these, a machine or the answers
of a model, is learned from what the bands of its last benchmarks were off (:func:`stretch`). Pure
arithmetic.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import NormalDist

WINDOW_SECONDS = 30.0
HELD = 0.8
"""Share of the time at which a band is meant to hold the end."""
_DEVIATIONS = NormalDist().inv_cdf((1 + HELD) / 2)
"""Standard deviations that hold as much of a normal distribution, to both sides."""

LOAD_SPREAD = 0.3
PRIOR_SPREAD = 0.4
"""Of what was seen once."""
_LEARNED_AFTER = 1
"""What was seen so many times says as much of the spread as these figures do."""
_LEAST_SPREAD = 0.01
_MOST_LATE = 6.0
"""Spreads after which something that is late is as late as can be."""
RATE_SPREAD = 0.12
"""Engines go slower and faster by so much, however many results were seen."""
TAIL_FACTOR = 1.5
TAIL_POWER = 0.45
TAIL_SPREAD = 1.1

_STRETCHED_AFTER = 1
"""That bands need not be stretched counts as if so many benchmarks had said so."""
_MOST_STRETCHED = 10.0

Sample = tuple[float, int]
"""A moment by a monotonic clock, seconds, and how many requests had finished by then."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds until the end. ``low`` and ``high`` are none while nothing is known."""

    seconds: float
    low: float | None = None
    high: float | None = None

    def stretched(self, factor: float) -> "Estimate":
        """The same with a band that is wider, or narrower, by ``factor`` in its logarithm."""
        if not self.seconds or self.low is None or self.high is None:
            return self
        low, high = (self.seconds * (end / self.seconds) ** factor for end in (self.low, self.high))
        return replace(self, low=low, high=high)


@dataclass(frozen=True, slots=True)
class Past:
    """What something took before, as a log-normal variable: its median in seconds, and the standard
    deviation of its logarithm, which is by how much, relatively, the next may differ."""

    seconds: float
    spread: float

    def times(self, factor: float) -> "Past":
        return Past(self.seconds * factor, self.spread)

    def left(self, passed: float) -> "Left":
        """What is left of it once ``passed`` seconds have not been enough.

        The moments of a log-normal variable that is known to be larger: what takes longer than it
        ever did is not over at once, and the less is left of it, the less certain that is.
        """
        if self.seconds <= 0:
            return NOTHING
        spread = max(self.spread, _LEAST_SPREAD)
        late = math.log(passed / self.seconds) / spread if passed > 0 else -math.inf
        # Further out, the tail of the normal distribution is not to be had as a number.
        late = min(late, _MOST_LATE)
        passed = min(passed, self.seconds * math.exp(_MOST_LATE * spread))
        first, second = (
            self.seconds**k
            * math.exp((k * spread) ** 2 / 2)
            * _above(late - k * spread)
            / _above(late)
            for k in (1, 2)
        )
        return Left(first - passed, math.sqrt(max(second - first**2, 0.0)))


@dataclass(frozen=True, slots=True)
class Left:
    """Seconds that are left of something: mean and standard deviation."""

    seconds: float
    deviation: float


NOTHING = Left(0.0, 0.0)


def _above(x: float) -> float:
    """The share of a normal distribution that is above ``x`` standard deviations."""
    return math.erfc(x / math.sqrt(2)) / 2


def learn(seen: Sequence[float], usual: float) -> Past:
    """From what was seen, at least once; ``usual`` is the spread where it was once.

    As of a log-normal variable: the geometric mean, and the variance of what is predicted, that of
    the next one and that of the mean, with one of before that weighs as much as
    :data:`_LEARNED_AFTER` of what was seen (an inverse gamma's, conjugate to it).
    """
    logs = [math.log(max(one, 1e-9)) for one in seen]
    mean = math.fsum(logs) / len(logs)
    differences = math.fsum((one - mean) ** 2 for one in logs)
    before = _LEARNED_AFTER * usual**2 / 2
    variance = (before + differences) / (_LEARNED_AFTER + len(logs) - 1)
    return Past(math.exp(mean), math.sqrt(variance * (1 + 1 / len(logs))))


def stretch(looks: Sequence[tuple[float, Estimate]], end: float) -> float | None:
    """By what factor the bands of a benchmark's estimates had to be stretched to hold its ``end``
    at four fifths of the time. ``looks`` are the moments of these estimates; none if no estimate
    had a band."""
    factors: list[tuple[float, float]] = []
    moments = [*(at for at, _ in looks), end]
    for (at, one), until in zip(looks, moments[1:], strict=True):
        if at < end and one.high is not None and one.high > one.seconds > 0:
            off = abs(math.log((end - at) / one.seconds))
            factors.append((off / math.log(one.high / one.seconds), until - at))
    time = math.fsum(length for _, length in factors)
    passed = 0.0
    for factor, length in sorted(factors):
        passed += length
        if passed >= HELD * time:
            return min(max(factor, 1 / _MOST_STRETCHED), _MOST_STRETCHED)
    return None


def learn_stretch(seen: Sequence[float]) -> float:
    """From what :func:`stretch` said of a model's last benchmarks.

    What is learned so from errors that were made holds whatever their distribution: see split
    conformal prediction (Lei et al., 2018, https://arxiv.org/abs/1604.04173). The benchmarks are
    few, and looks at one are alike, so it is their geometric mean, with :data:`_STRETCHED_AFTER`.
    """
    logs = math.fsum(math.log(one) for one in seen)
    return math.exp(logs / (len(seen) + _STRETCHED_AFTER))


def guess(load: Left, generation: Left | None) -> Estimate:
    """Before the first result: what is left of loading, and of the time that the requests took the
    last times that the model ran; none if it never did."""
    if generation is None:
        return Estimate(load.seconds)
    mean = load.seconds + generation.seconds
    if mean <= 0:
        return _band(0.0, 0.0)
    sigma = _sigma(mean, math.hypot(load.deviation, generation.deviation))
    return _band(mean * math.exp(-(sigma**2) / 2), sigma)


def forecast(
    samples: Sequence[Sample], total: int, slots: int, generation: Past | None = None
) -> Estimate | None:
    """From what was seen since the engines were loaded; none before two moments with results.
    ``slots`` is how many requests all engines work on at once,
    ``generation`` the time that all requests took before, as of :func:`guess`."""
    if not samples:
        return None
    left = total - samples[-1][1]
    if left <= 0:
        return Estimate(0.0, 0.0, 0.0)
    slots = max(min(slots, total), 1)
    # Once the engines empty, the rate falls; what it was before says how long a request takes.
    full = [one for one in samples if total - one[1] >= slots] or list(samples[:1])
    measured = _window(full)
    if len(measured) < 2 or measured[-1][1] == measured[0][1]:
        measured = _window(samples)
    if len(measured) < 2 or measured[-1][1] == measured[0][1]:
        return None
    count = measured[-1][1] - measured[0][1]
    rate = count / (measured[-1][0] - measured[0][0])
    waiting = max(left - slots, 0) / rate
    emptying = min(left, slots) / slots
    tail = TAIL_FACTOR * slots / rate * emptying**TAIL_POWER
    spread = math.hypot(RATE_SPREAD, _noise(measured, waiting))
    seconds, deviation = waiting + tail, math.hypot(waiting * spread, tail * TAIL_SPREAD)
    spent = samples[-1][0] - samples[0][0]
    if generation is None or spent >= generation.seconds:
        return _band(seconds, _sigma(seconds, deviation))
    # Both say something; each counts by its precision, and the past for less as time passes.
    usual = generation.left(spent)
    past = (1 - spent / generation.seconds) / usual.deviation**2
    seen = 1 / deviation**2
    mean = (past * usual.seconds + seen * seconds) / (past + seen)
    return _band(mean, _sigma(mean, (past + seen) ** -0.5))


def _window(samples: Sequence[Sample]) -> list[Sample]:
    """The last half of the time since the first result, or the last 30 s of it if that is more."""
    none_yet = samples[0][1]
    since_first = [one for one in samples if one[1] > none_yet]
    if not since_first:
        return []
    end = since_first[-1][0]
    length = max((end - since_first[0][0]) / 2, WINDOW_SECONDS)
    return [one for one in since_first if end - one[0] <= length]


def _noise(measured: Sequence[Sample], ahead: float) -> float:
    """Relative error of the time ahead, by how much the rate of the past varied.

    Both the measured stretch and the one ahead are samples of a varying rate; the longer they are,
    the less their means differ.
    """
    blocks = min(8, len(measured) - 1)
    edges = [round(i * (len(measured) - 1) / blocks) for i in range(blocks + 1)]
    rates = [
        (measured[b][1] - measured[a][1]) / (measured[b][0] - measured[a][0])
        for a, b in pairwise(edges)
    ]
    mean = sum(rates) / blocks
    if blocks < 2 or mean == 0:
        return 0.5
    variance = sum((one - mean) ** 2 for one in rates) / (blocks - 1) / mean**2
    length = (measured[-1][0] - measured[0][0]) / blocks
    return math.sqrt(variance * (1 / blocks + length / max(ahead, length)))


def _sigma(seconds: float, deviation: float) -> float:
    """Standard deviation of the logarithm of a log-normal variable."""
    return math.sqrt(math.log1p((deviation / seconds) ** 2))


def _band(seconds: float, sigma: float) -> Estimate:
    """Log-normal, because an end may come much later, but not before now."""
    factor = math.exp(_DEVIATIONS * sigma)
    return Estimate(seconds, seconds / factor, seconds * factor)
