"""Requests that would hang a benchmark: what is bounded, and what is only slow."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from factories import CHAT, model

from jobs import patience
from jobs.engine import Answer, FakeEngine
from jobs.patience import Bounded, Silent


def body(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


@pytest.fixture(autouse=True)
def _limits(configure: Callable[..., None]) -> None:
    configure(request_timeout_seconds=0.5, stuck_seconds=0.5)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(model(engine_args={"request_seconds": 0.01}))


async def test_an_answer_is_passed_on(engine: FakeEngine) -> None:
    answer = await Bounded(engine).answer(CHAT, body("Hello"))
    assert (answer.status_code, engine.last_sign <= time.monotonic()) == (200, True)


async def test_a_request_that_is_never_answered_fails_alone(engine: FakeEngine) -> None:
    bounded = Bounded(engine)
    hanging = asyncio.create_task(bounded.answer(CHAT, body("fake:hang")))
    assert (await bounded.answer(CHAT, body("Hello"))).status_code == 200
    with pytest.raises(Silent, match=r"nothing for 0\.5 seconds"):
        await hanging
    assert (await bounded.answer(CHAT, body("Hello again"))).status_code == 200


async def test_the_request_is_taken_from_the_engine() -> None:
    taken = asyncio.Event()

    class Noticing(FakeEngine):
        async def send(self, url: str, body: dict[str, Any]) -> Answer:
            try:
                return await super().send(url, body)
            finally:
                taken.set()

    with pytest.raises(Silent):
        await Bounded(Noticing(model())).answer(CHAT, body("fake:hang"))
    await taken.wait()


async def test_who_cancels_a_request_is_not_told_that_the_engine_is_silent(
    engine: FakeEngine,
) -> None:
    hanging = asyncio.create_task(Bounded(engine).answer(CHAT, body("fake:hang")))
    await asyncio.sleep(0.1)
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging


@pytest.mark.parametrize("swallowed", [False, True])
async def test_a_request_that_is_silenced_leaves_its_task_as_it_was(swallowed: bool) -> None:
    """Not marked as cancelled, also if the engine answers all the same, or a task group over it
    would take that for its own."""

    class Swallowing(FakeEngine):
        async def send(self, url: str, body: dict[str, Any]) -> Answer:
            try:
                return await super().send(url, body)
            except asyncio.CancelledError:
                if swallowed:
                    return Answer(200, {})
                raise

    asked = Bounded(Swallowing(model())).answer(CHAT, body("fake:hang"))
    if swallowed:
        assert (await asked).status_code == 200
    else:
        with pytest.raises(Silent):
            await asked
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_the_clock_stands_still_while_the_engine_generates(
    engine: FakeEngine, configure: Callable[..., None]
) -> None:
    """Slowness is no fault: as long as anything is answered, a request may wait."""
    configure(request_timeout_seconds=1.5)
    waiting = asyncio.create_task(Bounded(engine).answer(CHAT, body("fake:hang")))
    for _ in range(20):
        await asyncio.sleep(0.1)
        await engine.send(CHAT, body("another"))
        assert not waiting.done()
    last = time.monotonic()
    with pytest.raises(Silent):
        await waiting
    assert time.monotonic() - last > 1


async def test_an_engine_that_fails_says_so_itself(engine: FakeEngine) -> None:
    class Failing(FakeEngine):
        async def send(self, *_: Any) -> Answer:
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await Bounded(Failing(model())).answer(CHAT, body("Hello"))


async def test_an_engine_that_does_not_even_respond_ends_its_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Wedged(FakeEngine):
        async def responds(self) -> bool:
            await asyncio.Event().wait()
            return True

    def end(why: str) -> NoReturn:
        raise SystemError(why)

    monkeypatch.setattr(patience, "end_process", end)
    with pytest.raises(SystemError, match="does not respond"):
        await Bounded(Wedged(model())).answer(CHAT, body("fake:hang"))


LOOP = """
import asyncio, sys
from factories import CHAT, model
from jobs import patience
from jobs.engine import FakeEngine

async def main():
    watching = asyncio.create_task(patience.watch_loop())
    engine = FakeEngine(model())
    await asyncio.sleep(1.2)  # longer than the limit: a loop that only waits is not stuck
    print("alive", flush=True)
    asked = {"messages": [{"role": "user", "content": sys.argv[1]}]}
    await patience.Bounded(engine).answer(CHAT, asked)
    watching.cancel()
    await asyncio.sleep(1.2)
    print("done", flush=True)

asyncio.run(main())
"""


def run_loop(text: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(sys.path)
    return subprocess.run(
        [sys.executable, "-c", LOOP, text],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_loop_that_is_stuck_in_a_regular_expression_ends_its_process() -> None:
    """The expression holds the GIL, so no thread of Python could end it."""
    ended = run_loop("fake:block")
    assert (ended.returncode, ended.stdout) == (1, "alive\n")
    assert "Timeout" in ended.stderr
    assert "re/__init__.py" in ended.stderr


def test_a_loop_that_is_well_goes_on() -> None:
    ended = run_loop("Hello")
    assert (ended.returncode, ended.stdout) == (0, "alive\ndone\n"), ended.stderr
