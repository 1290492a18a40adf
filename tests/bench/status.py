"""Status: what a progress update costs, and the list of benchmarks with many stored and watched."""

import asyncio
import time
from collections.abc import Iterator

import httpx
import numpy as np
from bench import service, stored
from bench.figures import Figure
from bench.processes import settle
from rich.console import Console

from jobs.progress import Progress
from jobs.schemas.progress import Tally

_STORED, _WATCHERS = 1000, 100
_POLL_SECONDS = 2.0


def measure(repeat: int, seed: int, *, quick: bool, say: Console) -> Iterator[Figure]:
    del seed
    watched = 10.0 if quick else 20.0
    update = Figure(
        "e", "Progress update of 8 chunks, folded and forecast, without SQL", "ms", {"tracker": []}
    )
    listed = Figure("e", f"List of benchmarks, {_STORED} stored, {_WATCHERS} watchers", "ms", {})
    listed.target = "p99 ≤ 100"
    with service.service([service.INSTANT]) as stage:
        dataset_id = stored.dataset(stage, 100)
        ids = [f"bm_stored_{i}" for i in range(_STORED)]
        stored.enter(stage, service.INSTANT, dataset_id, ids, 100)
        settle(stage.session)
        for _ in range(repeat):
            update.values["tracker"].append(_update_ms())
            times = asyncio.run(_watch(service.url(stage), watched))
            for name, percent in (("p50", 50), ("p99", 99)):
                listed.values.setdefault(name, []).append(float(np.percentile(times, percent)))
            say.print(f"e: {len(times)} reads, p99 {listed.values['p99'][-1]:.0f} ms")
    return iter([update, listed])


def _update_ms() -> float:
    progress = Progress(10**6, 0.0)
    began = time.process_time()
    for second in range(1000):
        done = Tally(completed=second + 1, output_tokens=second)
        progress.fold(dict.fromkeys(range(8), done), 1.0)
        progress.sample(float(second))
        progress.eta(float(second))
    return time.process_time() - began


async def _watch(url: str, seconds: float) -> list[float]:
    times: list[float] = []
    limits = httpx.Limits(max_connections=_WATCHERS)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
        # As the web page asks: the newest.
        watching = (_poll(client, i, seconds, times) for i in range(_WATCHERS))
        await asyncio.gather(*watching)
    return times


async def _poll(client: httpx.AsyncClient, i: int, seconds: float, times: list[float]) -> None:
    await asyncio.sleep(_POLL_SECONDS * i / _WATCHERS)
    end = time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        answer = await client.get("/admin/benchmarks", params={"limit": 50})
        answer.raise_for_status()
        times.append((time.monotonic() - began) * 1000)
        await asyncio.sleep(max(_POLL_SECONDS - (time.monotonic() - began), 0))
