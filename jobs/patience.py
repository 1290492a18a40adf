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


async def answer(engine: Engine, url: str, body: dict[str, Any]) -> Answer:
    """What ``engine`` answers.

    Raises:
        Silent: it was silent for longer than ``request_timeout_seconds``.
    """
    handed_over = time.monotonic()
    limit = settings().request_timeout_seconds
    loop = asyncio.get_running_loop()

    def look() -> None:
        """A timer, and no task of its own: those were a third of what a request cost."""
        nonlocal timer
        left = max(handed_over, engine.last_sign) + limit - time.monotonic()
        if left > 0:
            timer = loop.call_later(left, look)
        else:
            bound.reschedule(loop.time())

    bound = asyncio.timeout(None)
    timer = loop.call_later(limit, look)
    try:
        async with bound:
            return await engine.send(url, body)
    except TimeoutError:
        if not bound.expired():
            raise  # the engine's own
        if not await _responds(engine):
            end_process("the engine does not respond")
        raise Silent(
            f"Not answered: the engine generated nothing for {limit:g} seconds while it "
            "had this request. Does its grammar, regular expression or template ever end?"
        ) from None
    finally:
        timer.cancel()


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


async def _responds(engine: Engine) -> bool:
    try:
        async with asyncio.timeout(settings().stuck_seconds):
            return await engine.responds()
    except TimeoutError:
        return False
