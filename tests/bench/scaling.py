"""Scaling, simulated where there is no hardware: engines timed like a GPU, 1 to 64 replicas.

Each step of an engine takes ``_STEP_SECONDS`` and a little more for each request in its batch, and
gives every one of them a token: the curve of a decoder that reads its weights once a step. Chunks
go to replicas as :mod:`jobs.driver` hands them out, so many at a time to each, the next to who is
free. What is simulated is the engines' time; what the platform's processes cost is measured in part
``b``, and bounds the replicas that one driver can feed.
"""

import heapq
import math
import random
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain
from typing import NamedTuple, TypeVar

from bench.figures import Figure
from rich.console import Console

from jobs.benchmarks import chunk_rows
from jobs.driver import in_hand
from jobs.replica import IN_FLIGHT_PER_SEQ

T = TypeVar("T")

_REPLICAS = (1, 2, 4, 8, 16, 32, 64)
_SEQS = 64
_STEP_SECONDS = 0.012
_STEP_PER_REQUEST = 0.00012

_REORDERED_REPLICAS = (1, 8, 16, 64)
# Of what is known before (say the prompt's length) and the answer's length. Below 0, as where
# summaries of long texts and stories from short ones are in one file, it misleads.
_CORRELATIONS = (-0.3, 0.0, 0.3, 0.6, 1.0)
# Requests in a row that are alike: of one task, say. Half of the variance is between groups.
_FILES = {"shuffled": 1, "in groups of 500": 500}


class Request(NamedTuple):
    known: float
    """The stand-in for the length."""
    length: int


Chunks = list[list[Request]]


def _chunks_by_mean(chunks: Chunks) -> Chunks:
    return sorted(chunks, key=lambda chunk: -sum(one.known for one in chunk) / len(chunk))


def _within_chunks(chunks: Chunks) -> Chunks:
    return [sorted(chunk, reverse=True) for chunk in chunks]


def _requests(chunks: Chunks) -> Chunks:
    ordered = sorted((one for chunk in chunks for one in chunk), reverse=True)
    return _split(ordered, len(chunks[0]))


_ORDERS: dict[str, Callable[[Chunks], Chunks]] = {
    "whole chunks": _chunks_by_mean,
    "requests of a chunk": _within_chunks,
    "all requests": _requests,
}


def measure(repeat: int, seed: int, *, quick: bool, say: Console) -> Iterator[Figure]:
    count = 8_000 if quick else 50_000
    yield from _in_hand(count, seed, say)
    yield from _reordered(count, range(seed, seed + repeat), say)


def _in_hand(count: int, seed: int, say: Console) -> Iterator[Figure]:
    rng = random.Random(seed)
    lengths = [_length(rng.normalvariate()) for _ in range(count)]
    for replicas in _REPLICAS:
        rows = chunk_rows(count, replicas)
        chunks = _split(lengths, rows)
        longest_last = sorted(lengths)
        values = {
            "as it comes": [share(chunks, replicas)],
            "as it comes, 2 x in hand": [share(chunks, replicas, times=2)],
            "as it comes, 1 x in hand": [share(chunks, replicas, times=1)],
            "longest first": [share(_split(longest_last[::-1], rows), replicas)],
            "longest last": [share(_split(longest_last, rows), replicas)],
        }
        say.print(f"scaling: {replicas} replicas: {values}")
        yield Figure("scaling", f"{count:,} requests, {replicas} replicas", "of ideal", values)


def _reordered(count: int, seeds: range, say: Console) -> Iterator[Figure]:
    """The longest first, as far as a stand-in for the length tells."""
    for file, group in _FILES.items():
        for replicas in _REORDERED_REPLICAS:
            values: dict[str, list[float]] = {}
            for seed in seeds:
                for way, chunks in _ways(count, group, replicas, random.Random(seed)):
                    values.setdefault(way, []).append(share(chunks, replicas))
            name = f"{count:,} requests {file}, {replicas} replicas"
            say.print(f"scaling: {name}: {values}")
            yield Figure("scaling", name, "of ideal", values, against="as it comes")


