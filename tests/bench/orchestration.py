"""Orchestration alone: the fake instant engine, beside the same rows through bare Ray Data."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import orjson
from bench import contender, service
from bench.figures import Figure
from bench.processes import Watch
from bench.prompts import short
from rich.console import Console

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
    cpu = Figure(
        "b", f"{size:,} rows: CPU of all processes", "ms/row", {OURS: [], BARE: []}, target="≤ 1"
    )
    update = Figure("e", f"{size:,} rows: CPU of the tracker a second", "ms", {"tracker": []})
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
                rate.values[OURS].append(size / service.written_in(stage, one["benchmark_id"]))
                cpu.values[OURS].append(1000 * watch.cpu_seconds() / size)
                seconds = one["total_time_seconds"]
                used = watch.usage["tracker"].cpu_seconds
                # It takes reports, folds them, writes what they come to, and looks at the queue.
                update.values["tracker"].append(1000 * used / seconds)
                for part in ("driver", "replica", "tracker"):
                    peak = watch.usage[part].peak_bytes / 2**20
                    memory.values.setdefault(part, []).append(peak)
                stage.request("DELETE", f"/admin/benchmarks/{one['benchmark_id']}")
                bare = _bare(rows, folder, size)
                rate.values[BARE].append(size / bare["seconds"])
                cpu.values[BARE].append(1000 * bare["cpu_seconds"] / size)
                say.print(
                    f"b: {size:,} rows: {rate.values[OURS][-1]:,.0f} rows/s, "
                    f"bare {rate.values[BARE][-1]:,.0f}, {cpu.values[OURS][-1]:.2f} CPU-ms a row, "
                    f"bare {cpu.values[BARE][-1]:.2f}"
                )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return iter([rate, cpu, update, memory])


def _bare(rows: Path, folder: Path, size: int) -> dict[str, float]:
    """``seconds`` from the first row in to the last file written, as here; ``cpu_seconds`` of all
    processes with their start, which here go on between benchmarks."""
    out, measurement = folder / "bare", folder / "bare.json"
    env = {
        "RAY_worker_niceness": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_raylet_start_wait_time_s": "180",
    }
    contender.run("bench.bare", rows, out, measurement, log=folder / "bare.log", env=env)
    measured = orjson.loads(measurement.read_bytes())
    shutil.rmtree(out)
    assert measured["rows"] == size, measured
    return measured
