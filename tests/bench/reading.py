"""Reading results: pages, filters, sorts and comparisons of 100,000 and a million rows; exports."""

import time
from collections.abc import Callable, Iterator
from http import HTTPStatus

import httpx
import numpy as np
from bench import service, stored
from bench.figures import Figure
from bench.processes import Watch
from chaos.stage import Json, Stage
from rich.console import Console

_READS = 20


def measure(repeat: int, seed: int, *, quick: bool, say: Console) -> Iterator[Figure]:
    for count in [100_000] if quick else [100_000, 1_000_000]:
        with service.service([service.INSTANT]) as stage:
            yield from _of_size(stage, count, repeat * _READS, seed, say)


def _of_size(stage: Stage, count: int, reads: int, seed: int, say: Console) -> Iterator[Figure]:
    dataset_id = stored.dataset(stage, count)
    ids = [stored.benchmark(stage, service.INSTANT, dataset_id, count, i) for i in range(8)]
    say.print(f"d: {count:,} results x {len(ids)} written")
    rng = np.random.default_rng(seed)
    results = f"/admin/benchmarks/{ids[0]}/results"
    page: Json = {"limit": 50}

    def deep() -> Json:
        return page | {"offset": int(rng.integers(count // 2, count - 50))}

    def text() -> Json:
        return page | {"q": f"{rng.integers(count):07d}"}

    def slice_of(ids: list[str]) -> Json:
        return {"benchmark_id": ids, "limit": 50, "offset": int(rng.integers(count - 50))}

    asked: dict[str, tuple[str, Callable[[], Json]]] = {
        "page": (results, lambda: page),
        "deep page": (results, deep),
        "text filter": (results, text),
        "sort by latency": (results, lambda: deep() | {"sort": "latency_ms", "order": "desc"}),
        "statistics": (f"/admin/benchmarks/{ids[0]}/statistics", dict),
        "performance": (f"/admin/benchmarks/{ids[0]}/performance", dict),
        "comparison of 2": ("/admin/comparisons", lambda: slice_of(ids[:2])),
        "comparison of 8": ("/admin/comparisons", lambda: slice_of(ids)),
    }
    with httpx.Client(base_url=service.url(stage), timeout=600) as client:
        for name, (path, query) in asked.items():
            first, times = _read(client, stage, path, query, reads)
            p50, p95 = np.percentile(times, [50, 95])
            say.print(f"d: {count:,} {name}: first {first:.0f} ms, p50 {p50:.0f}, p95 {p95:.0f}")
            values = {"first": [first], "p50": [float(p50)], "p95": [float(p95)]}
            yield Figure("d", f"{count:,} rows: {name}", "ms", values, target="p95 ≤ 200")
        for form in ("jsonl", "csv", "parquet"):
            yield from _export(client, stage, f"{results}/download", form, count, say)


def _read(
    client: httpx.Client, stage: Stage, path: str, query: Callable[[], Json], reads: int
) -> tuple[float, list[float]]:
    """Milliseconds of the first read, which has nothing to look up yet, and of those after what it
    began to make in the background is there."""
    times: list[float] = []
    for _ in range(reads + 1):
        began = time.monotonic()
        asked = query()
        # Of a comparison that is being prepared, the page asks again as well.
        while (answer := client.get(path, params=asked)).status_code == HTTPStatus.CONFLICT:
            time.sleep(0.5)
        answer.raise_for_status()
        times.append((time.monotonic() - began) * 1000)
        while list(stage.settings.data_folder.glob("scratch/index-*")):
            time.sleep(0.2)
    return times[0], times[1:]


def _export(
    client: httpx.Client, stage: Stage, path: str, form: str, count: int, say: Console
) -> Iterator[Figure]:
    size = 0
    with Watch(stage.session) as watch:
        before = watch.usage["api"].peak_bytes
        began = time.monotonic()
        first = 0.0
        with client.stream("GET", path, params={"format": form}) as answer:
            answer.raise_for_status()
            for piece in answer.iter_raw():
                first = first or time.monotonic() - began
                size += len(piece)
        seconds = time.monotonic() - began
    grown = (watch.usage["api"].peak_bytes - before) / 2**20
    say.print(f"d: {form}: first byte {first:.2f} s, {size / 1e6 / seconds:.0f} MB/s")
    name = f"{count:,} rows: export as {form}"
    yield Figure("d", f"{name}: first byte", "s", {"export": [first]}, target="≤ 1")
    yield Figure("d", f"{name}: rate", "MB/s", {"export": [size / 1e6 / seconds]})
    yield Figure("d", f"{name}: growth of the API's memory", "MiB", {"export": [grown]})
