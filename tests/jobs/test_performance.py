"""Rates over time and goodput, held against sums done one request at a time."""

import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import record

from jobs import benchmarks, replica, statistics
from jobs.analysis import Limits, ResultFilter
from jobs.engine import Answer
from jobs.parts import Chunk
from jobs.performance import performance
from jobs.schemas.benchmarks import Benchmark, Status

BEGAN = 1_780_000_000.0

# Nothing here is about SQL.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def timed(benchmark: Benchmark) -> Callable[..., None]:
    """Write the first chunk's results: (start, queue, first token, stop) in seconds, and tokens."""

    def write(*rows: dict[str, Any]) -> None:
        chunk = Chunk(benchmark.benchmark_id, 0)
        chunk.open()
        for i, row in enumerate(rows):
            start, queue, first, stop = row.pop("at")
            figures = {
                "finished_at": BEGAN + stop,
                "latency_ms": (stop - start) * 1000,
                "queue_ms": queue * 1000,
                "ttft_ms": (first - start) * 1000,
            }
            chunk.add(record(i, **(figures | row)))
        chunk.finish()

    return write


def test_without_results_there_are_no_rates(benchmark: Benchmark) -> None:
    found = performance(benchmark.benchmark_id, Limits())
    assert (found.seconds, found.output_tokens_per_second, found.over_time) == (0, 0, [])
    assert (found.goodput.good, found.goodput.share) == (0, 0)


def test_rates_over_all(benchmark: Benchmark, timed: Callable[..., None]) -> None:
    timed(
        {"at": (0, 0, 1, 2), "prompt_tokens": 100, "output_tokens": 10},
        {"at": (1, 0, 2, 4), "prompt_tokens": 60, "output_tokens": 30},
        {"at": (0, 0, 1, 3), "status_code": 500, "prompt_tokens": None, "output_tokens": None},
    )
    found = performance(benchmark.benchmark_id, Limits())
    assert found.seconds == pytest.approx(4, abs=1e-5)
    assert found.requests_per_second == pytest.approx(2 / 4, rel=1e-5)
    assert found.prompt_tokens_per_second == pytest.approx(160 / 4, rel=1e-5)
    assert found.output_tokens_per_second == pytest.approx(40 / 4, rel=1e-5)
    assert found.total_tokens_per_second == pytest.approx(200 / 4, rel=1e-5)


def test_rates_over_time_are_those_of_every_request_by_itself(
    benchmark: Benchmark, timed: Callable[..., None]
) -> None:
    rng = random.Random(4)
    rows: list[dict[str, Any]] = []
    for _ in range(32):
        start = rng.uniform(0, 40)
        queue = rng.uniform(0, 3)
        first = start + queue + rng.uniform(0.1, 2)
        at = (start, queue, first, first + rng.choice([0.0, rng.uniform(0, 30)]))
        tokens = {"prompt_tokens": rng.randint(1, 900), "output_tokens": rng.randint(1, 200)}
        rows.append({"at": at, **tokens})
    begin = min(row["at"][0] for row in rows)
    end = max(row["at"][3] for row in rows)
    edges = np.linspace(begin, end, 61)

    def came(name: str, start: float, stop: float, row: dict[str, Any]) -> np.ndarray:
        return row[name] * np.diff(np.clip((edges - start) / max(stop - start, 0.001), 0, 1))

    output = sum(came("output_tokens", row["at"][2], row["at"][3], row) for row in rows)
    prompt = sum(
        came("prompt_tokens", row["at"][0] + row["at"][1], row["at"][2], row) for row in rows
    )
    timed(*({**row} for row in rows))

    found = performance(benchmark.benchmark_id, Limits())

    length = (end - begin) / 60
    outputs = [one.output_tokens_per_second * length for one in found.over_time]
    prompts = [one.prompt_tokens_per_second * length for one in found.over_time]
    assert outputs == pytest.approx(output, abs=0.05)
    assert prompts == pytest.approx(prompt, abs=0.05)
    finished = sum(one.requests_per_second for one in found.over_time) * length
    assert finished == pytest.approx(len(rows))


def test_goodput_is_what_vllm_bench_counts(
    benchmark: Benchmark, timed: Callable[..., None]
) -> None:
    timed(
        {"at": (0, 0, 1, 2), "itl_ms": 10.0},
        {"at": (0, 0, 1.5, 2), "itl_ms": 10.0},  # first token too late
        {"at": (0, 0, 1, 10), "itl_ms": 10.0},  # too long in all
        {"at": (0, 0, 1, 2), "itl_ms": 90.0},  # too slow between tokens
        {"at": (0, 0, 1, 2), "itl_ms": None, "output_tokens": 1},  # nothing between one token
        {"at": (0, 0, 1, 2), "itl_ms": None, "output_tokens": 5},  # not known
        {"at": (0, 0, 0.5, 1), "status_code": 500, "itl_ms": 1.0},  # failed
    )
    limits = Limits(max_ttft_ms=1000.001, max_itl_ms=50, max_latency_ms=2000.001)
    good = performance(benchmark.benchmark_id, limits).goodput
    assert (good.good, good.limits) == (2, limits)
    assert good.share == pytest.approx(2 / 7)
    assert good.requests_per_second == pytest.approx(2 / 10, rel=1e-5)
    assert performance(benchmark.benchmark_id, Limits()).goodput.good == 6


