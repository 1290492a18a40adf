"""vLLM's statistics as a sign of life. It needs vLLM, so the engine imports it when it starts."""

from collections.abc import Callable
from typing import Any

from vllm.v1.metrics.loggers import StatLoggerBase


class Pulse(StatLoggerBase):
    """Calls ``beat`` at each step in which the engine generated something."""

    def __init__(self, beat: Callable[[], None], vllm_config: Any, engine_index: int = 0) -> None:
        self._beat = beat

    def record(
        self,
        scheduler_stats: Any,
        iteration_stats: Any,
        mm_cache_stats: Any = None,
        engine_idx: int = 0,
    ) -> None:
        if iteration_stats is not None:
            self._beat()

    def log_engine_initialized(self) -> None:
        self._beat()
