"""How drivers and replicas reach the tracker, without importing what it needs itself: that takes a
second, and each of their processes would pay it while somebody waits for the first token."""

from dataclasses import dataclass
from typing import Any

import ray

from jobs.schemas.benchmarks import BenchmarkSpec, Placement
from jobs.schemas.progress import EngineLoad, Tally

NAME = "tracker"
NAMESPACE = "benchmark_runner"

Assignment = tuple[BenchmarkSpec, Placement]


@dataclass(frozen=True, slots=True)
class Report:
    """What a replica says about once a second."""

    benchmark_id: str
    replica: str
    load_seconds: float
    """How long its engine took to load."""
    chunks: dict[int, Tally]
    """Absolute counts of those that changed since its last report."""
    engine: EngineLoad | None
    """What its engine has to do and has done, where that is known."""


class TrackerActor:
    """The actor itself, which hands on all to :mod:`jobs.tracker`. Whoever gets an actor's handle
    imports its class."""

    def __init__(self) -> None:
        from jobs.tracker import Tracker

        self._tracker = Tracker()

    def ping(self) -> str:
        return self._tracker.ping()

    def wake(self) -> None:
        self._tracker.wake()

    def report(self, said: Report) -> None:
        self._tracker.report(said)

    def engines(self) -> list[Report]:
        return self._tracker.engines()

    def assignment(self, benchmark_id: str) -> Assignment | None:
        return self._tracker.assignment(benchmark_id)

    def finish(self, benchmark_id: str) -> None:
        self._tracker.finish(benchmark_id)

    def fail(self, benchmark_id: str, message: str) -> None:
        self._tracker.fail(benchmark_id, message)


def find() -> Any:
    """The tracker of this cluster.

    Raises:
        ValueError: there is none; :func:`jobs.tracker.handle` starts it.
    """
    return ray.get_actor(NAME, namespace=NAMESPACE)


async def report(said: Report) -> None:
    """Report from a replica, and wait until the tracker has taken it."""
    await find().report.remote(said)
