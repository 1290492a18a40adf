"""Requests that were in the engine when it died: suspected, asked alone, given up."""

import asyncio
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from replicas import stop

from cluster.database import session
from jobs import benchmarks, deaths, results, totals
from jobs.engine import Answer, FakeEngine
from jobs.parts import Chunk
from jobs.replica import Replica
from jobs.schemas.benchmarks import Benchmark

POISON = 3

pytestmark = pytest.mark.usefixtures("no_tracker")


@pytest.fixture
def dead(benchmark: Benchmark) -> Callable[..., None]:
    """Leave a journal as after deaths with ``POISON`` in the engine, the last ones alone."""

    def die(times: int, alone: int = 0) -> None:
        for number in range(times):
            chunk = Chunk(benchmark.benchmark_id, 0)
            chunk.open()
            chunk.ask(POISON, alone=number >= times - alone)
            assert chunk._file is not None
            chunk._file.close()

    return die


@pytest.fixture
def in_flight(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """How many requests the engine had at most while it had each, by what they ask."""
    most: dict[str, int] = {}
    now: set[str] = set()

    async def send(engine: FakeEngine, url: str, body: dict) -> Answer:
        text = str(body["messages"][-1]["content"])
        now.add(text)
        await asyncio.sleep(0.01)
        for one in now:
            most[one] = max(most.get(one, 0), len(now))
        now.discard(text)
        return Answer(200, {"choices": [{"message": {"content": text}}]})

    monkeypatch.setattr(FakeEngine, "send", send)
    return most


def run(benchmark_id: str) -> int:
    """Do chunk 0, as Ray Data does."""
    with session() as sql:
        spec = benchmarks.row(sql, benchmark_id).spec
    replica = Replica(spec, on_gpu=False)
    done = asyncio.run(replica({"chunk": np.array([0])}))
    stop(replica)
    return int(done["finished"][0])


def test_after_a_death_or_two_requests_are_asked_as_always(
    benchmark: Benchmark, dead: Callable[..., None], in_flight: dict[str, int]
) -> None:
    dead(deaths.SUSPECTED_AFTER - 1)
    assert run(benchmark.benchmark_id) == 32
    assert in_flight[f"Question {POISON}"] > 1


def test_a_suspect_is_asked_alone(
    benchmark: Benchmark, dead: Callable[..., None], in_flight: dict[str, int]
) -> None:
    dead(deaths.SUSPECTED_AFTER)
    assert run(benchmark.benchmark_id) == 32
    assert in_flight[f"Question {POISON}"] == 1
    assert results.get(benchmark.benchmark_id, POISON).result.text == f"Question {POISON}"


def test_who_dies_alone_again_gets_an_error_and_the_others_their_answers(
    benchmark: Benchmark, dead: Callable[..., None], in_flight: dict[str, int]
) -> None:
    dead(deaths.SUSPECTED_AFTER + deaths.CONVICTED_AFTER, alone=deaths.CONVICTED_AFTER)
    assert run(benchmark.benchmark_id) == 32
    assert f"Question {POISON}" not in in_flight
    found = results.get(benchmark.benchmark_id, POISON).result
    assert (found.response, found.status_code) == (None, 0)
    assert found.error is not None
    assert found.error.code == "engine_died"
    assert totals.count(benchmark.benchmark_id).completed == 31
