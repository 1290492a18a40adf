"""Scaling, simulated where there is no hardware: engines timed like a GPU, 1 to 64 replicas.

Each step of an engine takes ``_STEP_SECONDS`` and a little more for each request in its batch, and
gives every one of them a token: the curve of a decoder that reads its weights once a step. Chunks
go to replicas as :mod:`jobs.driver` hands them out, so many at a time to each, the next to who is
free. What is simulated is the engines' time; what the platform's processes cost is measured in part
``b``, and bounds the replicas that one driver can feed.
"""

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterator

from bench.figures import Figure
from rich.console import Console

from jobs.benchmarks import chunk_rows
from jobs.driver import in_hand
from jobs.replica import IN_FLIGHT_PER_SEQ

_REPLICAS = (1, 2, 4, 8, 16, 32, 64)
_SEQS = 64
_STEP_SECONDS = 0.012
_STEP_PER_REQUEST = 0.00012


def measure(repeat: int, seed: int, *, quick: bool, say: Console) -> Iterator[Figure]:
    del repeat
    count = 8_000 if quick else 50_000
    rng = random.Random(seed)
    lengths = [min(max(int(rng.lognormvariate(4.4, 0.8)), 4), 1024) for _ in range(count)]
    ways: dict[str, Callable[[int], float]] = {
        "as it comes": lambda replicas: finish(lengths, replicas),
        "as it comes, 2 x in hand": lambda replicas: finish(lengths, replicas, times=2),
        "as it comes, 1 x in hand": lambda replicas: finish(lengths, replicas, times=1),
        "longest first": lambda replicas: finish(sorted(lengths, reverse=True), replicas),
        "longest last": lambda replicas: finish(sorted(lengths), replicas),
    }
    # All batches full to the last step.
    ideal = sum(lengths) / _SEQS * (_STEP_SECONDS + _STEP_PER_REQUEST * _SEQS)
    for replicas in _REPLICAS:
        values = {name: [ideal / (way(replicas) * replicas)] for name, way in ways.items()}
        say.print(f"scaling: {replicas} replicas: {values}")
        yield Figure("scaling", f"{count:,} requests, {replicas} replicas", "of ideal", values)


def finish(lengths: list[int], replicas: int, times: int = 3) -> float:
    """Simulated seconds until the last of ``lengths`` output tokens, in this order, is there.
    ``times``: see :func:`jobs.driver.in_hand`."""
    rows = chunk_rows(len(lengths), replicas)
    together, at_once = in_hand(IN_FLIGHT_PER_SEQ * _SEQS, rows, times)
    size = together * rows
    chunks = deque(lengths[at : at + size] for at in range(0, len(lengths), size))
    engines = [_Engine(_SEQS) for _ in range(replicas)]
    # Round by round, as Ray Data fills its actors.
    for _ in range(at_once):
        for engine in engines:
            if chunks:
                engine.take(chunks.popleft())
    turns = [(engine.now, i) for i, engine in enumerate(engines)]
    heapq.heapify(turns)
    last = 0.0
    while turns:
        _, i = heapq.heappop(turns)
        engine = engines[i]
        for _ in range(engine.advance()):
            if chunks:
                engine.take(chunks.popleft())
        last = max(last, engine.now)
        if engine.busy:
            heapq.heappush(turns, (engine.now, i))
    return last


class _Engine:
    """One engine with continuous batching; its chunks are done when their last request is."""

    def __init__(self, seqs: int) -> None:
        self.now = 0.0
        self._seqs = seqs
        self._steps = 0
        self._waiting: deque[tuple[int, int]] = deque()
        self._running: list[tuple[int, int]] = []  # step at which it ends, its chunk
        self._left: dict[int, int] = {}
        self._taken = 0

    @property
    def busy(self) -> bool:
        return bool(self._running or self._waiting)

    def take(self, chunk: list[int]) -> None:
        self._taken += 1
        self._left[self._taken] = len(chunk)
        self._waiting.extend((length, self._taken) for length in chunk)

    def advance(self) -> int:
        """Go on until a request ends; how many chunks have ended with it."""
        while self._waiting and len(self._running) < self._seqs:
            length, chunk = self._waiting.popleft()
            heapq.heappush(self._running, (self._steps + length, chunk))
        steps = self._running[0][0] - self._steps
        self.now += steps * (_STEP_SECONDS + _STEP_PER_REQUEST * len(self._running))
        self._steps += steps
        ended = 0
        while self._running and self._running[0][0] == self._steps:
            _, chunk = heapq.heappop(self._running)
            self._left[chunk] -= 1
            ended += self._left[chunk] == 0
        return ended
