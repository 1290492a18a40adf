"""``make demo``: from nothing to a finished comparison of real models."""

import hashlib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import psutil
from rich.console import Console

from cluster import launch
from cluster.session import Session
from cluster.settings import REPOSITORY, Settings
from jobs import registry
from jobs.errors import InvalidRequest
from jobs.schemas.datasets import Dataset, DatasetUploaded
from jobs.schemas.models import ModelSpec
from jobs.schemas.sampling import Sampling
from jobs.weights import prepare, prepared
from serve_app.access.start import own_key
from serve_app.client import Client
from serve_app.watch import summary, watch

SAMPLE = REPOSITORY / "configs" / "datasets" / "sample.jsonl"
# The two whose weights come with the installation.
EMBEDDED = ("HuggingFaceTB/SmolLM2-135M-Instruct", "google/gemma-3-270m")


def run(
    settings: Settings, dataset: Path, model_ids: Sequence[str], console: Console, *, stay: bool
) -> bool:
    """Prepare, start, upload, run, watch and sum up; then serve until interrupted if ``stay``.

    Returns whether every benchmark completed.
    """
    chosen = _choose(settings, model_ids)
    _prepare([one for one in chosen if one.weights.gguf and not prepared(one)], console)
    with console.status("Starting Ray and the service…"):
        started = time.monotonic()
        running = launch.service(settings)
        session = running.__enter__()
    try:
        console.print(f"Service up in {time.monotonic() - started:.0f} s: {session.service_url}")
        with own_key() as key, Client(session.service_url, key) as client:
            stored = _upload(client, dataset)
            console.print(f"Dataset {stored.name}: {stored.count:,} requests")
            asked = [client.run(model.model_id, _id(stored), Sampling()) for model in chosen]
            ended = watch(client, [one.benchmark_id for one in asked], console)
        console.print(summary(ended))
        for one in ended:
            console.print(f"{one.model_name}: {session.service_url}/results/{one.benchmark_id}")
        ids = ",".join(one.benchmark_id for one in ended)
        console.print(f"Side by side: {session.service_url}/compare?ids={ids}", soft_wrap=True)
        console.print(f"API: {session.service_url}/docs")
        if stay:
            console.print("Serving until Ctrl-C.")
            if not interrupted(session):
                raise launch.LaunchError("Ray has ended unexpectedly. Start again: make serve")
        return all(one.error is None for one in ended)
    finally:
        with console.status("Stopping…"):
            running.__exit__(None, None, None)
        console.print("Stopped.")


def interrupted(session: Session) -> bool:
    """Wait for Ctrl-C; false when Ray has ended before, which should not happen."""
    try:
        launch.wait_for_end(session)
    except KeyboardInterrupt:
        return True
    return False


def _choose(settings: Settings, model_ids: Sequence[str]) -> list[ModelSpec]:
    known = registry.read(settings.models_folder)
    for model_id in model_ids:
        if model_id not in known:
            raise InvalidRequest(
                "model_not_found",
                f"There is no model {model_id!r} in {settings.models_folder}. "
                f"Known: {', '.join(known)}.",
            )
    return [known[model_id] for model_id in model_ids]


def _prepare(models: list[ModelSpec], console: Console) -> None:
    """Convert the weights of all at once: each takes up to a minute of one core."""
    if not models:
        return
    names = " and ".join(model.name for model in models)
    with (
        console.status(f"Preparing the weights of {names} (once)…"),
        ThreadPoolExecutor(len(models)) as pool,
    ):
        try:
            for done in as_completed([pool.submit(_prepared, model) for model in models]):
                console.print(done.result())
        except BaseException:
            # Each is converted in a process, for which its thread would wait.
            for process in psutil.Process().children():
                process.kill()
            raise


def _prepared(model: ModelSpec) -> str:
    started = time.monotonic()
    prepare(model, announce=lambda _: None)
    return f"Prepared {model.name} in {time.monotonic() - started:.0f} s"


def _upload(client: Client, path: Path) -> Dataset | DatasetUploaded:
    """Upload the file, unless the same bytes are there from an earlier run."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    known = {dataset.sha256: dataset for dataset in client.datasets()}
    return known.get(digest) or client.upload(path)


def _id(stored: Dataset | DatasetUploaded) -> str:
    return stored.id if isinstance(stored, Dataset) else stored.dataset_id
