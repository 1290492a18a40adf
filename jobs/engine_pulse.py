"""vLLM's statistics: a sign of life, and load. It needs vLLM: imported when an engine starts."""

from collections.abc import Callable
from typing import Any

from vllm.v1.metrics.loggers import StatLoggerBase

from jobs.schemas.progress import EngineLoad


class Pulse(StatLoggerBase):
    """Calls ``beat`` once the engine is there and at each step in which it generated something,
    with what it has to do as far as the step tells."""

    def __init__(
        self,
        beat: Callable[[EngineLoad], None],
        vllm_config: Any,
        engine_index: int = 0,
    ) -> None:
        self._beat = beat
        self._load = EngineLoad()

    def record(
        self,
        scheduler_stats: Any,
        iteration_stats: Any,
        mm_cache_stats: Any = None,
        engine_idx: int = 0,
    ) -> None:
        if iteration_stats is None:
            return
        done = {
            "prompt_tokens": self._load.prompt_tokens + iteration_stats.num_prompt_tokens,
            "output_tokens": self._load.output_tokens + iteration_stats.num_generation_tokens,
        }
        to_do = _to_do(scheduler_stats) if scheduler_stats is not None else {}
        self._load = self._load.model_copy(update=done | to_do)
        self._beat(self._load)

    def log_engine_initialized(self) -> None:
        self._beat(self._load)


def _to_do(stats: Any) -> dict[str, Any]:
    return {
        "running": stats.num_running_reqs,
        "waiting": stats.num_waiting_reqs + stats.num_skipped_waiting_reqs,
        "kv_cache_usage": stats.kv_cache_usage,
    }
