"""The KV cache: against vLLM's own arithmetic, and what it has logged elsewhere."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from published import CONFIGS

from jobs import architecture, kv_cache
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


def test_blocks_are_those_of_vllm_and_its_workers_tell_their_memory() -> None:
    cases, expected = [], []
    for hub_id in CONFIGS:
        shape = architecture.read(CONFIGS[hub_id])
        for gpus, block_tokens, length in ((1, 16, 8192), (4, 128, 1000), (16, 16, 100_001)):
            ours = layout(hub_id, gpus, block_tokens)
            expected.append([ours.block_bytes, kv_cache.needed(ours, length) - ours.block_bytes])
            cases.append(
                {
                    "windows": shape.windows,
                    "latent_dim": shape.latent_dim,
                    "kv_heads": max(1, shape.kv_heads // gpus),
                    "head_dim": shape.head_dim,
                    "block_tokens": block_tokens,
                    "length": length,
                    "in_flight": 4096,
                }
            )
    program = Path(__file__).with_name("vllm_says.py")
    done = subprocess.run(
        [sys.executable, program],
        input=json.dumps(cases).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["blocks"] == expected
    assert said["clashes"] == []
    assert said["report"].pop("process_bytes") > 2**26
    assert said["report"] == {"weights_bytes": 5, "consumed_bytes": 7}


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
