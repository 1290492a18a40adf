"""What a replica tells the tracker, about once a second."""

import asyncio

import structlog

from jobs import tracking
from jobs.engine import Engine
from jobs.schemas.progress import Tally

log = structlog.get_logger()

_REPORT_SECONDS = 1.0


class Reporter:
    """Reports of one replica. It knows nothing of the replica itself, which nothing should hold
    that goes on for ever: it ends, and stops its engine, when Ray Data lets it go."""

    def __init__(
        self, benchmark_id: str, replica: str, engine: Engine, load_seconds: float
    ) -> None:
        self._benchmark_id = benchmark_id
        self._replica = replica
        self._engine = engine
        self._load_seconds = load_seconds
        self._counted: dict[int, Tally] = {}

    def count(self, chunk: int, tally: Tally) -> None:
        """To be said in the next report; counts of a chunk are absolute."""
        self._counted[chunk] = tally

    async def run(self) -> None:
        while True:
            sent, self._counted = self._counted, {}
            said = tracking.Report(
                benchmark_id=self._benchmark_id,
                replica=self._replica,
                load_seconds=self._load_seconds,
                chunks=sent,
                engine=self._engine.load,
            )
            try:
                await tracking.report(said)
            except Exception as error:  # the tracker is away: say it again, newer counts first
                self._counted = sent | self._counted
                log.warning("tracker did not take a report", error=str(error))
            await asyncio.sleep(_REPORT_SECONDS)