def recorded(name: str) -> Any:
    return json.loads(Path(__file__).with_name(f"{name}_says.json").read_text())


def as_results(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for one in requests:
        start, ttft, tokens = one["start"], one["ttft"], one["output_tokens"]
        generation = one["latency"] - ttft
        rows.append(
            {
                "at": (start, 0, start + ttft, start + one["latency"]),
                "prompt_tokens": one["prompt_tokens"],
                "output_tokens": tokens,
                "itl_ms": 1000 * generation / (tokens - 1) if tokens > 1 else None,
                "status_code": 200 if one["success"] else 500,
            }
        )
    return rows


def limits_of(said: dict[str, Any]) -> Limits:
    limits = said["limits"]
    return Limits(
        max_ttft_ms=limits["ttft"], max_itl_ms=limits["tpot"], max_latency_ms=limits["e2el"]
    )


def test_figures_are_those_of_vllm_bench(benchmark: Benchmark, timed: Callable[..., None]) -> None:
    """Held against its own function, by ``vllm_says.py``."""
    vllm = recorded("vllm")["bench_serve"]
    timed(*as_results(vllm["requests"]))
    rates = performance(benchmark.benchmark_id, limits_of(vllm))
    found = statistics.statistics(benchmark.benchmark_id, ResultFilter())
    said = vllm["said"]
    assert 0 < said["request_goodput"] < said["request_throughput"]
    for figure, name in (
        (rates.requests_per_second, "request_throughput"),
        (rates.output_tokens_per_second, "output_throughput"),
        (rates.total_tokens_per_second, "total_token_throughput"),
        (rates.goodput.requests_per_second, "request_goodput"),
    ):
        assert figure == pytest.approx(said[name], rel=1e-5), name
    for distribution, name in (
        (found.ttft_ms, "percentiles_ttft_ms"),
        (found.itl_ms, "percentiles_tpot_ms"),
        (found.latency_ms, "percentiles_e2el_ms"),
    ):
        assert distribution is not None
        shown = [distribution.p50, distribution.p90, distribution.p95, distribution.p99]
        assert shown == pytest.approx(said[name], rel=1e-6), name


def test_figures_of_a_request_are_those_of_guidellm(
    benchmark: Benchmark, timed: Callable[..., None]
) -> None:
    """Held against its own classes, by ``guidellm_says.py``. Where it says that a request of one
    token cannot be told to conform, here it need not keep the limit between tokens."""
    vllm, guidellm = recorded("vllm")["bench_serve"], recorded("guidellm")
    succeeded = [one for one in vllm["requests"] if one["success"]]
    good = 0
    for one, said in zip(succeeded, guidellm["requests"], strict=True):
        tokens, generation_ms = one["output_tokens"], 1000 * (one["latency"] - one["ttft"])
        body = {
            "usage": {"prompt_tokens": one["prompt_tokens"], "completion_tokens": tokens},
            "metrics": {
                "generation_time_ms": generation_ms,
                "mean_itl_ms": generation_ms / (tokens - 1) if tokens > 1 else None,
            },
        }
        answer = Answer(200, body)
        row = {"row_id": 0, "custom_id": "r-0"}
        found = replica.record(row, answer, 1000 * one["latency"], "node-1")
        for name in ("ttft_ms", "itl_ms", "latency_ms"):
            assert found[name] == pytest.approx(said[name]), name
        assert (found["prompt_tokens"] or 0) + (found["output_tokens"] or 0) == said["tokens"]
        limits = vllm["limits"]
        alone = said["ttft_ms"] <= limits["ttft"] and said["latency_ms"] <= limits["e2el"]
        good += alone if said["conforms"] is None else said["conforms"]
    timed(*as_results(vllm["requests"]))
    assert performance(benchmark.benchmark_id, limits_of(vllm)).goodput.good == good


def test_what_an_ended_benchmark_showed_is_remembered(
    benchmark: Benchmark, timed: Callable[..., None]
) -> None:
    timed({"at": (0, 0, 1, 2)})
    benchmarks.end(benchmark.benchmark_id, Status.CANCELLED)
    first = performance(benchmark.benchmark_id, Limits())
    assert performance(benchmark.benchmark_id, Limits()) is first


def test_percentiles_are_those_of_numpy(benchmark: Benchmark, timed: Callable[..., None]) -> None:
    """As `vllm bench serve` has them: linear between neighbours."""
    rng = random.Random(5)
    times = [rng.lognormvariate(0, 1) for _ in range(32)]
    timed(*({"at": (0, t / 8, t / 4, t), "itl_ms": t * 9} for t in times))
    found = statistics.statistics(benchmark.benchmark_id, ResultFilter())
    for distribution, factor in (
        (found.latency_ms, 1000),
        (found.ttft_ms, 250),
        (found.queue_ms, 125),
        (found.itl_ms, 9),
    ):
        assert distribution is not None
        shown = (distribution.p50, distribution.p90, distribution.p95, distribution.p99)
        wanted = np.percentile([t * factor for t in times], [50, 90, 95, 99])
        assert all(math.isclose(*pair, rel_tol=1e-9) for pair in zip(shown, wanted, strict=True))
