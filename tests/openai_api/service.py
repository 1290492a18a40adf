"""The service without Ray: the real application, files, batches and results; `python -m`.

Ray would take seconds for each of the suite's many batches, and what is looked at here is how the
API speaks. So a thread stands for the tracker, and one for each benchmark's job: it asks the fake
engine and writes results as a replica does. tests/integration and tests/e2e run batches on Ray.
"""

import asyncio
import os
import sys
import threading
import time

import uvicorn
from sqlalchemy import select

from cluster.database import migrate, session
from cluster.logs import configure_logs
from jobs import (
    batch_steps,
    benchmarks,
    engine,
    files,
    registry,
    replica,
    request_file,
    scheduler,
)
from jobs.models import BenchmarkRow
from jobs.parts import Chunk
from jobs.schemas.benchmarks import BenchmarkSpec, Placement, Status
from serve_app import tracking
from serve_app.app import create_app

TICK_SECONDS = 0.05


def main() -> None:
    configure_logs()
    migrate()
    registry.load()
    tracking.wake = lambda: None  # there is no tracker to wake
    threading.Thread(target=_track, daemon=True).start()
    # A service whose parent is gone would stay for ever.
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    uvicorn.run(create_app(), port=int(sys.argv[1]), log_level="warning")


def _track() -> None:
    while True:
        batch_steps.step()
        files.remove_expired()
        for queued in _queued():
            if queued.model_id == "broken":
                scheduler.settle(queued.id, Status.FAILED, "no config.json in /nonexistent")
            elif _admit(queued.id):
                threading.Thread(target=_run, args=(queued.id,), daemon=True).start()
        time.sleep(TICK_SECONDS)


def _queued() -> list[BenchmarkRow]:
    query = select(BenchmarkRow).where(BenchmarkRow.status == Status.QUEUED.value)
    with session() as sql:
        return list(sql.scalars(query.order_by(BenchmarkRow.created_at)))


def _admit(benchmark_id: str) -> bool:
    placement = Placement(replicas=1, gpus_per_replica=0).model_dump()
    with session() as sql:
        return benchmarks.advance(
            sql, benchmark_id, [Status.QUEUED], Status.RUNNING, placement=placement
        )


def _run(benchmark_id: str) -> None:
    with session() as sql:
        spec = BenchmarkSpec.model_validate(benchmarks.row(sql, benchmark_id).spec)
    done = asyncio.run(_answer(spec))
    scheduler.settle(benchmark_id, Status.COMPLETED if done else Status.CANCELLED)


async def _answer(spec: BenchmarkSpec) -> bool:
    """Answer every request; false if the benchmark was cancelled before the last."""
    fake = engine.create(spec, on_gpu=False)
    await fake.start()
    rows = request_file.Reader(spec.dataset_id)
    completed = failed = 0
    for first in range(0, spec.total, spec.chunk_rows):
        chunk = Chunk(spec.benchmark_id, first // spec.chunk_rows)
        chunk.open()
        for row in rows.rows(first, first + spec.chunk_rows):
            if not _goes_on(spec.benchmark_id, completed, failed):
                return False
            body = replica.prepare(row["url"], replica.orjson.loads(row["body"]), {})
            answer = await fake.send(row["url"], body)
            chunk.add(replica.record(row, answer, 1.0, "conformance"))
            completed += answer.status_code < 300
            failed += answer.status_code >= 300
        chunk.finish()
    return True


def _goes_on(benchmark_id: str, completed: int, failed: int) -> bool:
    with session() as sql:
        return benchmarks.advance(
            sql,
            benchmark_id,
            [Status.RUNNING],
            Status.RUNNING,
            completed=completed,
            failed=failed,
        )


def _end_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


if __name__ == "__main__":
    main()
