"""What vLLM's own code says: run as a program, as the import takes seconds.

Reads architectures from stdin; writes bytes of a block and of a request for each, and what a worker
answers that :mod:`jobs.worker_memory` is mixed into.
"""

import json
import sys
from types import SimpleNamespace
from typing import Any

import torch
from vllm.utils.import_utils import resolve_obj_by_qualname
from vllm.v1.core import kv_cache_utils as vllm
from vllm.v1.kv_cache_interface import FullAttentionSpec, MLAAttentionSpec, SlidingWindowSpec
from vllm.v1.kv_cache_layout import KVCacheLayout
from vllm.v1.worker.cpu_worker import CPUWorker

from jobs.worker_memory import QUALIFIED_NAME


def spec(case: dict[str, Any], window: int | None) -> Any:
    common = {"block_size": case["block_tokens"], "dtype": torch.bfloat16}
    if case["latent_dim"]:
        return MLAAttentionSpec(num_kv_heads=1, head_size=case["latent_dim"], **common)
    common |= {"num_kv_heads": case["kv_heads"], "head_size": case["head_dim"]}
    if window is None:
        return FullAttentionSpec(**common)
    return SlidingWindowSpec(sliding_window=window, dcp_sharded=False, **common)


def config(case: dict[str, Any]) -> Any:
    return SimpleNamespace(
        scheduler_config=SimpleNamespace(disable_hybrid_kv_cache_manager=False),
        attention_config=SimpleNamespace(hisparse_config=None),
        cache_config=SimpleNamespace(get_resolved_kv_cache_layout=lambda: KVCacheLayout.LBNHC),
        parallel_config=SimpleNamespace(decode_context_parallel_size=1),
        model_config=SimpleNamespace(max_model_len=case["length"]),
        speculative_config=None,
        max_in_flight_tokens=case["in_flight"],
    )


answers: list[tuple[int, int]] = []
for case in json.load(sys.stdin):
    layers = {f"layers.{i}": spec(case, window) for i, window in enumerate(case["windows"])}
    given = config(case)
    groups = vllm.get_kv_cache_groups(given, layers)
    block = vllm._pool_bytes_per_block(given, groups)
    answers.append((block, vllm._max_memory_usage_bytes_from_groups(given, groups)))

# As WorkerWrapperBase.init_worker does it.
mixed_in = resolve_obj_by_qualname(QUALIFIED_NAME)
clashes = [name for name in vars(mixed_in) if name[:2] != "__" and hasattr(CPUWorker, name)]
CPUWorker.__bases__ = (*CPUWorker.__bases__, mixed_in)
worker = CPUWorker.__new__(CPUWorker)
worker.model_runner = SimpleNamespace(model_memory_usage=5)
worker.total_consumed = 7
report = CPUWorker.report_memory(worker)
print(json.dumps({"blocks": answers, "clashes": clashes, "report": report}))
