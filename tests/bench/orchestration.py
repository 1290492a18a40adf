"""Orchestration alone: the fake instant engine, beside the same rows through bare Ray Data."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import orjson
from bench import service
from bench.figures import Figure
from bench.processes import Watch
from bench.prompts import short
from rich.console import Console

from cluster.settings import REPOSITORY
from jobs import request_file

OURS, BARE = "this platform", "bare Ray Data"


def measure(repeat: int, seed: int, *, quick: bool, say: Console) -> Iterator[Figure]:
    del seed  # the requests are the same every time
    sizes = [10_000, 100_000] if quick else [10_000, 100_000, 1_000_000]
    for size in sizes:
        # A million rows take minutes; once is enough for their memory.
        yield from _of_size(size, 1 if size > 100_000 else repeat, say)


def _of_size(size: int, repeat: int, say: Console) -> Iterator[Figure]:
    rate = Figure("b", f"{size:,} rows", "rows/s", {OURS: [], BARE: []}, BARE, "≥ 0.8")
    cpu = Figure("b", f"{size:,} rows: CPU of all processes", "ms/row", {OURS: []}, target="≤ 1")
    memory = Figure("b", f"{size:,} rows: peak memory", "MiB", {})
    memory.target = "1M ≤ 1.2 × 100k" if size > 100_000 else ""
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    try:
        file = folder / "short.jsonl"
        with file.open("wb") as opened:
            opened.writelines(short(size))
        with service.service([service.INSTANT]) as stage:
            dataset_id = service.upload(stage, file)
            rows = stage.settings.data_folder / "storage" / request_file.key(dataset_id)
            for _ in range(repeat):
                with Watch(stage.session) as watch:
                    one = service.run(stage, service.INSTANT["model_id"], dataset_id)
                rate.values[OURS].append(one["total_throughput"] * size / _tokens(one))
                cpu.values[OURS].append(1000 * watch.cpu_seconds() / size)
                for part in ("driver", "replica", "tracker"):
                    peak = watch.usage[part].peak_bytes / 2**20
                    memory.values.setdefault(part, []).append(peak)
                stage.request("DELETE", f"/admin/benchmarks/{one['benchmark_id']}")
                rate.values[BARE].append(_bare(rows, folder, size))
                say.print(
                    f"b: {size:,} rows: {rate.values[OURS][-1]:,.0f} rows/s, "
                    f"bare {rate.values[BARE][-1]:,.0f}, {cpu.values[OURS][-1]:.2f} CPU-ms a row"
                )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return iter([rate, cpu, memory])


def _tokens(one: dict[str, int]) -> int:
    return one["prompt_tokens"] + one["output_tokens"]


def _bare(rows: Path, folder: Path, size: int) -> float:
    """Rows per second, from the start of the pipeline, with its one actor up, to the last file."""
    out, log = folder / "bare", folder / "bare.json"
    done = subprocess.run(
        [sys.executable, "-m", "bench.bare", rows, out, log],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'tests'}",
            "RAY_worker_niceness": "0",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_raylet_start_wait_time_s": "180",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"bare Ray Data failed:\n{done.stderr[-3000:]}")
    measured = orjson.loads(log.read_bytes())
    shutil.rmtree(out)
    assert measured["rows"] == size, measured
    return size / measured["seconds"]
