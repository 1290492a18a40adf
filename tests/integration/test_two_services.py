"""Two services on one machine keep to themselves. The other one's datasets and results are in a
bucket, of a store that fails now and then, it has PostgreSQL, and a GPU as far as Ray knows."""

import json
import random
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import object_store
import pytest
import yaml
from integration.api import Api, candidates

from cluster import launch
from cluster.settings import REPOSITORY, Settings

pytestmark = pytest.mark.integration

THEIR_MODEL, THEIR_SLOW_MODEL = "their/instant", "their/slow"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the other service."""
    return tmp_path_factory.mktemp("other")


@pytest.fixture(scope="module")
def bucket(object_server: object_store.ObjectStore) -> str:
    return object_server.bucket()


@pytest.fixture(scope="module")
def way(object_server: object_store.ObjectStore) -> Generator[object_store.Way]:
    opened = object_store.Way(object_server)
    chance = random.Random(1)
    kinds = ["500", "503", "lost"]
    opened.fault = lambda *_: chance.choice(kinds) if chance.random() < 0.1 else None
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def other(folder: Path, bucket: str, way: object_store.Way, postgres: Any) -> Generator[Api]:
    models = folder / "models"
    models.mkdir()
    for name, model_id in ("instant", THEIR_MODEL), ("slow", THEIR_SLOW_MODEL):
        entry = yaml.safe_load((REPOSITORY / "tests" / "models" / f"{name}.yaml").read_text())
        entry["model_id"] = model_id
        (models / f"{name}.yaml").write_text(yaml.safe_dump(entry))
    with pytest.MonkeyPatch.context() as patch, postgres.database("template0") as database:
        object_store.configure(patch, bucket, way.url)
        patch.setenv("DATABASE_URL", database)
        patch.setenv("RAY_OVERRIDE_RESOURCES", '{"GPU": 1}')
        settings = Settings(
            data_folder=folder / "data", models_folder=models, port=launch.free_ports(1)[0]
        )
        with (
            launch.service(settings) as session,
            httpx.Client(base_url=session.service_url, timeout=60) as client,
        ):
            yield Api(client)


def test_each_answers_its_own_requests(api: Api, other: Api) -> None:
    for _ in range(20):
        ours = api.client.get("/admin/models").json()["models"]
        theirs = other.client.get("/admin/models").json()["models"]
        assert "fake/instant" in {model["model_id"] for model in ours}
        assert {model["model_id"] for model in theirs} == {THEIR_MODEL, THEIR_SLOW_MODEL}


def test_from_upload_to_export_over_a_bucket(
    other: Api,
    way: object_store.Way,
    object_server: object_store.ObjectStore,
    bucket: str,
    folder: Path,
) -> None:
    requests = candidates(200)
    dataset = other.upload(requests)
    benchmark = other.run(THEIR_MODEL, dataset)
    ended = other.finished(benchmark)
    assert (ended["status"], ended["error"]) == ("completed", None)
    assert (ended["completed"], ended["failed"], ended["total"]) == (200, 0, 200)
    placed = other.client.get(f"/admin/benchmarks/{benchmark}/manifest").json()["placement"]
    assert (placed["replicas"], placed["gpus_per_replica"]) == (1, 1)
    page = other.results(benchmark, limit=200)
    export = other.client.get(f"/admin/benchmarks/{benchmark}/results/download").text
    original = other.client.get(f"/admin/datasets/{dataset}/download")
    assert other.client.get("/ready").json()["ready"]

    ids = [one["custom_id"] for one in requests]
    assert [one["custom_id"] for one in page["results"]] == ids
    assert [json.loads(line)["custom_id"] for line in export.splitlines()] == ids
    assert [json.loads(line) for line in original.text.splitlines()] == requests
    assert original.headers["content-length"] == str(len(original.content))
    assert way.faults > 0
    keys = object_server.keys(bucket)
    assert len([key for key in keys if "/parts/" in key]) == 7
    assert [key for key in keys if "/journals/" in key] == []
    assert not (folder / "data" / "storage").exists()
    # No process has said what it signs its requests with.
    running = launch.current(Settings(data_folder=folder / "data"))
    assert running is not None
    logs = [path for path in running.ray_folder.rglob("*.*") if path.is_file()]
    assert any("job-driver" in path.name for path in logs)
    secret = object_store.CREDENTIALS["AWS_SECRET_ACCESS_KEY"].encode()
    assert [path for path in logs if secret in path.read_bytes()] == []


def test_a_database_that_goes_away_in_the_middle_costs_nothing(other: Api, postgres: Any) -> None:
    requests = candidates(100)
    benchmark = other.run(THEIR_SLOW_MODEL, other.upload(requests))
    before = other.wait(benchmark, lambda one: one["completed"] > 0)
    with postgres.away():
        refused = other.client.get("/admin/benchmarks")
        assert (refused.status_code, refused.json()["error"]["code"]) == (
            503,
            "database_unavailable",
        )
        time.sleep(3)  # the tracker writes every second
    ended = other.finished(benchmark)
    assert (ended["status"], ended["completed"], ended["failed"]) == ("completed", 100, 0)
    assert before["completed"] < 100
    page = other.results(benchmark, limit=100)
    assert [one["custom_id"] for one in page["results"]] == [one["custom_id"] for one in requests]
