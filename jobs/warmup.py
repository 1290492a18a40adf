"""What Ray Data starts beside the first benchmark of a cluster, started with the service instead.

Ray Data has three actors of its own for all jobs of a cluster, and a driver waits for one of them:
more than a second of what passes between *Run* and the first token.
"""

from typing import Any

import ray

# Every cluster has it on one node: that of the drivers, where the actors have to be.
_HEAD = "node:__internal_head__"


def begin() -> None:
    """Start them, without waiting until they are there."""
    _warm_up.options(resources={_HEAD: 0.001}).remote()


@ray.remote(num_cpus=0, max_retries=0)
def _warm_up() -> None:
    """Run the smallest of pipelines that has what a benchmark's has: a pool of actors."""
    import ray.data

    ray.data.DataContext.get_current().enable_progress_bars = False
    pool = ray.data.ActorPoolStrategy(size=1)
    ray.data.from_items([0]).map_batches(_Nothing, compute=pool, num_cpus=0).materialize()


class _Nothing:
    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        return batch
