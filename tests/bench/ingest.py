"""Ingest: an upload, beside parsing the same file and beside a server that only keeps it."""

import gc
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import psutil
from bench import service
from bench.figures import Figure
from bench.processes import Watch, settle
from bench.prompts import short
from rich.console import Console

from cluster import launch
from cluster.settings import REPOSITORY

OURS, PARSE, BARE = "this platform", "bare orjson", "bare Starlette"


def measure(repeat: int, seed: int, *, quick: bool, say: Console) -> Iterator[Figure]:
    del seed
    size = 10**8 if quick else 10**9
    rate = Figure("c", f"Upload of {size // 10**6} MB", "MB/s", {OURS: [], PARSE: [], BARE: []})
    rate.against, rate.target = PARSE, "≥ 0.5 of bare orjson"
    memory = Figure("c", "Growth of the API's memory", "MiB", {OURS: []}, target="≤ 100")
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    try:
        file = folder / "large.jsonl"
        _write(file, size)
        for _ in range(repeat):
            # A service that has taken no upload yet: what an earlier one took, it keeps.
            with service.service([service.INSTANT]) as stage:
                settle(stage.session)
                with Watch(stage.session, every=0.5) as watch:
                    before = watch.usage["api"].peak_bytes
                    began = time.monotonic()
                    service.upload(stage, file)
                    rate.values[OURS].append(size / 1e6 / (time.monotonic() - began))
                memory.values[OURS].append((watch.usage["api"].peak_bytes - before) / 2**20)
            rate.values[PARSE].append(size / 1e6 / _parse(file))
            rate.values[BARE].append(size / 1e6 / _bare(file, folder))
            last = {name: round(of[-1], 1) for name, of in rate.values.items()}
            say.print(f"c: MB/s {last}, {memory.values[OURS][-1]:.0f} MiB")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return iter([rate, memory])


def _write(file: Path, size: int) -> None:
    written = 0
    with file.open("wb") as opened:
        for line in short(10**9):
            written += opened.write(line)
            if written >= size:
                return


def _parse(file: Path) -> float:
    gc.collect()
    began = time.monotonic()
    with file.open("rb") as opened:
        for line in opened:
            orjson.loads(line)
    return time.monotonic() - began


def _bare(file: Path, folder: Path) -> float:
    port = launch.free_ports(1)[0]
    kept = folder / "kept"
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.keeper", str(port), str(kept)],
        cwd=REPOSITORY / "tests",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}/"
        _wait_for(url, server)
        began = time.monotonic()
        with file.open("rb") as opened:
            httpx.post(url, files={"file": ("large.jsonl", opened)}, timeout=600).raise_for_status()
        return time.monotonic() - began
    finally:
        psutil.Process(server.pid).kill()
        server.wait()
        kept.unlink(missing_ok=True)


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    while True:
        assert server.poll() is None, "the bare server did not start"
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