def _ways(
    count: int, group: int, replicas: int, rng: random.Random
) -> Iterator[tuple[str, list[list[int]]]]:
    """Chunks in each order, as the lengths of their requests."""
    rows = chunk_rows(count, replicas)
    # The stand-in is alike in a group as well, so that it tells as much of chunks as of requests.
    of_length, of_its_own = _alike(count, group, rng), _alike(count, group, rng)
    lengths = [_length(one) for one in of_length]
    yield "as it comes", _split(lengths, rows)
    for correlation in _CORRELATIONS:
        # Pearson's, of the normal variables that have this rank correlation.
        pearson = 2 * math.sin(math.pi * correlation / 6)
        known = (
            pearson * one + math.sqrt(1 - pearson**2) * other
            for one, other in zip(of_length, of_its_own, strict=True)
        )
        chunks = _split(list(map(Request, known, lengths)), rows)
        for name, order in _ORDERS.items():
            ordered = [[one.length for one in chunk] for chunk in order(chunks)]
            yield f"{name}, {correlation}", ordered


def _alike(count: int, group: int, rng: random.Random) -> list[float]:
    """Normal variables; in groups, those of one have half of their variance in common."""
    if group == 1:
        return [rng.normalvariate() for _ in range(count)]
    common = [rng.normalvariate() for _ in range(-(-count // group))]
    return [math.sqrt(0.5) * (common[i // group] + rng.normalvariate()) for i in range(count)]


def _length(normal: float) -> int:
    return min(max(int(math.exp(4.4 + 0.8 * normal)), 4), 1024)


def _split(items: list[T], size: int) -> list[list[T]]:
    return [items[at : at + size] for at in range(0, len(items), size)]


def share(chunks: list[list[int]], replicas: int, times: int = 3) -> float:
    """Of the ideal in which all batches are full to the last step."""
    step_seconds = _STEP_SECONDS + _STEP_PER_REQUEST * _SEQS
    ideal = sum(map(sum, chunks)) / _SEQS * step_seconds / replicas
    return ideal / finish(chunks, replicas, times)


def finish(chunks: list[list[int]], replicas: int, times: int) -> float:
    """Simulated seconds until the last of the output tokens, of which each request of ``chunks``
    has so many, is there. ``times``: see :func:`jobs.driver.in_hand`."""
    hand = in_hand(IN_FLIGHT_PER_SEQ * _SEQS, len(chunks[0]), replicas, times)
    calls = deque(list(chain.from_iterable(call)) for call in _split(chunks, hand.together))
    engines = [_Engine(_SEQS, hand.calls) for _ in range(replicas)]
    # Round by round, as Ray Data fills its actors.
    for _ in range(hand.calls + hand.to_follow):
        for engine in engines:
            if calls:
                engine.take(calls.popleft())
    turns = [(engine.now, i) for i, engine in enumerate(engines)]
    heapq.heapify(turns)
    last = 0.0
    while turns:
        _, i = heapq.heappop(turns)
        engine = engines[i]
        for _ in range(engine.advance()):
            if calls:
                engine.take(calls.popleft())
        last = max(last, engine.now)
        if engine.busy:
            heapq.heappush(turns, (engine.now, i))
    return last


class _Engine:
    """One engine with continuous batching; its chunks are done when their last request is."""

    def __init__(self, seqs: int, at_once: int) -> None:
        self.now = 0.0
        self._seqs = seqs
        self._at_once = at_once
        self._to_follow: deque[list[int]] = deque()
        self._steps = 0
        self._waiting: deque[tuple[int, int]] = deque()
        self._running: list[tuple[int, int]] = []  # step at which it ends, its chunk
        self._left: dict[int, int] = {}
        self._taken = 0

    @property
    def busy(self) -> bool:
        return bool(self._running or self._waiting)

    def take(self, chunk: list[int]) -> None:
        self._to_follow.append(chunk)
        self._open()

    def _open(self) -> None:
        while self._to_follow and len(self._left) < self._at_once:
            chunk = self._to_follow.popleft()
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
            if self._left[chunk] == 0:
                del self._left[chunk]
                ended += 1
        self._open()
        return ended
