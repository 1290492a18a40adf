"""The hardware of the cluster: memory of each node and of its GPUs.

Ray knows how many GPUs a node has, not how large they are. A small task on each node asks there;
what it finds does not change while the node is there, and is kept.
"""

import threading
import time
from typing import Any

import psutil
import ray
import structlog
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from jobs import gpus
from jobs.fit import Hardware, Node

log = structlog.get_logger()

# A task on a node takes about a second, in which Ray starts a worker.
_PATIENCE_SECONDS = 15.0
# After that long, nodes that did not answer are asked again.
_ASK_AGAIN_SECONDS = 60.0

_known: dict[str, Node] = {}
_asked_in_vain: dict[str, float] = {}
_one_at_a_time = threading.Lock()


def read() -> Hardware:
    """The hardware of the cluster; without Ray (command line, tests) that of this machine.

    Waits some seconds the first time that a node is seen.
    """
    if not ray.is_initialized():
        return Hardware((_this_machine(),))
    alive: list[dict[str, Any]] = [node for node in ray.nodes() if node["Alive"]]
    # A head that Ray was given no CPU of runs no engine.
    able = [one for one in alive if one["Resources"].get("CPU") or one["Resources"].get("GPU")]
    counts = {node["NodeID"]: int(node["Resources"].get("GPU", 0)) for node in able}
    if len(alive) == 1 and list(counts.values()) == [0]:
        return Hardware((_this_machine(),))  # there is no other that this could be
    with _one_at_a_time:
        _ask([node_id for node_id in counts if node_id not in _known])
    return Hardware(tuple(_counted(node_id, count) for node_id, count in counts.items()))


def _this_machine() -> Node:
    return Node(memory_bytes=psutil.virtual_memory().total)


def _counted(node_id: str, gpus: int) -> Node:
    """A node with the GPUs that Ray gives it, which may be fewer than it has, or none."""
    found = _known.get(node_id)
    if found is None:
        # Not answered: of its memory as much as of this machine's is known.
        return Node(memory_bytes=_this_machine().memory_bytes, gpus=gpus)
    return Node(found.memory_bytes, gpus, found.gpu_memory_bytes)


def _ask(node_ids: list[str]) -> None:
    now = time.monotonic()
    due = [one for one in node_ids if now - _asked_in_vain.get(one, -1e9) > _ASK_AGAIN_SECONDS]
    if not due:
        return
    asking: dict[Any, str] = {
        _look.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False)
        ).remote(): node_id
        for node_id in due
    }
    answered, _ = ray.wait(list(asking), num_returns=len(asking), timeout=_PATIENCE_SECONDS)
    for reference, node_id in asking.items():
        try:
            if reference not in answered:
                raise TimeoutError(f"no answer in {_PATIENCE_SECONDS:.0f} s")
            _known[node_id] = ray.get(reference)
        except (RayError, TimeoutError) as error:
            _asked_in_vain[node_id] = now
            log.warning("a node does not tell its hardware", node_id=node_id, error=str(error))


def look() -> Node:
    """This machine, as it is."""
    found = gpus.read()
    return Node(
        memory_bytes=psutil.virtual_memory().total,
        gpus=len(found),
        gpu_memory_bytes=min((gpu.memory_mib for gpu in found), default=0) * 2**20 or None,
    )


_look: Any = ray.remote(num_cpus=0, max_retries=0)(look)
