"""Benchmarks in the terminal: live progress, and a summary when they have ended."""

import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from jobs.schemas.benchmarks import Benchmark, Phase, Status
from serve_app.client import Client

_POLL_SECONDS = 1.0
# Where there is no terminal to redraw (CI, a pipe), one line now and then.
_LINE_SECONDS = 10.0


def watch(client: Client, benchmark_ids: Sequence[str], console: Console) -> list[Benchmark]:
    """Show progress until all have ended; returns them as they ended."""
    if not console.is_terminal:
        return _watch_lines(client, benchmark_ids, console)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[state]}"),
    )
    with Progress(*columns, console=console) as progress:
        tasks = {
            benchmark_id: progress.add_task(benchmark_id, total=None, state="")
            for benchmark_id in benchmark_ids
        }
        while True:
            current = [client.benchmark(benchmark_id) for benchmark_id in benchmark_ids]
            for one in current:
                progress.update(
                    tasks[one.benchmark_id],
                    description=one.model_name,
                    total=one.total,
                    completed=one.completed + one.failed,
                    state=_state(one),
                )
            if all(one.status.is_terminal() for one in current):
                return current
            time.sleep(_POLL_SECONDS)


def summary(benchmarks: Sequence[Benchmark]) -> Table:
    """A row per benchmark: time, speed, failures."""
    table = Table(title="Results")
    for heading in ("Model", "Status"):
        table.add_column(heading)
    for heading in ("Requests", "Failed", "Time", "Load", "Output tok/s", "Output tokens"):
        table.add_column(heading, justify="right")
    for one in benchmarks:
        table.add_row(
            one.model_name,
            one.status.value,
            f"{one.completed + one.failed:,}/{one.total:,}",
            f"{one.failed:,}",
            _time(one.total_time_seconds),
            _time(one.load_seconds),
            f"{one.throughput:.1f}",
            f"{one.output_tokens:,}",
        )
    return table


def _watch_lines(client: Client, benchmark_ids: Sequence[str], console: Console) -> list[Benchmark]:
    shown: dict[str, tuple[str, float]] = {}
    while True:
        current = [client.benchmark(benchmark_id) for benchmark_id in benchmark_ids]
        for one in current:
            phase, when = shown.get(one.benchmark_id, ("", 0.0))
            due = one.phase is Phase.RUNNING and time.monotonic() - when > _LINE_SECONDS
            if phase != one.phase or due:
                shown[one.benchmark_id] = (one.phase, time.monotonic())
                done = one.completed + one.failed
                console.print(f"{one.model_name}: {done}/{one.total} {_state(one)}")
        if all(one.status.is_terminal() for one in current):
            return current
        time.sleep(_POLL_SECONDS)


def _state(one: Benchmark) -> str:
    if one.status is Status.QUEUED:
        return f"queued, position {one.queue_position}"
    if one.status is Status.FAILED:
        return f"failed: {one.error}"
    if one.status.is_terminal():
        return f"{one.status.value}, {one.throughput:.1f} tok/s, {_time(one.total_time_seconds)}"
    parts = [one.phase.value, f"{one.throughput:.1f} tok/s"]
    if one.eta_low_seconds is not None:
        band = f"{_time(one.eta_low_seconds)}–{_time(one.eta_high_seconds)}"
        parts.append(f"about {band} left")
    elif one.eta_seconds:
        parts.append(f"at least {_time(one.eta_seconds)} left")
    if one.failed:
        parts.append(f"{one.failed} failed")
    return ", ".join(parts)


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}"
    return f"{minutes}:{rest:02}"
