"""Bare Ray Data over the same rows: read, ``map_batches``, write; no journal, no progress, no SQL.

    PYTHONPATH=.:tests python -m bench.bare REQUESTS.parquet OUT LOG

The actor answers each row by the same fake engine and writes the same columns.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import ray
import ray.data
from bench.processes import cpu_seconds
from bench.service import INSTANT
from ray.data import ActorPoolStrategy, DataContext

from jobs import parts
from jobs.engine import FakeEngine
from jobs.replica import prepare, record
from jobs.schemas.models import ModelSpec


class Answers:
    """The callable class: a batch of requests to a batch of results."""

    def __init__(self) -> None:
        self._engine = FakeEngine(ModelSpec.model_validate(INSTANT))

    def __call__(self, batch: pa.Table) -> pa.Table:
        return asyncio.run(self._answer(batch.to_pylist()))

    async def _answer(self, rows: list[dict[str, Any]]) -> pa.Table:
        records = await asyncio.gather(*(self._one(row) for row in rows))
        return parts.table(records)

    async def _one(self, row: dict[str, Any]) -> parts.Record:
        began = time.monotonic()
        body = prepare(row["url"], orjson.loads(row["body"]), {})
        answer = await self._engine.send(row["url"], body)
        return record(row, answer, (time.monotonic() - began) * 1000, "bare")


def main() -> None:
    rows, out, log = sys.argv[1:]
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False)
    DataContext.get_current().enable_progress_bars = False
    began = time.time()
    ray.data.read_parquet(rows).map_batches(
        Answers,
        batch_size=1024,
        batch_format="pyarrow",
        compute=ActorPoolStrategy(size=1),
    ).write_parquet(out)
    ended = time.time()
    written = pq.read_table(out, columns=["row_id", "finished_at", "latency_ms"])
    # Counted from the first row: starting the workers, a few seconds, is not orchestration.
    first = min(
        at.timestamp() - taken / 1000
        for at, taken in zip(
            written["finished_at"].to_pylist(), written["latency_ms"].to_pylist(), strict=True
        )
    )
    assert first > began
    measured = {
        "seconds": ended - first,
        "rows": written.num_rows,
        # Ray's own processes are its children, and workers are theirs.
        "cpu_seconds": cpu_seconds([psutil.Process(), *psutil.Process().children(recursive=True)]),
    }
    Path(log).write_bytes(orjson.dumps(measured))


if __name__ == "__main__":
    main()
