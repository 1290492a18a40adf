"""Manifests, reruns and agreement over HTTP."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from factories import model_entry, record
from fastapi.testclient import TestClient
from httpx import Response

from cluster.database import session
from jobs import benchmarks, facts, manifest, registry, scheduler
from jobs.parts import Chunk
from jobs.schemas.benchmarks import BenchmarkSpec, Placement, Status

Problem = Callable[[Response], dict[str, Any]]


def run(benchmark_id: str, text: str) -> None:
    """What a job would do."""
    with session() as sql:
        spec = BenchmarkSpec.model_validate(benchmarks.row(sql, benchmark_id).spec)
    manifest.write(spec, Placement(replicas=1, gpus_per_replica=0))
    facts.note(spec, "node-1", on_gpu=False)
    chunk = Chunk(benchmark_id, 0)
    chunk.open()
    for row in range(3):
        chunk.add(record(row, text=text if row else "the same"))
    chunk.finish()
    assert scheduler.settle(benchmark_id, Status.COMPLETED)


def test_a_rerun_is_compared_with_the_first_run(
    client: TestClient, problem: Problem, benchmark_id: str, models_folder: Path
) -> None:
    path = f"/admin/benchmarks/{benchmark_id}"
    early = client.get(f"{path}/manifest")
    assert (early.status_code, problem(early)["code"]) == (404, "manifest_not_found")
    run(benchmark_id, "one")
    found = client.get(f"{path}/manifest").json()
    assert found["spec"]["benchmark_id"] == benchmark_id
    assert found["engines"][0]["replica"] == "node-1"
    alone = client.get(f"{path}/agreement")
    assert (alone.status_code, problem(alone)["code"]) == (422, "not_a_rerun")

    again = client.post(f"{path}/rerun").json()["benchmark_id"]
    assert client.get(f"/admin/benchmarks/{again}").json()["rerun_of"] == benchmark_id
    run(again, "two")
    agreed = client.get(f"/admin/benchmarks/{again}/agreement").json()
    assert (agreed["compared"], agreed["exact"], agreed["differing"]) == (3, 1, 2)
    assert agreed["changed"] == []
    itself = client.get(f"{path}/agreement", params={"first_id": benchmark_id}).json()
    assert itself["exact_share"] == 1

    entry = model_entry(max_model_len=7)
    (models_folder / "echo.yaml").write_text(yaml.safe_dump(entry))
    registry.load()
    refused = client.post(f"{path}/rerun")
    assert (refused.status_code, problem(refused)["code"]) == (409, "model_changed")
    assert problem(refused)["details"]["changes"][0]["field"] == "model.max_model_len"
    assert client.post(f"{path}/rerun", params={"allow_changes": True}).status_code == 200
