"""Prometheus metrics of the service.

Calls are counted in the process that answers them, so with several replicas of the API each scrape
sees one of them, named by the label ``replica``. All else is read from SQL, the tracker and the
disk at the scrape, and is the same whichever replica answers.
"""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cluster.database import session
from cluster.settings import settings
from jobs.models import BenchmarkRow
from jobs.schemas.benchmarks import Status
from serve_app import readiness, tracking

_LIVE = [status.value for status in Status if not status.is_terminal()]
_SECONDS = (0.005, 0.02, 0.1, 0.5, 2, 10, 60)

registry = CollectorRegistry()
_replica = f"{os.uname().nodename}-{os.getpid()}"
calls = Counter(
    "benchmark_runner_http_requests",
    "Calls by route and status.",
    ("replica", "method", "route", "status"),
    registry=registry,
)
seconds = Histogram(
    "benchmark_runner_http_request_seconds",
    "How long calls took until their answer began.",
    ("replica", "method"),
    buckets=_SECONDS,
    registry=registry,
)


class Counted:
    """ASGI middleware that counts calls, refused ones too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        method: str = scope["method"] if scope["method"] in _METHODS else "other"

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route: BaseRoute | None = scope.get("route")
                # Never the path itself: whoever calls decides how many of these there are.
                path: str = getattr(route, "path", "other")
                calls.labels(_replica, method, path, str(message["status"])).inc()
                seconds.labels(_replica, method).observe(time.monotonic() - began)
            await send(message)

        await self._app(scope, receive, counted)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})


class State(Collector):
    """The state of the service, as it is at the scrape."""

    def collect(self) -> Iterator[Metric]:
        yield from _benchmarks()
        yield from _live()
        yield from _engines()
        yield _parts()
        yield from _disk()

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering must not ask the database."""
        yield from ()


def exposition() -> bytes:
    """All metrics in Prometheus's text format."""
    return generate_latest(registry)


def _benchmarks() -> Iterator[Metric]:
    by_status = GaugeMetricFamily(
        "benchmark_runner_benchmarks", "Benchmarks by status.", labels=["status"]
    )
    rows = CounterMetricFamily(
        "benchmark_runner_rows", "Requests finished, by model.", labels=["model", "outcome"]
    )
    tokens = CounterMetricFamily(
        "benchmark_runner_tokens", "Tokens of finished requests.", labels=["model", "kind"]
    )
    sums = select(
        BenchmarkRow.model_id,
        func.sum(BenchmarkRow.completed),
        func.sum(BenchmarkRow.failed),
        func.sum(BenchmarkRow.prompt_tokens),
        func.sum(BenchmarkRow.output_tokens),
    )
    statuses = select(BenchmarkRow.status, func.count().label("benchmarks"))
    with session() as sql:
        counted = {row.status: row.benchmarks for row in sql.execute(statuses.group_by("status"))}
        summed = sql.execute(sums.group_by(BenchmarkRow.model_id)).all()
    for status in Status:
        by_status.add_metric([status.value], counted.get(status.value, 0))
    for model, completed, failed, prompt, output in summed:
        rows.add_metric([model, "completed"], completed)
        rows.add_metric([model, "failed"], failed)
        tokens.add_metric([model, "prompt"], prompt)
        tokens.add_metric([model, "output"], output)
    queue = GaugeMetricFamily("benchmark_runner_queue_depth", "Benchmarks that wait for hardware.")
    queue.add_metric([], counted.get(Status.QUEUED.value, 0))
    yield from (by_status, queue, rows, tokens)


def _live() -> Iterator[Metric]:
    """One series for each benchmark that has not ended; it goes when it ends."""
    labels = ["benchmark_id", "model", "status", "phase"]

    def gauge(name: str, says: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"benchmark_runner_benchmark_{name}", says, labels=labels)

    total = gauge("rows_total", "Requests of a live benchmark.")
    finished = gauge("rows_finished", "Requests that it has finished.")
    eta = gauge("eta_seconds", "Seconds that it is expected to take still.")
    end = gauge("expected_end_timestamp_seconds", "When it is expected to end, Unix time.")
    speed = gauge("output_tokens_per_second", "Its output tokens per second.")
    attempts = gauge("attempts", "Times its job was started; more than before: it died.")
    with session() as sql:
        live = sql.scalars(select(BenchmarkRow).where(BenchmarkRow.status.in_(_LIVE))).unique()
        for row in live:
            names = [row.id, row.model_id, row.status, row.phase]
            total.add_metric(names, row.total)
            finished.add_metric(names, row.completed + row.failed)
            eta.add_metric(names, row.eta_seconds)
            end.add_metric(names, time.time() + row.eta_seconds)
            speed.add_metric(names, row.throughput)
            attempts.add_metric(names, row.attempts)
    yield from (total, finished, eta, end, speed, attempts)


def _engines() -> Iterator[Metric]:
    """One series for each engine that is loaded."""
    labels = ["benchmark_id", "engine_replica"]

    def gauge(name: str, says: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"benchmark_runner_engine_{name}", says, labels=labels)

    def counter(name: str, says: str) -> CounterMetricFamily:
        return CounterMetricFamily(f"benchmark_runner_engine_{name}", says, labels=labels)

    running = gauge("requests_running", "Requests in an engine's batch.")
    waiting = gauge(
        "requests_waiting", "Requests that an engine has and that are not in its batch."
    )
    cache = gauge("kv_cache_usage_ratio", "Share of an engine's KV cache that is taken.")
    read = counter("prompt_tokens", "Tokens of prompts that an engine has read.")
    generated = counter("output_tokens", "Tokens that an engine has generated.")
    for said in tracking.engines():
        if said.engine is None:
            continue
        names = [said.benchmark_id, said.replica]
        running.add_metric(names, said.engine.running)
        waiting.add_metric(names, said.engine.waiting)
        read.add_metric(names, said.engine.prompt_tokens)
        generated.add_metric(names, said.engine.output_tokens)
        if said.engine.kv_cache_usage is not None:
            cache.add_metric(names, said.engine.kv_cache_usage)
    yield from (running, waiting, cache, read, generated)


def _parts() -> Metric:
    up = GaugeMetricFamily(
        "benchmark_runner_part_up", "Whether a part of the service answers.", labels=["part"]
    )
    for part, check in readiness.checks().items():
        up.add_metric([part], check.ok)
    return up


def _disk() -> Iterator[Metric]:
    storage = urlsplit(settings().storage_uri)
    if storage.scheme != "file":
        return
    free = GaugeMetricFamily("benchmark_runner_storage_free_bytes", "Free space of the storage.")
    size = GaugeMetricFamily("benchmark_runner_storage_size_bytes", "Size of the storage's disk.")
    folder = url2pathname(storage.path)
    if Path(folder).is_dir():
        disk = shutil.disk_usage(folder)
        free.add_metric([], disk.free)
        size.add_metric([], disk.total)
        yield from (free, size)


registry.register(State())
