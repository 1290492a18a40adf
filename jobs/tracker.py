"""The tracker: one named, detached actor that folds progress into SQL and drives the scheduler.

Replicas report to it, drivers ask it for their work and tell it their end. Killing it hurts no
benchmark: Ray restarts it, it rebuilds its counts from the parts on storage, and reports are
absolute and repeated until taken.
"""

import threading
import time
from dataclasses import replace
from datetime import datetime
from typing import Any

import ray
import structlog

from cluster.database import migrate, session
from jobs import benchmarks, parts, scheduler, totals, tracking
from jobs.backlog import Backlog
from jobs.batch_steps import BatchSteps
from jobs.models import BenchmarkRow
from jobs.progress import Progress
from jobs.schemas.benchmarks import BenchmarkSpec, Phase, Placement, Status

log = structlog.get_logger()

_TICK_SECONDS = 1.0
# A replica reports each second: one that has not for so long has ended, or died.
_GONE_SECONDS = 10.0


class Tracker:
    """What :class:`jobs.tracking.TrackerActor` does. Its calls are short; slow work is done by its
    own thread, each second."""

    def __init__(self) -> None:
        migrate()
        self._lock = threading.Lock()
        # Between admitting a benchmark and submitting its job, it looks like one whose job is gone.
        self._scheduling = threading.Lock()
        self._progress: dict[str, Progress] = {}
        self._engines: dict[str, tuple[float, tracking.Report]] = {}
        """What each replica said last, and when."""
        self._admitted: dict[str, datetime] = {}
        self._backlog = Backlog()
        self._due = threading.Event()
        self._batches = BatchSteps(wake=self._due.set)
        threading.Thread(target=self._run, daemon=True, name="tick").start()

    def ping(self) -> str:
        return "ok"

    def wake(self) -> None:
        """Look at the queue and the batches now rather than at the next second."""
        self._due.set()
        with self._scheduling:
            scheduler.admit()

    def report(self, said: tracking.Report) -> None:
        """Take what a replica says."""
        progress = self._of(said.benchmark_id)
        with self._lock:
            progress.fold(said.chunks, said.load_seconds, said.replica, said.engine)
            self._engines[said.replica] = (time.monotonic(), said)

    def engines(self) -> list[tracking.Report]:
        """The last report of each replica that is there; without its chunks, which are counted."""
        oldest = time.monotonic() - _GONE_SECONDS
        with self._lock:
            self._engines = {
                name: (at, said) for name, (at, said) in self._engines.items() if at > oldest
            }
            return [replace(said, chunks={}) for _, said in self._engines.values()]

    def assignment(self, benchmark_id: str) -> tracking.Assignment | None:
        """What a driver is to do; none while its benchmark is queued.

        Raises:
            RuntimeError: the benchmark has ended.
        """
        with session() as sql:
            row = benchmarks.row(sql, benchmark_id)
        if row.status == Status.QUEUED.value:
            return None
        if row.status != Status.RUNNING.value:
            raise RuntimeError(f"benchmark {benchmark_id} is {row.status}")
        return BenchmarkSpec.model_validate(row.spec), Placement.model_validate(row.placement)

    def finish(self, benchmark_id: str) -> None:
        """A driver has seen every chunk done."""
        with self._lock:
            progress = self._progress.get(benchmark_id)
            seen = _seen(progress) if progress else {}
        scheduler.settle(benchmark_id, Status.COMPLETED, **seen)
        self._due.set()

    def fail(self, benchmark_id: str, message: str) -> None:
        """A driver cannot go on, for a reason that a restart does not mend."""
        scheduler.settle(benchmark_id, Status.FAILED, message)
        self._due.set()

    def _of(self, benchmark_id: str) -> Progress:
        with self._lock:
            if benchmark_id not in self._progress:
                self._progress[benchmark_id] = _recovered(benchmark_id)
            return self._progress[benchmark_id]

    def _run(self) -> None:
        while True:
            for step in (self._schedule, self._write, self._batches.tick, self._backlog.step):
                try:
                    step()
                except Exception:
                    # The database or Ray's dashboard is away; the next second tries again.
                    log.exception("tracker step failed", step=step.__name__)
            self._due.wait(_TICK_SECONDS)
            self._due.clear()

    def _schedule(self) -> None:
        with self._scheduling:
            scheduler.reconcile()
            scheduler.admit()

    def _write(self) -> None:
        """Write the progress of the running benchmarks."""
        running, _ = benchmarks.all_benchmarks(1000, 0, [Status.RUNNING], kind=None)
        admitted = {one.benchmark_id: one.started_at for one in running}
        with self._lock:
            for known in list(self._progress):
                # Another time than a second ago: it has ended and was queued again in between.
                again = admitted.get(known) != self._admitted.get(known, admitted.get(known))
                if again or known not in admitted:
                    del self._progress[known]
        self._admitted = admitted
        for benchmark_id in admitted:
            progress = self._of(benchmark_id)
            with self._lock:
                values = _values(progress)
            with session() as sql:
                row = benchmarks.row(sql, benchmark_id)
                _keep_forward(row, values)
                benchmarks.advance(sql, row.id, [Status.RUNNING], Status.RUNNING, **values)


