"""Benchmarks: run, watch, cancel, delete."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from jobs import benchmarks, job_log, rerun, retry
from jobs.job_log import JobLog
from jobs.schemas.base import Id
from jobs.schemas.benchmarks import (
    Benchmark,
    BenchmarkList,
    BenchmarkStarted,
    RunBenchmarkRequest,
    Status,
)
from jobs.schemas.datasets import Kind
from serve_app import tracking
from serve_app.errors import responses
from serve_app.paging import Limit, Offset
from serve_app.routes.datasets import Deleted

router = APIRouter(prefix="/admin/benchmarks", tags=["benchmarks"])

BenchmarkId = Annotated[Id, Path(description="A benchmark's id.", examples=["bm_9d02b7c4e1a8"])]


@router.post("/run", summary="Run a benchmark", responses=responses(404, 413, 422, 507))
def run_benchmark(asked: RunBenchmarkRequest) -> BenchmarkStarted:
    """Run one model over one dataset. Answers at once: `running`, or `queued` while other
    benchmarks hold the hardware. Ask several times for several models."""
    return _started(benchmarks.create(asked.model_id, asked.dataset_id, asked.sampling))


@router.get("", summary="List benchmarks", responses=responses(422))
def list_benchmarks(
    limit: Limit = 100,
    offset: Offset = 0,
    status: Annotated[list[Status] | None, Query(description="Only these statuses.")] = None,
    dataset_id: Annotated[Id | None, Query(description="Only over this dataset.")] = None,
    model_id: Annotated[Id | None, Query(description="Only of this model.")] = None,
    kind: Annotated[
        Kind, Query(description="`judge`: those that the service made to have answers judged.")
    ] = Kind.ORDINARY,
) -> BenchmarkList:
    """Benchmarks, newest first, with live progress."""
    found, total = benchmarks.all_benchmarks(
        limit, offset, status or (), dataset_id, model_id, kind
    )
    return BenchmarkList(benchmarks=found, total=total)


@router.get("/{benchmark_id}", summary="Get a benchmark", responses=responses(404))
def get_benchmark(benchmark_id: BenchmarkId) -> Benchmark:
    return benchmarks.get(benchmark_id)


@router.get("/{benchmark_id}/log", summary="Log of its job", responses=responses(404, 422))
def get_job_log(
    benchmark_id: BenchmarkId,
    start: Annotated[
        int | None,
        Query(ge=0, le=2**53, description="First line, counted from 0; without it, the last ones."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=job_log.MOST_LINES, description="Most lines.")] = 500,
) -> JobLog:
    """What the job of the newest attempt printed. To follow it, ask again with `start` set to the
    `next` of the answer before. It is kept for as long as the Ray cluster lives."""
    return job_log.read(benchmark_id, start, limit)


@router.post("/{benchmark_id}/cancel", summary="Cancel a benchmark", responses=responses(404))
def cancel_benchmark(benchmark_id: BenchmarkId) -> Benchmark:
    """End a benchmark. Finished results stay readable. Repeating it changes nothing; a benchmark
    that has ended already stays as it is."""
    cancelled = benchmarks.cancel(benchmark_id)
    tracking.wake()
    return cancelled


@router.post("/{benchmark_id}/rerun", summary="Run it again", responses=responses(404, 409, 507))
def rerun_benchmark(
    benchmark_id: BenchmarkId,
    allow_changes: Annotated[
        bool, Query(description="Run the model as its entry is now, if it has changed since.")
    ] = False,
) -> BenchmarkStarted:
    """Run a new benchmark of the same model, dataset and sampling, and of the same revision of
    weights from the hub. Refused with `model_changed` when the registry's entry of the model has
    changed in what answers depend on; `details.changes` say how. `GET …/agreement` of the new one
    compares the two."""
    return _started(rerun.rerun(benchmark_id, allow_changes=allow_changes))


@router.post(
    "/{benchmark_id}/retry-failed",
    summary="Ask failed requests again",
    responses=responses(404, 409, 507),
)
def retry_failed(benchmark_id: BenchmarkId) -> Benchmark:
    """Queue an ended benchmark again to ask its failed requests anew and do those that are
    missing. What has succeeded stays."""
    retry.retry_failed(benchmark_id)
    tracking.wake()
    return benchmarks.get(benchmark_id)


@router.delete("/{benchmark_id}", summary="Delete a benchmark", responses=responses(404, 409))
def delete_benchmark(benchmark_id: BenchmarkId) -> Deleted:
    """Delete an ended benchmark with its results."""
    benchmarks.delete(benchmark_id)
    return Deleted(id=benchmark_id)


def _started(created: Benchmark) -> BenchmarkStarted:
    tracking.wake()
    current = benchmarks.get(created.benchmark_id)
    return BenchmarkStarted(
        benchmark_id=current.benchmark_id, status=current.status, started_at=current.started_at
    )
