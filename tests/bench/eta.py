"""Whether the estimate of the end can be trusted: simulated benchmarks, looked at as they go.

Engines are simulated step by step: each step gives every running request a token and takes a time
that grows with the batch and wanders, as on a machine that others use too. At moments spread evenly
over its life each benchmark is asked for its estimate; what is counted is how often the band holds
the true end. The same is asked of real benchmarks of the service.
"""

import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from bench import service
from bench.figures import Figure
from bench.peers import Json
from bench.prompts import jsonl, varied
from chaos.stage import Stage
from rich.console import Console

from cluster.settings import REPOSITORY
from jobs import registry
from jobs.forecast import LOAD_SPREAD, PRIOR_SPREAD, Past, learn
from jobs.progress import Prior, Progress
from jobs.schemas.progress import Tally
from jobs.weights import prepare

MODEL_ID = "HuggingFaceTB/SmolLM2-135M-Instruct"
_LOOKS = 20
# Simulated benchmarks of one model, by relative standard deviation.
_LOADS_DIFFER, _BENCHMARKS_DIFFER = 0.15, 0.18


@dataclass
class Life:
    """One simulated benchmark: when its engines were loaded, and when each request finished."""

    load: float
    finishes: np.ndarray
    prior: Prior
    slots: int


@dataclass
class Found:
    """What looks at some benchmarks have shown."""

    looks: int = 0
    held: list[float] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)

    def add(self, left: float, low: float | None, high: float | None, seconds: float) -> None:
        self.looks += 1
        if low is not None and high is not None:
            self.held.append(low <= left <= high)
            self.widths.append((high - low) / max(left, 1.0))
            self.errors.append(abs(seconds - left) / max(left, 1.0))

    def figures(self, name: str) -> Iterator[Figure]:
        """Of the looks at which there was a band."""
        name = f"{name}, {len(self.held)} looks with a band"
        held = float(np.mean(self.held))
        yield Figure("eta", f"{name}: it holds the end", "", {"band": [held]}, target="0.75–0.85")
        share = len(self.held) / self.looks
        yield Figure("eta", f"{name}: share of all looks", "", {"band": [share]})
        width = statistics.median(self.widths)
        yield Figure("eta", f"{name}: median width", "of what is left", {"band": [width]})
        error = statistics.median(self.errors)
        yield Figure("eta", f"{name}: median error", "of what is left", {"estimate": [error]})


def measure(repeat: int, seed: int, *, quick: bool, say: Console) -> Iterator[Figure]:
    del repeat
    rng = random.Random(seed)
    simulated, real = (60, 2) if quick else (300, 10)
    found = Found()
    for _ in range(simulated):
        life = simulate(rng)
        for at, low, high, seconds in looks(life):
            found.add(float(life.finishes[-1]) - at, low, high, seconds)
    say.print(f"eta: {found.looks} looks at {simulated} simulated benchmarks")
    yield from found.figures(f"{simulated} simulated benchmarks")
    yield from _real(real, rng, say).figures(f"{real} real benchmarks")


def _real(count: int, rng: random.Random, say: Console) -> Found:
    """Benchmarks of the real engine, one after the other, each of a size and requests of its own.

    Of the first one nothing is known of the model; the others have what the last one has shown.
    """
    found = Found()
    prepare(registry.read(REPOSITORY / "configs" / "models")[MODEL_ID], say.print)
    entry = REPOSITORY / "configs" / "models" / "smollm2-135m-instruct.yaml"
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    try:
        with service.service([yaml.safe_load(entry.read_text())]) as stage:
            for i in range(count):
                file = folder / f"{i}.jsonl"
                file.write_bytes(jsonl(varied(rng.randint(30, 150), rng.randrange(2**32))))
                said = _of_one(stage, file, found)
                say.print(f"eta: real benchmark {i + 1} of {count}: {said}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return found


def _of_one(stage: Stage, file: Path, found: Found) -> str:
    seen: list[tuple[float, Json]] = []
    dataset_id = service.upload(stage, file)
    began = time.time()
    done = service.run(stage, MODEL_ID, dataset_id, lambda one: seen.append((time.time(), one)))
    end = seen.pop()[0]
    times = [at for at, _ in seen]
    for share in (np.arange(_LOOKS) + 0.5) / _LOOKS:
        before = np.searchsorted(times, began + share * (end - began))
        at, one = seen[max(int(before) - 1, 0)]
        band = one["eta_low_seconds"], one["eta_high_seconds"]
        found.add(end - at, *band, one["eta_seconds"])
    return f"{done['total']} requests, {end - began:.0f} s"


def simulate(rng: random.Random) -> Life:
    """A benchmark of some size, model, machine and spread of answer lengths."""
    replicas = rng.choice([1, 1, 2, 4])
    seqs = rng.choice([8, 32, 64, 128])
    total = int(rng.choice([60, 200, 600, 2000, 5000]) * rng.uniform(0.6, 1.6))
    step = rng.choice([0.02, 0.05, 0.2])
    per_seq = step * rng.choice([0.0, 0.02, 0.1])  # a GPU with room, or a CPU
    prompt = step * rng.choice([0.0, 0.1, 1.0])  # as much as a request's prompt takes
    numpy = np.random.default_rng(rng.randrange(2**32))
    lengths = numpy.lognormal(np.log(rng.choice([20, 80, 200])), rng.uniform(0.1, 1.0), total)
    lengths = np.clip(lengths, 1, 1024).astype(int)
    if rng.random() < 0.2:  # sorted files happen
        lengths = np.sort(lengths) if rng.random() < 0.5 else np.sort(lengths)[::-1]
    usual = rng.choice([5.0, 40.0, 120.0])
    load = usual * rng.lognormvariate(0, _LOADS_DIFFER)
    wander = rng.uniform(0.02, 0.15)
    finishes = [
        load + _engine(lengths[i::replicas], seqs, step, per_seq, prompt, wander, numpy)
        for i in range(replicas)
    ]
    ends = np.sort(np.concatenate(finishes))
    share = (float(ends[-1]) - load) / total * rng.lognormvariate(0, _BENCHMARKS_DIFFER)
    prior = Prior(Past(usual, LOAD_SPREAD))
    if times := rng.choice([0, 1, 2, 8]):
        loads = [usual * rng.lognormvariate(0, _LOADS_DIFFER) for _ in range(times)]
        shares = [share * rng.lognormvariate(0, _BENCHMARKS_DIFFER) for _ in range(times)]
        prior = Prior(learn(loads, LOAD_SPREAD), learn(shares, PRIOR_SPREAD))
    return Life(load, ends, prior, replicas * seqs)


def _engine(
    lengths: np.ndarray,
    seqs: int,
    step: float,
    per_seq: float,
    prompt: float,
    wander: float,
    numpy: Any,
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
        seconds = steps * (step + per_seq * len(running)) + room * prompt
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
