"""A service whose datasets and results are in a bucket of a store that fails now and then."""

import json
import random
from pathlib import Path

import httpx
import object_store
import pytest
from integration.api import Api, candidates

from cluster import launch
from cluster.settings import REPOSITORY, Settings

pytestmark = pytest.mark.integration


def test_from_upload_to_export(
    object_server: object_store.ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = object_server.bucket()
    way = object_store.Way(object_server)
    object_store.configure(monkeypatch, bucket, way.url)
    settings = Settings(
        data_folder=tmp_path / "data",
        models_folder=REPOSITORY / "tests" / "models",
        port=launch.free_ports(1)[0],
    )
    chance = random.Random(1)
    way.fault = lambda *_: chance.choice(["500", "503", "lost"]) if chance.random() < 0.1 else None
    requests = candidates(500)
    with (
        launch.service(settings) as session,
        httpx.Client(base_url=session.service_url, timeout=60) as client,
    ):
        api = Api(client)
        dataset = api.upload(requests)
        benchmark = api.run("fake/instant", dataset)
        ended = api.finished(benchmark)
        assert (ended["status"], ended["error"]) == ("completed", None)
        assert (ended["completed"], ended["failed"], ended["total"]) == (500, 0, 500)
        page = api.results(benchmark, limit=500)
        export = client.get(f"/admin/benchmarks/{benchmark}/results/download").text
        original = client.get(f"/admin/datasets/{dataset}/download")
        assert client.get("/ready").json()["ready"]

    ids = [one["custom_id"] for one in requests]
    assert [one["custom_id"] for one in page["results"]] == ids
    assert [json.loads(line)["custom_id"] for line in export.splitlines()] == ids
    assert [json.loads(line) for line in original.text.splitlines()] == requests
    assert original.headers["content-length"] == str(len(original.content))
    assert way.faults > 0
    keys = object_server.keys(bucket)
    assert len([key for key in keys if "/parts/" in key]) == 16
    assert [key for key in keys if "/journals/" in key] == []
    assert not (settings.data_folder / "storage").exists()
    # No process has said what it signs its requests with.
    logs = [path for path in (settings.data_folder / "ray").rglob("*") if path.is_file()]
    secret = object_store.CREDENTIALS["AWS_SECRET_ACCESS_KEY"].encode()
    assert [path for path in logs if secret in path.read_bytes()] == []
    way.close()
