"""A replica's requests that fail without an answer, and a replica whose disk becomes full."""

import asyncio
import errno
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import pytest
from disk import resize, small_disk
from factories import chat, chats
from replicas import do

from cluster.space import StorageFull
from cluster.storage import storage
from jobs import parts, patience, results
from jobs.engine import Answer, FakeEngine
from jobs.schemas.benchmarks import BenchmarkSpec
from jobs.schemas.datasets import Dataset

Upload = Callable[..., Dataset]

# Nothing here is about SQL.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Ended(Exception):
    """Stands for the end of the replica's process."""


@pytest.mark.parametrize("stuck", [1, 2])
def test_requests_that_are_never_answered_fail_and_no_others(
    upload: Upload,
    make: Callable[..., BenchmarkSpec],
    start: Any,
    configure: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    stuck: int,
) -> None:
    """One is found at once. Of several, which the engine had together, each is asked alone, since
    one may only have waited behind the other."""

    def end(why: str) -> NoReturn:
        raise Ended(why)

    monkeypatch.setattr(patience, "end_process", end)
    configure(request_timeout_seconds=0.5)
    hanging = [chat(f"stuck-{i}", "fake:hang") for i in range(stuck)]
    spec = make(upload(*chats(30), *hanging, *(chat(f"last-{i}") for i in range(10))))
    ends = 0
    while True:
        try:
            assert sum(do(start(spec), 0, 1)) == 40 + stuck
            break
        except* Ended:
            ends += 1
    assert ends == (1 if stuck == 1 else 1 + stuck)
    page = results.page(spec.benchmark_id, 100, 0)
    assert page.total == 40 + stuck
    failed = [one for one in page.results if one.status_code != 200]
    assert [one.custom_id for one in failed] == [one["custom_id"] for one in hanging]
    for one in failed:
        assert (one.response, one.finish_reason) == (None, None)
        assert one.error is not None
        assert (one.error.code, one.error.message) == ("request_timeout", one.text)


def test_an_answer_that_cannot_be_stored_fails_its_request_alone(
    upload: Upload,
    make: Callable[..., BenchmarkSpec],
    start: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    send = FakeEngine.send

    async def strange(self: FakeEngine, url: str, body: dict[str, Any]) -> Answer:
        if "strange" in str(body):
            return Answer(200, {"id": 2**100, "choices": [{"text": "\ud800"}]})
        return await send(self, url, body)

    monkeypatch.setattr(FakeEngine, "send", strange)
    spec = make(upload(chat("a"), chat("b", "strange"), chat("c")))
    assert do(start(spec), 0) == [3]
    found = results.page(spec.benchmark_id, 10, 0).results
    assert [one.status_code for one in found] == [200, 500, 200]


def test_a_disk_that_becomes_full_stops_it_and_keeps_what_is_finished(
    upload: Upload,
    make: Callable[..., BenchmarkSpec],
    start: Any,
    configure: Callable[..., None],
) -> None:
    configure(min_free_bytes=0)
    # All of the storage: what is written aside is renamed, which is within one disk.
    with small_disk(storage().root, 48) as disk:
        spec = make(upload(*chats(64)))
        with pytest.raises(StorageFull, match=r"Free some space, then retry"):
            do(start(spec), 0, 1)
        kept = parts.unfinished(spec.benchmark_id)
        assert 0 < len(kept) < 64
        assert results.page(spec.benchmark_id, 100, 0).total == len(kept)

        resize(disk, 1024)
        again = start(spec)
        assert do(again, 0, 1) == [32, 32]
        done = results.page(spec.benchmark_id, 100, 0).results
        assert [one.custom_id for one in done] == [f"r-{i}" for i in range(64)]
        requests = {one.row_id: one.response and one.response.request_id for one in done}
        assert all(requests[one["row_id"]] == one["request_id"] for one in kept)


def test_after_a_failure_no_other_chunk_adds_results(
    upload: Upload,
    make: Callable[..., BenchmarkSpec],
    start: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They would come after the benchmark has ended with what was counted then."""
    add, send = parts.Chunk.add, FakeEngine.send

    def full(self: parts.Chunk, *records: parts.Record) -> None:
        if self.index == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        add(self, *records)

    async def later(self: FakeEngine, url: str, body: dict[str, Any]) -> Answer:
        await asyncio.sleep(0.3 if "later" in str(body) else 0)
        return await send(self, url, body)

    monkeypatch.setattr(parts.Chunk, "add", full)
    monkeypatch.setattr(FakeEngine, "send", later)
    spec = make(upload(*chats(32), *(chat(f"later-{i}", "later") for i in range(3))))
    replica = start(spec)

    async def one_call() -> None:
        with pytest.raises(StorageFull):
            await replica({"chunk": np.array([0, 1])})
        await asyncio.sleep(0.6)

    asyncio.run(one_call())
    assert parts.unfinished(spec.benchmark_id) == []
    assert parts.done(spec.benchmark_id) == set()


def test_the_last_space_is_not_for_results(
    upload: Upload,
    make: Callable[..., BenchmarkSpec],
    start: Any,
    configure: Callable[..., None],
) -> None:
    """No request is asked whose answer would take it."""
    spec = make(upload(*chats(3)))
    configure(min_free_bytes=2**60)
    with pytest.raises(StorageFull):
        do(start(spec), 0)
    assert parts.unfinished(spec.benchmark_id) == []


def test_of_a_dead_engine_one_line_is_logged_and_not_one_of_each_request(
    upload: Upload,
    make: Callable[..., BenchmarkSpec],
    start: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def send(*_: object) -> NoReturn:
        raise RuntimeError("EngineCore encountered an issue")

    def end(why: str) -> NoReturn:
        raise Ended(why)

    monkeypatch.setattr(FakeEngine, "send", send)
    monkeypatch.setattr(FakeEngine, "dead", True)
    monkeypatch.setattr(patience, "end_process", end)
    spec = make(upload(*chats(40)))
    ends = 0
    try:
        do(start(spec), 0)
    except* Ended:
        ends += 1
    assert ends == 1
    assert "request failed" not in capsys.readouterr().out
