"""Cancel a benchmark of real vLLM at any phase: its engine goes, its results stay."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from integration.api import Api, chat
from prometheus_client.parser import text_string_to_metric_families

from cluster.session import command, processes
from serve_app.demo import EMBEDDED

pytestmark = pytest.mark.e2e


@pytest.fixture
def api(demo: Any) -> Iterator[Api]:
    with httpx.Client(base_url=demo.url, timeout=60) as client:
        yield Api(client)


def engines(demo: Any) -> list[str]:
    """Command lines of the session's replicas and vLLM's engine processes."""
    running = [command(process) for process in processes(demo.session)]
    return [one for one in running if "MapWorker" in one or "EngineCore" in one]


def left(demo: Any) -> list[str]:
    """What runs on of a cancelled benchmark. Ray ends a job's actors itself, after the job."""
    deadline = time.monotonic() + 30
    while (running := engines(demo)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return running


def cancel(api: Api, benchmark: str) -> Any:
    for _ in range(2):  # idempotent
        api.client.post(f"/admin/benchmarks/{benchmark}/cancel").raise_for_status()
    ended = api.finished(benchmark)
    assert ended["status"] == "cancelled"
    return ended


def assert_engine_is_seen(api: Api, benchmark: str) -> None:
    """Prometheus reads what vLLM says of its own batch and cache, and of tokens that are in no
    result yet."""
    finished = api.client.get(f"/admin/benchmarks/{benchmark}").raise_for_status().json()
    said = api.client.get("/metrics").raise_for_status().text
    of_engine = {
        one.name: one.value
        for family in text_string_to_metric_families(said)
        for one in family.samples
        if one.labels.get("benchmark_id") == benchmark
    }
    assert of_engine["benchmark_runner_engine_requests_running"] > 0
    assert 0 < of_engine["benchmark_runner_engine_kv_cache_usage_ratio"] <= 1
    tokens = "benchmark_runner_engine_{}_tokens_total"
    assert of_engine[tokens.format("output")] > finished["output_tokens"] > 0
    assert of_engine[tokens.format("prompt")] > 0


def test_cancelled_while_loading_and_while_running(api: Api, demo: Any) -> None:
    stories = [chat(f"story-{i}", f"Tell a story of {i} words.", max_tokens=64) for i in range(300)]
    benchmark = api.run(EMBEDDED[0], api.upload(stories))
    api.wait(benchmark, lambda _: bool(engines(demo)))

    assert cancel(api, benchmark)["completed"] == 0
    assert left(demo) == []

    api.client.post(f"/admin/benchmarks/{benchmark}/retry-failed").raise_for_status()
    api.wait(benchmark, lambda one: one["completed"] > 0)
    assert_engine_is_seen(api, benchmark)
    ended = cancel(api, benchmark)

    assert left(demo) == []
    assert 0 < ended["completed"] < 300
    assert api.results(benchmark)["total"] == ended["completed"]
