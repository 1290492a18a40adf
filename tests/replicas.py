"""Replicas that a test makes in its own process: doing chunks, and ending; Ray just ends theirs."""

import asyncio
import time

import numpy as np

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


def do(replica: Replica, *chunks: int) -> list[int]:
    """Finished requests of each chunk, done at once."""

    async def all_at_once() -> list[int]:
        done = [replica({"chunk": np.array([index])}) for index in chunks]
        return [int(one["finished"][0]) for one in await asyncio.gather(*done)]

    return asyncio.run(all_at_once())
