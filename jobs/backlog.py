"""What is to be graded next: the tracker asks each second and has it done by a Ray task.

One at a time, because grading is a loop in Python that takes a core, and engines need theirs.
"""

import time
from collections.abc import Iterator
from typing import Any

import orjson
import ray
import structlog
from ray.exceptions import RayError
from sqlalchemy import or_, select

from cluster.database import session
from jobs import scorer
from jobs.models import BenchmarkRow, GraderRow, JudgementRow
from jobs.schemas.datasets import Kind

log = structlog.get_logger()

# A benchmark at work is looked at again after this, so that its scores follow it.
_LIVE_SECONDS = 5.0
# The storage is full, or away.
_FAILED_SECONDS = 60.0

State = bytes


class Backlog:
    """The benchmarks whose scores are not what their graders and results ask for."""

    def __init__(self) -> None:
        self._task: Any = None
        self._at: tuple[str, State] = ("", b"")
        self._settled: dict[str, State] = {}
        self._not_before: dict[str, float] = {}

    def step(self) -> None:
        """See whether the last task has ended, and start the next."""
        if self._task is not None and not self._ended():
            return
        now = time.monotonic()
        for benchmark_id, state in due():
            waiting = now < self._not_before.get(benchmark_id, 0.0)
            if self._settled.get(benchmark_id) != state and not waiting:
                self._start(benchmark_id, state)
                return

    def _start(self, benchmark_id: str, state: State) -> None:
        refresh: Any = ray.remote(scorer.refresh)
        self._at = (benchmark_id, state)
        self._not_before[benchmark_id] = time.monotonic() + _LIVE_SECONDS
        self._task = refresh.options(num_cpus=0, max_retries=0).remote(benchmark_id)

    def _ended(self) -> bool:
        ready, _ = ray.wait([self._task], timeout=0)
        if not ready:
            return False
        benchmark_id, state = self._at
        try:
            ray.get(self._task)
            self._settled[benchmark_id] = state
        except RayError as error:
            log.error("grading failed", benchmark_id=benchmark_id, error=str(error))
            self._not_before[benchmark_id] = time.monotonic() + _FAILED_SECONDS
        self._task = None
        return True


def due() -> Iterator[tuple[str, State]]:
    """Benchmarks that have graders, and all that their scores depend on: when one's state is what
    it was when it was graded, there is nothing to do."""
    with session() as sql:
        graders = sql.execute(
            select(
                GraderRow.id,
                GraderRow.dataset_id,
                GraderRow.benchmark_id,
                GraderRow.spec,
                GraderRow.revision,
            )
        ).all()
        judgements = sql.execute(
            select(
                JudgementRow.judge_id,
                JudgementRow.benchmark_id,
                JudgementRow.against_id,
                BenchmarkRow.completed_at,
            ).join(BenchmarkRow, BenchmarkRow.id == JudgementRow.judge_id)
        ).all()
        datasets = {one.dataset_id for one in graders if one.dataset_id is not None}
        judged = {one.benchmark_id for one in (*graders, *judgements)}
        judged |= {one.against_id for one in judgements}
        rows = sql.execute(
            select(
                BenchmarkRow.id,
                BenchmarkRow.dataset_id,
                BenchmarkRow.completed_at,
                BenchmarkRow.completed + BenchmarkRow.failed,
            ).where(
                BenchmarkRow.kind == Kind.ORDINARY.value,
                or_(BenchmarkRow.dataset_id.in_(datasets), BenchmarkRow.id.in_(judged - {None})),
            )
        ).all()
    for benchmark_id, dataset_id, completed_at, finished in rows:
        own = [
            (one.id, one.spec, one.revision)
            for one in graders
            if dataset_id == one.dataset_id or benchmark_id == one.benchmark_id
        ]
        asked = [
            (one.judge_id, one.completed_at)
            for one in judgements
            if benchmark_id in (one.benchmark_id, one.against_id)
        ]
        yield benchmark_id, orjson.dumps([completed_at, finished, own, asked])