def _values(progress: Progress) -> dict[str, Any]:
    now = time.monotonic()
    counts = progress.counts
    if progress.loaded:
        progress.sample(now)
    eta = progress.eta(now)
    finished_all = counts.finished >= progress.total
    running = Phase.FINALIZING if finished_all else Phase.RUNNING
    return {
        "phase": (running if progress.loaded else Phase.LOADING).value,
        "completed": counts.completed,
        "failed": counts.failed,
        "progress": 100 * counts.finished // max(progress.total, 1),
        "prompt_tokens": counts.prompt_tokens,
        "output_tokens": counts.output_tokens,
        "throughput": progress.output_rate,
        "total_throughput": progress.total_rate,
        "eta_seconds": round(eta.seconds),
        "eta_low_seconds": None if eta.low is None else round(eta.low),
        "eta_high_seconds": None if eta.high is None else round(eta.high),
        "load_seconds": progress.load_seconds,
    }


def _seen(progress: Progress) -> dict[str, Any]:
    """What is known of a benchmark that ends now. A short one was loaded and done in a second."""
    return {
        "load_seconds": progress.load_seconds,
        "band_stretch": progress.stretch(time.monotonic()),
    }


def _keep_forward(row: BenchmarkRow, values: dict[str, Any]) -> None:
    """Counts never go back, also not while a restarted tracker waits for the replicas' reports."""
    if values["completed"] + values["failed"] < row.completed + row.failed:
        for name in ("completed", "failed", "progress", "prompt_tokens", "output_tokens"):
            values[name] = getattr(row, name)


def _recovered(benchmark_id: str) -> Progress:
    with session() as sql:
        row = benchmarks.row(sql, benchmark_id)
    spec = BenchmarkSpec.model_validate(row.spec)
    replicas = Placement.model_validate(row.placement).replicas if row.placement else 1
    progress = Progress(
        row.total,
        time.monotonic(),
        benchmarks.prior(row.model_id),
        slots=replicas * spec.model.max_num_seqs,
    )
    progress.recover(totals.count(benchmark_id), parts.done(benchmark_id))
    return progress


def handle() -> Any:
    """The tracker of this cluster, started if there is none."""
    actor: Any = ray.remote(tracking.TrackerActor)
    return actor.options(
        name=tracking.NAME,
        namespace=tracking.NAMESPACE,
        lifetime="detached",
        get_if_exists=True,
        num_cpus=0,
        max_concurrency=8,
        max_restarts=-1,
        max_task_retries=-1,
        # A task event per report would grow Ray's GCS for as long as benchmarks run.
        enable_task_events=False,
    ).remote()
