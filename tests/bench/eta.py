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

    @property
    def end(self) -> float:
        return float(self.finishes[-1])

    def progress(self) -> Progress:
        return Progress(len(self.finishes), 0.0, self.prior, self.slots)


@dataclass(frozen=True)
class Kind:
    """A model on a machine, and a dataset as people run it there; times are seconds."""

    replicas: int
    seqs: int
    total: int
    step: float
    per_seq: float
    prompt: float
    tokens: int
    unequal: float
    order: int
    """1 if the longest answers come last, -1 if they come first, 0 if they come as they come."""
    load: float
    wander: float

    @classmethod
    def any(cls, rng: random.Random) -> "Kind":
        step = rng.choice([0.02, 0.05, 0.2])
        return cls(
            replicas=rng.choice([1, 1, 2, 4]),
            seqs=rng.choice([8, 32, 64, 128]),
            total=rng.choice([60, 200, 600, 2000, 5000]),
            step=step,
            per_seq=step * rng.choice([0.0, 0.02, 0.1]),  # a GPU with room, or a CPU
            prompt=step * rng.choice([0.0, 0.1, 1.0]),  # as much as a request's prompt takes
            tokens=rng.choice([20, 80, 200]),
            unequal=rng.uniform(0.1, 1.0),
            order=rng.choice([0] * 8 + [-1, 1]),  # sorted files happen
            load=rng.choice([5.0, 40.0, 120.0]),
            wander=rng.uniform(0.02, 0.15),
        )

    def live(self, rng: random.Random, prior: Prior) -> Life:
        """A benchmark of this kind, its number of requests and their lengths among others."""
        numpy = np.random.default_rng(rng.randrange(2**32))
        total = int(self.total * rng.uniform(0.6, 1.6))
        tokens = self.tokens * rng.lognormvariate(0, _BENCHMARKS_DIFFER)
        lengths = numpy.lognormal(np.log(tokens), self.unequal, total)
        lengths = np.clip(lengths, 1, 1024).astype(int)
        if self.order:
            lengths = np.sort(lengths)[:: self.order]
        load = self.load * rng.lognormvariate(0, _LOADS_DIFFER)
        engines = [self._engine(lengths[i :: self.replicas], numpy) for i in range(self.replicas)]
        finishes = load + np.sort(np.concatenate(engines))
        return Life(load, finishes, prior, self.replicas * self.seqs)

    def _engine(self, lengths: np.ndarray, numpy: Any) -> np.ndarray:
        """When each request of one engine finishes, after it was loaded."""
        finishes: list[float] = []
        waiting, now, pace = 0, 0.0, 0.0
        running = np.empty(0, int)
        while waiting < len(lengths) or len(running):
            room = min(self.seqs - len(running), len(lengths) - waiting)
            running = np.concatenate([running, lengths[waiting : waiting + room]])
            waiting += room
            steps = int(running.min())
            seconds = steps * (self.step + self.per_seq * len(running)) + room * self.prompt
            # Correlated over about a minute.
            kept = np.exp(-seconds / 60)
            pace = pace * kept + self.wander * np.sqrt(1 - kept**2) * numpy.normal()
            now += seconds * np.exp(pace)
            running = running - steps
            finishes += [now] * int((running == 0).sum())
            running = running[running > 0]
        return np.array(finishes)


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
            found.add(life.end - at, low, high, seconds)
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
    """A benchmark of some size, model, machine and spread of answer lengths, after none to eight
    others of its kind, from which as much is learned as from real ones."""
    kind = Kind.any(rng)
    loads: list[float] = []
    requests: list[float] = []
    stretches: list[float] = []
    prior = Prior()
    for _ in range(rng.choice([0, 1, 2, 8])):
        past = kind.live(rng, prior)
        loads.append(past.load)
        requests.append((past.end - past.load) / len(past.finishes))
        stretches += [one for one in [stretch(past)] if one is not None]
        prior = Prior.learned(loads, requests, stretches)
    return kind.live(rng, prior)


def looks(life: Life) -> Iterator[tuple[float, float | None, float | None, float]]:
    """When it was looked at, the band, and the estimate: seconds."""
    yield from _looks(life, life.progress())


def stretch(life: Life) -> float | None:
    """What it says about the bands of the next of its kind."""
    progress = life.progress()
    for _ in _looks(life, progress):
        pass
    return progress.stretch(life.end)


def _looks(
    life: Life, progress: Progress
) -> Iterator[tuple[float, float | None, float | None, float]]:
    at = [life.end * (i + 0.5) / _LOOKS for i in range(_LOOKS)]
    # Reports come once a second; for long ones a coarser clock says the same.
    tick = max(1.0, life.end / 2000)
    now = 0.0
    while at:
        now += tick
        if now >= life.load:
            finished = int(np.searchsorted(life.finishes, now, side="right"))
            progress.fold({0: Tally(completed=finished)}, life.load)
            progress.sample(now)
        if now >= at[0]:
            at.pop(0)
            if now < life.end:
                eta = progress.eta(now)
                yield now, eta.low, eta.high, eta.seconds
