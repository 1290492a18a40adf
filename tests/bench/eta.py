"""Whether the estimate of the end can be trusted: simulated benchmarks, looked at as they go.

Engines are simulated step by step: each step gives every running request a token and takes a time
that grows with the batch and wanders, as on a machine that others use too. At moments spread evenly
over its life each benchmark is asked for its estimate; what is counted is how often the band holds
the true end.
"""

import random
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from bench.figures import Figure
from rich.console import Console

from jobs.progress import Prior, Progress
from jobs.schemas import Tally

_LOOKS = 20


@dataclass
class Life:
    """One simulated benchmark: when its engines were loaded, and when each request finished."""

    load: float
    finishes: np.ndarray
    prior: Prior
    slots: int


def measure(repeat: int, seed: int, *, quick: bool, say: Console) -> Iterator[Figure]:
    del repeat
    rng = random.Random(seed)
    count = 60 if quick else 300
    held: list[float] = []
    widths: list[float] = []
    errors: list[float] = []
    given: list[float] = []
    for _ in range(count):
        life = simulate(rng)
        end = float(life.finishes[-1])
        for at, low, high, seconds in looks(life):
            given.append(low is not None)
            if low is None or high is None:
                continue
            held.append(low <= end - at <= high)
            widths.append((high - low) / max(end - at, 1.0))
            errors.append(abs(seconds - (end - at)) / max(end - at, 1.0))
    say.print(f"eta: {len(held)} looks at {count} simulated benchmarks")
    name = f"{count} simulated benchmarks, {_LOOKS} looks each"
    return iter(
        [
            Figure("eta", f"{name}: the band holds the end", "", {"band": [float(np.mean(held))]}),
            Figure("eta", f"{name}: looks with a band", "", {"band": [float(np.mean(given))]}),
            Figure("eta", f"{name}: median width", "of what is left", {"band": [median(widths)]}),
            Figure(
                "eta", f"{name}: median error", "of what is left", {"estimate": [median(errors)]}
            ),
        ]
    )


def median(values: list[float]) -> float:
    return float(statistics.median(values))


def simulate(rng: random.Random) -> Life:
    """A benchmark of some size, model, machine and spread of answer lengths."""
    replicas = rng.choice([1, 1, 2, 4])
    seqs = rng.choice([8, 32, 64, 128])
    total = int(rng.choice([60, 200, 600, 2000, 5000]) * rng.uniform(0.6, 1.6))
    step = rng.choice([0.02, 0.05, 0.2])
    per_seq = step * rng.choice([0.0, 0.02, 0.1])  # a GPU with room, or a CPU
    numpy = np.random.default_rng(rng.randrange(2**32))
    lengths = numpy.lognormal(np.log(rng.choice([20, 80, 200])), rng.uniform(0.1, 1.0), total)
    lengths = np.clip(lengths, 1, 1024).astype(int)
    if rng.random() < 0.2:  # sorted files happen
        lengths = np.sort(lengths) if rng.random() < 0.5 else np.sort(lengths)[::-1]
    usual = rng.choice([5.0, 40.0, 120.0])
    load = usual * rng.lognormvariate(0, 0.2)
    wander = rng.uniform(0.02, 0.15)
    finishes = [
        load + _engine(lengths[i::replicas], seqs, step, per_seq, wander, numpy)
        for i in range(replicas)
    ]
    ends = np.sort(np.concatenate(finishes))
    known = rng.random() < 0.7
    seconds = (float(ends[-1]) - load) / total * rng.lognormvariate(0, 0.25)
    return Life(load, ends, Prior(usual, seconds if known else None), replicas * seqs)


def _engine(
    lengths: np.ndarray, seqs: int, step: float, per_seq: float, wander: float, numpy: Any
) -> np.ndarray:
    """When each request of one engine finishes."""
    finishes: list[float] = []
    waiting, now, pace = 0, 0.0, 0.0
    running = np.empty(0, int)
    while waiting < len(lengths) or len(running):
        room = min(seqs - len(running), len(lengths) - waiting)
        running = np.concatenate([running, lengths[waiting : waiting + room]])
        waiting += room
        steps = int(running.min())
        seconds = steps * (step + per_seq * len(running))
        # Correlated over about a minute.
        kept = np.exp(-seconds / 60)
        pace = pace * kept + wander * np.sqrt(1 - kept**2) * numpy.normal()
        now += seconds * np.exp(pace)
        running = running - steps
        finishes += [now] * int((running == 0).sum())
        running = running[running > 0]
    return np.array(finishes)


def looks(life: Life) -> Iterator[tuple[float, float | None, float | None, float]]:
    """When it was looked at, the band, and the estimate: seconds."""
    total, end = len(life.finishes), float(life.finishes[-1])
    progress = Progress(total, 0.0, life.prior, life.slots)
    at = [end * (i + 0.5) / _LOOKS for i in range(_LOOKS)]
    # Reports come once a second; for long ones a coarser clock says the same.
    tick = max(1.0, end / 2000)
    now = 0.0
    while at:
        now += tick
        if now >= life.load:
            finished = int(np.searchsorted(life.finishes, now, side="right"))
            progress.fold({0: Tally(completed=finished)}, life.load)
            progress.sample(now)
        if now >= at[0]:
            at.pop(0)
            if now < end:
                eta = progress.eta(now)
                yield now, eta.low, eta.high, eta.seconds
