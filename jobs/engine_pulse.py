"""vLLM's statistics: a sign of life, and load. It needs vLLM: imported when an engine starts."""

from collections.abc import Callable
from typing import Any

from vllm.v1.metrics.loggers import StatLoggerBase

from jobs.schemas.progress import EngineLoad


class Pulse(StatLoggerBase):
    """Calls ``beat`` at each step in which the engine generated something, with what it has to do
    as far as the step tells."""

    def __init__(
        self,
        beat: Callable[[EngineLoad | None], None],
        vllm_config: Any,
        engine_index: int = 0,
    ) -> None:
        self._beat = beat

    def record(
        self,
        scheduler_stats: Any,
        iteration_stats: Any,
        mm_cache_stats: Any = None,
        engine_idx: int = 0,
    ) -> None:
        if iteration_stats is not None:
            self._beat(_load(scheduler_stats) if scheduler_stats is not None else None)

    def log_engine_initialized(self) -> None:
        self._beat(None)


def _load(stats: Any) -> EngineLoad:
    return EngineLoad(
        running=stats.num_running_reqs,
        waiting=stats.num_waiting_reqs + stats.num_skipped_waiting_reqs,
        kv_cache_usage=stats.kv_cache_usage,
    )
