"""A service for measurements: its own folder, models and port; :mod:`chaos.stage` without kills."""

import shutil
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pyarrow.compute as pc
import pyarrow.parquet as pq
from chaos.stage import Json, Stage, wait_until
from factories import model_entry

INSTANT = model_entry(model_id="fake/instant", name="Fake, instant", max_num_seqs=256)


@contextmanager
def service(models: list[Json]) -> Generator[Stage]:
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    stage = Stage(folder, models, two_nodes=False)
    try:
        stage.start()
        yield stage
    finally:
        stage.stop()
        shutil.rmtree(folder, ignore_errors=True)


def url(stage: Stage) -> str:
    return f"http://127.0.0.1:{stage.settings.port}"


def upload(stage: Stage, file: Path) -> str:
    """Store a file; its dataset's id."""
    with file.open("rb") as opened:
        answer = httpx.post(
            f"{url(stage)}/admin/datasets/upload",
            files={"file": (file.name, opened)},
            timeout=600,
        )
    return answer.raise_for_status().json()["dataset_id"]


def written_in(stage: Stage, benchmark_id: str) -> float:
    """Seconds from the first hand-over of a benchmark to the last part on disk."""
    folder = stage.settings.data_folder / "storage" / "benchmarks" / benchmark_id / "parts"
    files = list(folder.glob("*.parquet"))
    table = pq.read_table(files, columns=["finished_at", "latency_ms"])
    finished = pc.divide(pc.cast(table["finished_at"], "int64"), 1e6)
    began = pc.min(pc.subtract(finished, pc.divide(table["latency_ms"], 1000))).as_py()
    return max(file.stat().st_mtime for file in files) - began


def run(
    stage: Stage, model_id: str, dataset_id: str, look: Callable[[Json], object] | None = None
) -> Json:
    """Run a benchmark to its end; returns it as it ended. ``look`` gets it at every look.

    Raises:
        AssertionError: it did not complete, or a request failed.
    """
    asked = {"model_id": model_id, "dataset_id": dataset_id, "sampling": {}}
    started = stage.request("POST", "/admin/benchmarks/run", json=asked).json()
    path = f"/admin/benchmarks/{started['benchmark_id']}"

    def ended() -> bool:
        one = stage.request("GET", path).json()
        if look is not None:
            look(one)
        return one["completed_at"] is not None

    # As often as a page looks. More often, it takes from the engine what is to be measured.
    wait_until(ended, "the benchmark to end", seconds=3600, every=1.0)
    one = stage.request("GET", path).json()
    assert (one["status"], one["completed"]) == ("completed", one["total"]), one
    return one
