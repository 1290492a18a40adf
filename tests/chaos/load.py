"""Many people watch and upload while a benchmark runs: what they wait, and what it costs.

    PYTHONPATH=.:tests python -m chaos.load

Runs the same benchmark on the fake engine twice, alone and under load, in turn, and compares its
rate; every status that watchers read must be valid and never go back.
"""

import asyncio
import shutil
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import httpx
import numpy as np
import orjson
import typer
from chaos.stage import Stage, wait_until
from factories import model_entry
from integration.api import chat
from rich.console import Console

_MODEL = model_entry(
    model_id="fake/steady",
    name="Fake, steady",
    # 2 x 256 in flight, 0.256 s each: 2,000 requests a second, as long as the machine keeps up.
    max_num_seqs=256,
    engine_args={"request_seconds": 0.256},
)
_POLL_SECONDS = 2.0


@dataclass
class Watched:
    """What all watchers and uploaders saw."""

    milliseconds: list[float] = field(default_factory=list)
    upload_seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def _lines(prefix: str, count: int) -> bytes:
    requests = (chat(f"{prefix}-{i}", f"{prefix}-{i}: say something") for i in range(count))
    return b"".join(orjson.dumps(one) + b"\n" for one in requests)


def _start(stage: Stage, dataset_id: str) -> str:
    asked = {"model_id": _MODEL["model_id"], "dataset_id": dataset_id, "sampling": {}}
    return stage.request("POST", "/admin/benchmarks/run", json=asked).json()["benchmark_id"]


def _rate(stage: Stage, benchmark_id: str) -> float:
    """Requests a second, from the first hand-over to the last result, once it has ended."""
    path = f"/admin/benchmarks/{benchmark_id}"

    def ended() -> bool:
        return stage.request("GET", path).json()["status"] in ("completed", "failed")

    wait_until(ended, "the benchmark to end")
    one = stage.request("GET", path).json()
    assert (one["status"], one["completed"]) == ("completed", one["total"]), one
    # The fake gives 16 output tokens to each request.
    return one["throughput"] / 16


async def _watch(client: httpx.AsyncClient, benchmark_id: str, seen: Watched, number: int) -> None:
    await asyncio.sleep(_POLL_SECONDS * number / 200)
    finished = 0
    while True:
        began = time.monotonic()
        try:
            answer = await client.get(f"/admin/benchmarks/{benchmark_id}")
        except httpx.HTTPError as error:
            seen.errors.append(repr(error))
            return
        seen.milliseconds.append((time.monotonic() - began) * 1000)
        if answer.status_code != 200:
            seen.errors.append(f"status {answer.status_code}: {answer.text[:200]}")
            return
        one = answer.json()
        if one["completed"] + one["failed"] < finished:
            seen.errors.append(f"went back from {finished} to {one['completed']}")
        finished = one["completed"] + one["failed"]
        if one["status"] == "completed":
            return
        await asyncio.sleep(_POLL_SECONDS - (time.monotonic() - began) % _POLL_SECONDS)


async def _upload(client: httpx.AsyncClient, number: int, seen: Watched) -> None:
    await asyncio.sleep(1 + number * 0.5)
    body = _lines(f"load-{number}", 2000)
    began = time.monotonic()
    answer = await client.post("/admin/datasets/upload", files={"file": ("load.jsonl", body)})
    seen.upload_seconds.append(time.monotonic() - began)
    if answer.status_code != 200 or answer.json()["count"] != 2000:
        seen.errors.append(f"upload: {answer.status_code} {answer.text[:200]}")


async def _load(url: str, benchmark_id: str, watchers: int, uploads: int) -> Watched:
    seen = Watched()
    limits = httpx.Limits(max_connections=watchers + uploads)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
        watching = (_watch(client, benchmark_id, seen, i) for i in range(watchers))
        uploading = (_upload(client, i, seen) for i in range(uploads))
        await asyncio.gather(*watching, *uploading)
    return seen


def main(
    rows: Annotated[int, typer.Option(help="Requests of the benchmark.")] = 40_000,
    watchers: Annotated[int, typer.Option(help="Each reads the status every 2 s.")] = 200,
    uploads: Annotated[int, typer.Option(help="Files of 2,000 requests.")] = 20,
    repeat: Annotated[int, typer.Option(help="Runs alone and under load, in turn.")] = 3,
) -> None:
    """Compare a benchmark's rate alone and under load."""
    say = Console(width=120)
    folder = Path(tempfile.mkdtemp(prefix="chaos-", dir="/tmp"))
    stage = Stage(folder, [_MODEL], two_nodes=False)
    alone: list[float] = []
    loaded: list[float] = []
    seen = Watched()
    try:
        stage.start()
        files = {"file": ("steady.jsonl", _lines("steady", rows))}
        stored = stage.request("POST", "/admin/datasets/upload", files=files).json()
        for _ in range(repeat):
            alone.append(_rate(stage, _start(stage, stored["dataset_id"])))
            benchmark_id = _start(stage, stored["dataset_id"])
            url = f"http://127.0.0.1:{stage.settings.port}"
            once = asyncio.run(_load(url, benchmark_id, watchers, uploads))
            loaded.append(_rate(stage, benchmark_id))
            seen.milliseconds += once.milliseconds
            seen.upload_seconds += once.upload_seconds
            seen.errors += once.errors
    finally:
        stage.stop()
        shutil.rmtree(folder, ignore_errors=True)
    p50, p99 = np.percentile(seen.milliseconds, [50, 99])
    say.print(f"alone: {', '.join(f'{rate:.0f}' for rate in alone)} requests/s")
    say.print(f"under load: {', '.join(f'{rate:.0f}' for rate in loaded)} requests/s")
    say.print(f"ratio of medians: {statistics.median(loaded) / statistics.median(alone):.3f}")
    say.print(f"{len(seen.milliseconds)} status reads: p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    say.print(f"{len(seen.upload_seconds)} uploads: max {max(seen.upload_seconds):.1f} s")
    say.print(f"{len(seen.errors)} errors {seen.errors[:5]}")
    raise typer.Exit(bool(seen.errors))


if __name__ == "__main__":
    typer.run(main)
