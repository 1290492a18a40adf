"""Bounds on what a request may do to its engine, so that none can hang a benchmark.

How long an answer takes says nothing: on a slow machine an hour can be right. But as long as an
engine is well, it generates something all the time. So the clock of a request runs only while its
engine is silent:

- The engine is silent but responds: it is stuck on one of the requests that it has (a grammar that
  never compiles, say), and others may wait behind it. If it has only one, that one fails, with
  :class:`Silent`; of several, each is asked alone (:mod:`jobs.replica`).
- The engine's process does not respond, or the event loop of this one is stuck (a chat template
  that never ends): nothing here can go on. The process ends, and :mod:`jobs.deaths` finds out.
"""

import asyncio
import faulthandler
import os
import time
from typing import Any, NoReturn

import structlog

from cluster.settings import settings
from jobs.engine import Answer, Engine

log = structlog.get_logger()

_BEATS = 10
_STDERR = 2


class Silent(Exception):
    """The engine has done nothing for too long while it had this request."""


class Bounded:
    """An engine whose silence is bounded. Of one event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: dict[asyncio.Task[Any], float] = {}
        """When each task handed its request over, the oldest first."""
        self._out_of_time: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def answer(self, url: str, body: dict[str, Any]) -> Answer:
        """What the engine answers. Once at a time in a task.

        Raises:
            Silent: it was silent for longer than ``request_timeout_seconds``.
        """
        # As asyncio.timeout does it, whose object for each request took an eighth of the replica's
        # time beside an engine that answers at once.
        task = asyncio.current_task()
        assert task is not None
        self._waiting[task] = time.monotonic()
        if self._timer is None:
            self._look_in(settings().request_timeout_seconds)
        try:
            return await self._engine.send(url, body)
        except asyncio.CancelledError:
            if task.cancelling() > (task in self._out_of_time):
                raise  # by somebody else
        finally:
            del self._waiting[task]
            if task in self._out_of_time:
                self._out_of_time.remove(task)
                task.uncancel()
        if not await self._responds():
            end_process("the engine does not respond")
        raise Silent(
            "Not answered: the engine generated nothing for "
            f"{settings().request_timeout_seconds:g} seconds while it had this request. "
            "Does its grammar, regular expression or template ever end?"
        )

    def _look_in(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        """One timer for all: one for each was a part of what a request cost."""
        self._timer = None
        limit = settings().request_timeout_seconds
        for task, handed_over in self._waiting.items():
            if task in self._out_of_time:
                continue
            left = max(handed_over, self._engine.last_sign) + limit - time.monotonic()
            if left > 0:
                # Who came later has longer.
                self._look_in(left)
                return
            self._out_of_time.add(task)
            task.cancel()

    async def _responds(self) -> bool:
        try:
            async with asyncio.timeout(settings().stuck_seconds):
                return await self._engine.responds()
        except TimeoutError:
            return False


async def watch_loop() -> None:
    """End this process when its event loop is stuck for ``stuck_seconds``.

    By a thread that needs no GIL, since a regular expression holds it for as long as it runs. What
    every thread was doing is written to the log first.
    """
    limit = settings().stuck_seconds
    try:
        while True:
            faulthandler.dump_traceback_later(limit, exit=True, file=_STDERR)
            await asyncio.sleep(limit / _BEATS)
    finally:
        faulthandler.cancel_dump_traceback_later()


def end_process(why: str) -> NoReturn:
    """End this replica at once; Ray starts another, which goes on with what is missing."""
    log.error("replica ends", why=why)
    os._exit(1)
