"""The hardware of the cluster. Ray is a stand-in here."""

from typing import Any

import pytest
import ray

from jobs import hardware
from jobs.fit import Node
from jobs.gpus import Gpu

GIB = 2**30


def test_reading_without_ray_starts_none() -> None:
    found = hardware.read()
    assert found.gpus == 0
    assert [node.memory_bytes > 2**28 for node in found.nodes] == [True]
    assert not ray.is_initialized()


def test_a_machine_is_as_large_as_its_smallest_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Gpu(name="a", memory_mib=size, driver="1") for size in (80_000, 24_000)]
    monkeypatch.setattr(hardware.gpus, "read", lambda: found)
    assert hardware.look().gpu_memory_bytes == 24_000 * 2**20
    monkeypatch.setattr(hardware.gpus, "read", list)
    assert hardware.look().gpu_memory_bytes is None


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Nodes by id: what Ray says of them, and what they answer themselves (none: nothing)."""
    nodes: dict[str, Any] = {}
    asked: list[str] = []

    def ask(node_ids: list[str]) -> None:
        asked.extend(node_ids)
        for node_id in node_ids:
            if nodes[node_id]["answer"] is not None:
                hardware._known[node_id] = nodes[node_id]["answer"]

    monkeypatch.setattr(hardware, "_known", {})
    monkeypatch.setattr(hardware, "_ask", ask)
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(
        ray,
        "nodes",
        lambda: [
            {
                "NodeID": one,
                "Alive": node["alive"],
                "Resources": {"CPU": node["cpus"], "GPU": node["gpus"]},
            }
            for one, node in nodes.items()
        ],
    )
    return {"nodes": nodes, "asked": asked}


def node(
    gpus: int = 0, answer: Node | None = None, *, alive: bool = True, cpus: int = 4
) -> dict[str, Any]:
    return {"gpus": gpus, "answer": answer, "alive": alive, "cpus": cpus}


def test_a_head_that_runs_no_engine_does_not_count(cluster: dict[str, Any]) -> None:
    worker = Node(memory_bytes=64 * GIB)
    cluster["nodes"] |= {"head": node(cpus=0), "a": node(answer=worker), "b": node(answer=worker)}
    assert hardware.read().nodes == (worker, worker)


def test_a_cluster_that_scales_from_zero_has_nothing_yet(cluster: dict[str, Any]) -> None:
    cluster["nodes"]["head"] = node(cpus=0)
    assert hardware.read().nodes == ()


def test_one_node_without_gpus_is_this_machine(cluster: dict[str, Any]) -> None:
    cluster["nodes"]["a"] = node()
    assert hardware.read().nodes[0].memory_bytes > 0
    assert cluster["asked"] == []


def test_each_node_is_asked_once_while_it_is_known(cluster: dict[str, Any]) -> None:
    big = Node(memory_bytes=GIB, gpus=8, gpu_memory_bytes=80 * GIB)
    cluster["nodes"] |= {"a": node(), "b": node(2, big), "gone": node(8, big, alive=False)}
    found = hardware.read()
    # Ray gives two of its eight GPUs away.
    assert found.nodes[1] == Node(GIB, 2, 80 * GIB)
    assert found.gpus == 2
    assert found.places(2) == [found.nodes[1]]
    cluster["asked"].clear()
    hardware.read()
    assert cluster["asked"] == ["a"]  # it has not answered


def test_a_node_that_does_not_answer_is_left_alone_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = "a" * 56, "b" * 56  # as Ray wants ids of nodes
    asked: list[str] = []

    class Look:
        def options(self, *, scheduling_strategy: Any) -> "Look":
            asked.append(scheduling_strategy.node_id)
            return self

        def remote(self) -> str:
            return asked[-1]

    monkeypatch.setattr(hardware, "_known", {})
    monkeypatch.setattr(hardware, "_asked_in_vain", {})
    monkeypatch.setattr(hardware, "_look", Look())
    monkeypatch.setattr(ray, "wait", lambda *_, **__: ([one], [other]))
    monkeypatch.setattr(ray, "get", lambda _: Node(GIB))
    hardware._ask([one, other])
    hardware._ask([other])
    assert asked == [one, other]
    assert hardware._known == {one: Node(GIB)}
    monkeypatch.setattr(hardware, "_ASK_AGAIN_SECONDS", -1.0)
    hardware._ask([other])
    assert asked == [one, other, other]


def test_gpus_of_a_node_that_does_not_answer_are_of_unknown_size(cluster: dict[str, Any]) -> None:
    cluster["nodes"]["a"] = node(4)
    assert [(one.gpus, one.gpu_memory_bytes) for one in hardware.read().nodes] == [(4, None)]
