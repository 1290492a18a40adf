"""How drivers and replicas reach the tracker, without importing what it needs itself: that takes a
second, and each of their processes would pay it while somebody waits for the first token."""

from typing import Any

import ray

from jobs.schemas import BenchmarkSpec, Placement, Tally

NAME = "tracker"
NAMESPACE = "benchmark_runner"

Assignment = tuple[BenchmarkSpec, Placement]


def find() -> Any:
    """The tracker of this cluster.

    Raises:
        ValueError: there is none; :func:`jobs.tracker.handle` starts it.
    """
    return ray.get_actor(NAME, namespace=NAMESPACE)


async def report(benchmark_id: str, load_seconds: float, chunks: dict[int, Tally]) -> None:
    """Report from a replica, and wait until the tracker has taken it."""
    await find().report.remote(benchmark_id, load_seconds, chunks)
