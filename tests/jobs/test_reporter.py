"""What a replica says, and what becomes of it while nobody listens; and how a replica ends."""

import asyncio
import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest
from factories import chats, model_entry
from replicas import do

from jobs import reporter, tracking
from jobs.engine import FakeEngine
from jobs.replica import Replica
from jobs.reporter import Reporter
from jobs.schemas.benchmarks import BenchmarkSpec
from jobs.schemas.datasets import Dataset
from jobs.schemas.models import ModelSpec
from jobs.schemas.progress import Tally


def test_what_was_not_taken_is_said_again_with_newer_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = ModelSpec.model_validate(model_entry())
    monkeypatch.setattr(reporter, "_REPORT_SECONDS", 0.01)
    said: list[dict[int, Tally]] = []
    reports = Reporter("bm_1", "node-1", FakeEngine(model), 5.0)

    async def report(one: tracking.Report) -> None:
        assert (one.benchmark_id, one.replica, one.load_seconds) == ("bm_1", "node-1", 5.0)
        said.append(one.chunks)
        if len(said) == 1:
            reports.count(1, Tally(completed=7))  # while it waits for an answer
            raise ConnectionError("the tracker is away")

    monkeypatch.setattr(tracking, "report", report)
    reports.count(0, Tally(completed=2))
    reports.count(1, Tally(completed=3))

    async def for_a_while() -> None:
        running = asyncio.create_task(reports.run())
        while len(said) < 3:
            await asyncio.sleep(0.01)
        running.cancel()

    asyncio.run(for_a_while())
    # The first comes at once: a short benchmark is over after a second.
    assert said[0] == {0: Tally(completed=2), 1: Tally(completed=3)}
    assert said[1] == {0: Tally(completed=2), 1: Tally(completed=7)}
    assert said[2] == {}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_replica_that_is_let_go_stops_its_engine(
    upload: Callable[..., Dataset],
    make: Callable[[Dataset], BenchmarkSpec],
    no_tracker: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As Ray Data does at the end of the work. What reports for ever must not hold it."""
    stopped = threading.Event()

    async def stop(_: Any) -> None:
        stopped.set()

    monkeypatch.setattr(FakeEngine, "stop", stop)
    replica = Replica(make(upload(*chats(3))).model_dump(mode="json"), on_gpu=False)
    loop, going_on = replica._loop, (replica._reporting, replica._watching)
    assert do(replica, 0) == [3]
    assert not stopped.is_set()
    del replica
    gc.collect()  # a call that has just ended may be part of a cycle
    assert stopped.wait(5)
    for one in going_on:
        one.cancel()
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0.1), loop).result()
    loop.call_soon_threadsafe(loop.stop)
