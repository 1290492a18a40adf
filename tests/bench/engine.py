"""Real engine: this platform's output rate beside raw vLLM and its peers, and what it adds around.

Every contender has the machine to itself for its run, loads the model anew and gets the same
requests and engine arguments; within a repetition they take turns, in an order that rotates.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import orjson
import yaml
from bench import service
from bench.figures import Figure
from bench.peers import MODEL_ID, Json, Peer
from bench.processes import Watch
from bench.prompts import jsonl, varied
from chaos.stage import Stage
from rich.console import Console

from cluster.settings import REPOSITORY
from jobs import registry
from jobs.weights import prepare

OURS = "this platform"


def measure(repeat: int, seed: int, *, quick: bool, say: Console) -> Iterator[Figure]:
    model = registry.read(REPOSITORY / "configs" / "models")[MODEL_ID]
    prepare(model, say.print)
    contenders = [OURS, *Peer]
    rates = Figure(
        "a",
        "Output rate, first request in to last result written",
        "tok/s",
        {str(name): [] for name in contenders},
        against=Peer.RAW.value,
        target="≥ 0.98, and ahead of both peers",
    )
    wall = Figure(
        "a",
        "Wall clock with loading",
        "s",
        {str(name): [] for name in contenders},
        against=Peer.RAW.value,
    )
    before = Figure("f", "Run to first token, less the engine's load", "s", {OURS: []})
    before.target = "≤ 5 s"
    load = Figure("f", "The engine's own load", "s", {OURS: []})
    after = Figure("f", "Last token to completed", "s", {OURS: []}, target="≤ 2 s")
    beside = Figure("a", "CPU beside the engine, of one second", "s", {})
    requests = varied(60 if quick else 200, seed)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    try:
        file = folder / "varied.jsonl"
        file.write_bytes(jsonl(requests))
        for i in range(repeat):
            at = i % len(contenders)
            for name in contenders[at:] + contenders[:at]:
                if name == OURS:
                    one = _ours(file, beside)
                    before.values[OURS].append(one["before"])
                    load.values[OURS].append(one["load"])
                    after.values[OURS].append(one["after"])
                else:
                    one = _peer(Peer(name), file, folder)
                rate = one["output_tokens"] / one["seconds"]
                rates.values[str(name)].append(rate)
                wall.values[str(name)].append(one["total_seconds"])
                say.print(f"a: {name}: {rate:.1f} tok/s, {one['total_seconds']:.0f} s in all")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return iter([rates, wall, beside, before, load, after])


def _peer(peer: Peer, requests: Path, folder: Path) -> Json:
    out = folder / f"{peer}.json"
    log = folder / f"{peer}.log"
    with log.open("wb") as opened:
        done = subprocess.run(
            [sys.executable, "-m", "bench.peers", peer, "--requests", requests, "--out", out],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'tests'}"},
            stdout=opened,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(f"{peer} failed:\n{log.read_text()[-3000:]}")
    shutil.rmtree(out.with_suffix(".answers"), ignore_errors=True)
    return orjson.loads(out.read_bytes())


def _ours(requests: Path, beside: Figure) -> Json:
    entry = REPOSITORY / "configs" / "models" / "smollm2-135m-instruct.yaml"
    with service.service([yaml.safe_load(entry.read_text())]) as stage:
        dataset_id = service.upload(stage, requests)
        asked = time.time()
        with Watch(stage.session, every=5.0) as watch:
            one = service.run(stage, MODEL_ID, dataset_id)
        for name, used in watch.usage.items():
            if name != "engine":
                share = used.cpu_seconds / one["total_time_seconds"]
                beside.values.setdefault(name, []).append(share)
        return _timed(stage, one, asked)


def _timed(stage: Stage, one: Json, asked: float) -> Json:
    path = f"/admin/benchmarks/{one['benchmark_id']}/results"
    results = stage.request("GET", path, params={"limit": 1000}).json()["results"]
    ends = [datetime.fromisoformat(result["finished_at"]).timestamp() for result in results]
    first_token = min(
        end - (result["latency_ms"] - result["ttft_ms"]) / 1000
        for end, result in zip(ends, results, strict=True)
    )
    tokens = sum(result["output_tokens"] for result in results)
    return {
        "output_tokens": tokens,
        # The platform's own figure, from the first hand-over to the last result written.
        "seconds": tokens / one["throughput"],
        "total_seconds": one["total_time_seconds"],
        "before": first_token - asked - one["load_seconds"],
        "load": one["load_seconds"],
        "after": datetime.fromisoformat(one["completed_at"]).timestamp() - max(ends),
    }
