"""What vLLM's workers measured of their memory: a class that vLLM mixes into them
(``worker_extension_cls``), so that the engine can ask (``collective_rpc``).

It is imported in vLLM's own processes; the names that it reads are those of
``vllm/v1/worker/gpu_worker.py``. A worker on CPU measures none of it but the size of its process.
"""

from typing import Any

import psutil

QUALIFIED_NAME = "jobs.worker_memory.MemoryReport"
_MEASURED = {
    "weights_bytes": "model_memory_usage",  # of its model runner
    "consumed_bytes": "total_consumed",
    "activation_bytes": "peak_activation_memory",
    "kv_cache_bytes": "available_kv_cache_memory_bytes",
}


class MemoryReport:
    """The methods that a worker gets."""

    def report_memory(self) -> dict[str, int]:
        """Bytes, by name; what is not measured is left out."""
        runner: Any = getattr(self, "model_runner", None)
        found = {"process_bytes": psutil.Process().memory_info().rss}
        for name, attribute in _MEASURED.items():
            value = getattr(self, attribute, None) or getattr(runner, attribute, None)
            if value is not None:
                found[name] = int(value)
        return found
