"""Real engine: this platform's output rate beside raw vLLM and its peers, and what it adds around.

Every contender has the machine to itself for its run, loads the model anew and gets the same
requests and engine arguments; within a repetition they take turns, in an order that rotates.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson
import yaml
from bench import contender, service
from bench.contender import Failed
from bench.figures import Figure
from bench.peers import Json, Peer
from bench.processes import Watch, settle
from bench.prompts import jsonl, varied
from chaos.stage import Stage
from rich.console import Console

from cluster.settings import REPOSITORY
from jobs import machine, registry
from jobs.weights import prepare

OURS = "this platform"
# Of a step; what each contender takes by itself differs. On GPUs of 70 GiB, and on CPU, these are
# what this platform and `vllm serve` take.
_BATCHED_TOKENS, _BATCHED_TOKENS_ON_CPU = 8192, 2048


@dataclass(frozen=True, slots=True)
class Contest:
    """What all contenders are given, and who they are."""

    model: Path = REPOSITORY / "configs" / "models" / "smollm2-135m-instruct.yaml"
    """Its entry in the registry."""
    requests: int | None = None
    """None: as many as two cores bear."""
    longest: int = 64
    """Tokens of the longest answer."""
    peers: tuple[Peer, ...] = tuple(Peer)


def measure(
    repeat: int, seed: int, *, quick: bool, say: Console, contest: Contest
) -> Iterator[Figure]:
    model = registry.read_entry(contest.model)
    if model.weights.gguf:
        prepare(model, say.print)
    contenders = [OURS, *contest.peers]
    rates = Figure(
        "a",
        "Output rate, first request in to last result written",
        "tok/s",
        {str(name): [] for name in contenders},
        against=contest.peers[0].value,
        target="≥ 0.98 of raw, and ahead of both peers",
    )
    wall = Figure(
        "a",
        "Wall clock with loading",
        "s",
        {str(name): [] for name in contenders},
        against=contest.peers[0].value,
    )
    cpu = Figure("a", "CPU of all processes, loading included", "s", {})
    memory = Figure("a", "Peak memory of all processes", "MiB", {})
    before = Figure("f", "Run to first token, less the engine's load", "s", {OURS: []})
    before.target = "≤ 5 s"
    load = Figure("f", "The engine's own load", "s", {OURS: []})
    after = Figure("f", "Last token to completed", "s", {OURS: []}, target="≤ 2 s")
    beside = Figure("a", "CPU beside the engine, of one second", "s", {})
    requests = varied(contest.requests or (60 if quick else 200), seed, contest.longest)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    try:
        file = folder / "varied.jsonl"
        file.write_bytes(jsonl(requests))
        entry = _pinned(contest.model, folder)
        failed: set[str] = set()
        for i in range(repeat):
            at = i % len(contenders)
            for name in contenders[at:] + contenders[:at]:
                if name in failed:
                    continue
                if name == OURS:
                    one = _ours(entry, file, beside)
                    before.values[OURS].append(one["before"])
                    load.values[OURS].append(one["load"])
                    after.values[OURS].append(one["after"])
                else:
                    try:
                        one = _peer(Peer(name), entry, file, folder)
                    except Failed as why:
                        say.print(f"a: {name} is left out: {why}", markup=False)
                        failed.add(name)
                        continue
                rate = one["output_tokens"] / one["seconds"]
                rates.values[str(name)].append(rate)
                wall.values[str(name)].append(one["total_seconds"])
                cpu.values.setdefault(str(name), []).append(one["cpu_seconds"])
                memory.values.setdefault(str(name), []).append(one["peak_bytes"] / 2**20)
                say.print(f"a: {name}: {rate:.1f} tok/s, {one['total_seconds']:.0f} s in all")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return iter([rates, wall, cpu, memory, beside, before, load, after])


def _pinned(model: Path, folder: Path) -> Path:
    """The registry entry with what would otherwise be each contender's own default."""
    entry = yaml.safe_load(model.read_bytes())
    tokens = _BATCHED_TOKENS if machine.read().gpus else _BATCHED_TOKENS_ON_CPU
    entry["engine_args"] = {"max_num_batched_tokens": tokens} | entry.get("engine_args", {})
    pinned = folder / "entry.yaml"
    pinned.write_text(yaml.safe_dump(entry))
    return pinned


def _peer(peer: Peer, model: Path, requests: Path, folder: Path) -> Json:
    out = folder / f"{peer}.json"
    asked = (peer.value, "--model", model, "--requests", requests, "--out", out)
    watch = contender.run("bench.peers", *asked, log=folder / f"{peer}.log")
    shutil.rmtree(out.with_suffix(".answers"), ignore_errors=True)
    return orjson.loads(out.read_bytes()) | _taken(watch)


def _taken(watch: Watch) -> Json:
    return {"cpu_seconds": watch.cpu_seconds(), "peak_bytes": watch.peak_bytes}


def _ours(model: Path, requests: Path, beside: Figure) -> Json:
    entry = yaml.safe_load(model.read_bytes())
    with service.service([entry]) as stage:
        dataset_id = service.upload(stage, requests)
        settle(stage.session)
        asked = time.time()
        with Watch(stage.session, every=5.0) as watch:
            one = service.run(stage, entry["model_id"], dataset_id)
        for name, used in watch.usage.items():
            if name != "engine":
                share = used.cpu_seconds / one["total_time_seconds"]
                beside.values.setdefault(name, []).append(share)
        return _timed(stage, one, asked) | _taken(watch)


def _timed(stage: Stage, one: Json, asked: float) -> Json:
    results = _results(stage, one["benchmark_id"])
    ends = [datetime.fromisoformat(result["finished_at"]).timestamp() for result in results]
    first_token = min(
        end - (result["latency_ms"] - result["ttft_ms"]) / 1000
        for end, result in zip(ends, results, strict=True)
    )
    tokens = sum(result["output_tokens"] for result in results)
    return {
        "output_tokens": tokens,
        "seconds": service.written_in(stage, one["benchmark_id"]),
        "total_seconds": one["total_time_seconds"],
        "before": first_token - asked - one["load_seconds"],
        "load": one["load_seconds"],
        "after": datetime.fromisoformat(one["completed_at"]).timestamp() - max(ends),
    }


def _results(stage: Stage, benchmark_id: str) -> list[Json]:
    path = f"/admin/benchmarks/{benchmark_id}/results"
    found: list[Json] = []
    asked: Json = {"limit": 1000}
    while True:
        page = stage.request("GET", path, params=asked).json()
        found += page["results"]
        if page["next_cursor"] is None:
            return found
        asked["cursor"] = page["next_cursor"]
