"""The driver of a benchmark: the entry point of its Ray job.

The service submits it for a benchmark that exists; by hand it makes one:

    ray job submit -- python -m jobs.driver --model MODEL_ID --dataset ds_… (or a JSONL file)

It reads its specification once from the tracker and never touches SQL while it runs.
"""

import json
import os
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import ray
import ray.data
import structlog
import typer
from ray.data import ActorPoolStrategy, DataContext
from ray.exceptions import RayError

from cluster import logs, space
from cluster.settings import settings
from cluster.storage import storage, unavailable
from jobs import manifest, parts, tracking
from jobs.errors import BenchmarkRunnerError, InvalidDataset
from jobs.replica import IN_FLIGHT_PER_SEQ, STORAGE_FULL, Replica
from jobs.schemas.benchmarks import BenchmarkSpec, Placement
from jobs.schemas.sampling import Sampling

log = structlog.get_logger()

_POLL_SECONDS = 1.0
# Simulated (`make bench PARTS=scaling`), with answers of very unequal lengths and eight engines: 1
# fills them to 0.70, 2 to 0.85, 3 to 0.94.
_IN_HAND = 3


def run(spec: BenchmarkSpec, placement: Placement) -> None:
    """Do every chunk that is not done yet; returns when all parts are there."""
    chunks = -(-spec.total // spec.chunk_rows)
    missing = sorted(set(range(chunks)) - parts.done(spec.benchmark_id))
    # Asking git for the code's version takes a while, in which replicas start.
    with ThreadPoolExecutor(1, "manifest") as aside:
        written = aside.submit(manifest.write, spec, placement)
        if missing:
            _do(missing, spec, placement)
        written.result()


def _do(missing: list[int], spec: BenchmarkSpec, placement: Placement) -> None:
    on_gpu = placement.gpus_per_replica > 0
    DataContext.get_current().enable_progress_bars = False
    # The work items are indices: replicas read their requests from storage themselves, so no row
    # passes through Ray's object store and no task besides the pool needs a CPU.
    in_flight = IN_FLIGHT_PER_SEQ * spec.model.max_num_seqs
    replicas = min(placement.replicas, len(missing))
    hand = in_hand(in_flight, spec.chunk_rows, replicas)
    work = ray.data.from_items(
        [{"chunk": i} for i in missing], override_num_blocks=-(-len(missing) // hand.together)
    )
    # Restarts have no named parameter (Ray 2.60), and `ray_remote_args` warns that it will go.
    warnings.filterwarnings("ignore", "`ray_remote_args` is deprecated")
    done = work.map_batches(
        Replica,
        fn_constructor_args=(spec.model_dump(mode="json"),),
        fn_constructor_kwargs={"on_gpu": on_gpu},
        # Ray Data wants a number where there are GPUs.
        batch_size=hand.together,
        compute=ActorPoolStrategy(
            size=replicas,
            max_concurrent_calls_per_actor=hand.calls,
            max_tasks_in_flight_per_actor=hand.calls + hand.to_follow,
        ),
        num_gpus=placement.gpus_per_replica if on_gpu else None,
        num_cpus=None if on_gpu else int(not placement.elsewhere),
        # A request that kills its engine would kill every engine after it, without end.
        max_restarts=settings().max_replica_restarts,
        max_task_retries=settings().max_replica_restarts,
    )
    finished = 0
    for row in done.iter_rows():
        finished += int(row["finished"])
        log.info("chunk done", chunk=int(row["chunk"]), finished=finished, total=spec.total)
    parts.sweep(spec.benchmark_id)


class InHand(NamedTuple):
    """What a replica is given at a time."""

    together: int
    """Chunks of one call."""
    calls: int
    """That it works on at once."""
    to_follow: int
    """Calls that wait at it, so that it need not wait for the driver."""


def in_hand(in_flight: int, chunk_rows: int, replicas: int, times: int = _IN_HAND) -> InHand:
    """How requests are handed out, of which ``in_flight`` go to an engine at once.

    A call costs Ray some milliseconds whatever it does, so it is half of what goes to the engine at
    once. A call ends with its longest request, and the others' places stay empty meanwhile unless
    there are more calls: hence ``times`` as many requests in hand as go to the engine. More would
    wait at one replica while another has nothing to do; to a replica that is alone, more is given.
    """
    alone = replicas == 1
    together = max((2 * in_flight if alone else in_flight // 2) // chunk_rows, 1)
    calls = -(-times * in_flight // (together * chunk_rows)) + 1
    return InHand(together, calls, to_follow=2 * calls if alone else 1)


def _by_hand(model: str | None, dataset: str | None, sampling: Sampling) -> str:
    """Make the benchmark that this job is to run."""
    if model is None or dataset is None:
        raise typer.BadParameter("give --model and --dataset, or --benchmark")
    # Only here, as it takes a second that a job of the service does not have to spend.
    from cluster.database import migrate
    from jobs import benchmarks, datasets, registry, tracker, uploads

    job_id = _submission_id()
    if job_id is None:
        raise typer.BadParameter(
            "not running as a Ray job. Use: ray job submit -- python -m jobs.driver …"
        )
    migrate()
    registry.load()
    registry.get(model)
    tracker.handle()
    stored = uploads.store(Path(dataset)) if Path(dataset).is_file() else datasets.get(dataset)
    return benchmarks.create(model, stored.id, sampling, job_id).benchmark_id


def _submission_id() -> str | None:
    """The id under which this process was submitted to Ray's jobs API, if it was."""
    config: dict[str, Any] = json.loads(os.environ.get("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}"))
    return config.get("metadata", {}).get("job_submission_id")


def _assignment(benchmark_id: str) -> tracking.Assignment:
    """Wait until the benchmark is admitted."""
    waiting = False
    while True:
        assigned: tracking.Assignment | None = ray.get(
            tracking.find().assignment.remote(benchmark_id)
        )
        if assigned is not None:
            return assigned
        if not waiting:
            log.info("queued behind other benchmarks", benchmark_id=benchmark_id)
            waiting = True
        time.sleep(_POLL_SECONDS)


def main(
    benchmark: Annotated[
        str | None, typer.Option(help="Run this benchmark, which exists already.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Model id of the registry.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Dataset id, or a local JSONL file.")] = None,
    temperature: Annotated[float | None, typer.Option(help="Override for every request.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Override for every request.")] = None,
    top_k: Annotated[int | None, typer.Option(help="Override for every request.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Override for every request.")] = None,
    seed: Annotated[int | None, typer.Option(help="Override for every request.")] = None,
) -> None:
    """Run one model over one dataset, as a Ray job."""
    ray.init(namespace=tracking.NAMESPACE, log_to_driver=True)
    sampling = Sampling(
        temperature=temperature, top_p=top_p, top_k=top_k, max_tokens=max_tokens, seed=seed
    )
    try:
        benchmark_id = benchmark or _by_hand(model, dataset, sampling)
    except BenchmarkRunnerError as error:
        _explain(error)
        raise typer.Exit(2) from None
    logs.always(benchmark_id=benchmark_id)
    storage().patience = settings().job_storage_patience_seconds
    spec, placement = _assignment(benchmark_id)
    log.info("benchmark starts", model=spec.model.model_id, total=spec.total)
    try:
        run(spec, placement)
    except (RayError, OSError) as error:
        stopped = STORAGE_FULL if space.is_full(error) else unavailable(error)
        if stopped is None and not isinstance(error, RayError):
            raise
        message = stopped or _reason(error)
        if stopped or _is_final(error):
            log.error("benchmark failed", reason=message)
            ray.get(tracking.find().fail.remote(benchmark_id, message))
        else:
            # The tracker starts the job again over what is missing, a bounded number of times.
            log.error("attempt failed", reason=message)
        raise typer.Exit(1) from None
    ray.get(tracking.find().finish.remote(benchmark_id))
    log.info("benchmark completed", total=spec.total)


def _explain(error: BenchmarkRunnerError) -> None:
    typer.echo(f"error: {error.message}", err=True)
    if isinstance(error, InvalidDataset):
        for one in error.details.get("errors", []):
            typer.echo(f"  line {one['line']}: {one['message']}", err=True)


def _is_final(error: Exception) -> bool:
    """A restart does not mend it: the engine said why it cannot load. That its own process died
    while loading, by a kill or for want of memory, may be different the next time."""
    said = str(error)
    return "creation task" in said and "Engine core initialization failed" not in said


def _reason(error: Exception) -> str:
    """The sentence behind Ray's traceback: its last line that states an exception."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    stated = [line for line in lines if not line.startswith(("File ", "raise ", "return ", "^"))]
    return (stated[-1] if stated else repr(error))[:2000]


if __name__ == "__main__":
    typer.run(main)
