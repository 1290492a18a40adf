"""When a benchmark will end, with a band that holds the true end about four times in five.

Three stretches are told apart. **Loading**: the last load of the model is the guess. **Full**: as
long as requests wait, results come at a rate, measured since the first result (what comes before it
is warm-up) over the last half of that time, as requests differ in size along a dataset. **The
tail**: once nothing waits, the engines empty, and the end is that of the longest request. What that
takes is a multiple of the time that a request spends in an engine, which by Little's law is the
number of slots over the rate.

The time that the model took for its last benchmark is the guess until there are results, and counts
beside them for as long as it has not passed: of a batch that starts all at once, the first results
come late and say little.

The spreads below were set so that the band holds the end in 75 to 85 % of looks at simulated
benchmarks of many kinds (`make bench PARTS=eta`). Pure arithmetic.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

WINDOW_SECONDS = 30.0
_NORMAL_80 = 1.2816
"""Standard deviations that hold 80 % of a normal distribution to both sides."""

LOAD_SPREAD = 0.3
PRIOR_SPREAD = 0.4
RATE_SPREAD = 0.12
"""Engines go slower and faster by so much, however many results were seen."""
TAIL_FACTOR = 1.5
TAIL_POWER = 0.45
TAIL_SPREAD = 1.1

Sample = tuple[float, int]
"""A moment by a monotonic clock, seconds, and how many requests had finished by then."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds until the end. ``low`` and ``high`` are none while nothing is known."""

    seconds: float
    low: float | None = None
    high: float | None = None


def guess(load: float, generation: float | None) -> Estimate:
    """Before the first result: what is left of loading, and the time that the requests took the
    last time that the model ran; none if it never did."""
    if generation is None:
        return Estimate(load)
    deviation = math.hypot(load * LOAD_SPREAD, generation * PRIOR_SPREAD)
    return _band(load + generation, deviation)


def forecast(
    samples: Sequence[Sample], total: int, slots: int, generation: float | None = None
) -> Estimate | None:
    """From what was seen since the engines were loaded; none before two moments with results.
    ``slots`` is how many requests all engines work on at once,
    ``generation`` the time that all requests took the last time, as of :func:`guess`."""
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
    if generation is None or spent >= generation:
        return _band(seconds, deviation)
    # Both say something; each counts by its precision, and the past for less as time passes.
    past = (1 - spent / generation) / (generation * PRIOR_SPREAD) ** 2
    seen = 1 / deviation**2
    mean = (past * (generation - spent) + seen * seconds) / (past + seen)
    return _band(mean, (past + seen) ** -0.5)


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


def _band(seconds: float, deviation: float) -> Estimate:
    """Log-normal, because an end may come much later, but not before now."""
    if seconds <= 0:
        return Estimate(0.0, 0.0, 0.0)
    sigma = math.sqrt(math.log1p((deviation / seconds) ** 2))
    factor = math.exp(_NORMAL_80 * sigma)
    return Estimate(seconds, seconds / factor, seconds * factor)
