"""Ending a replica that a test has made in its own process; Ray just ends the process."""

import asyncio
import time

from jobs.replica import Replica


def stop(replica: Replica) -> None:
    replica._watching.cancel()
    replica._reporting.cancel()
    # They have to take notice before the loop stops.
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0.1), replica._loop).result()
    replica._loop.call_soon_threadsafe(replica._loop.stop)
    while replica._loop.is_running():
        time.sleep(0.01)
    replica._loop.close()
