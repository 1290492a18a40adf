"""The API over a bucket: what a client sees, also while the store is away."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import typer
from factories import chats, jsonl, record
from fastapi.testclient import TestClient
from httpx import Response
from object_store import Way

from cluster.settings import Settings
from cluster.storage import StorageUnavailable, storage
from jobs.parts import Chunk
from serve_app.__main__ import _require_storage

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def away(database: str, way: Way, benchmark_id: str) -> Iterator[Way]:
    """The store has the results of a benchmark, and is away; a reader has no patience left."""
    chunk = Chunk(benchmark_id, 0)
    chunk.open()
    chunk.add(*(record(row) for row in range(3)))
    chunk.finish()
    storage().patience = 0.1
    way.fault = lambda *_: "503"
    return way


def test_a_file_comes_back_as_it_was_sent(way: Way, client: TestClient, dataset_id: str) -> None:
    answer = client.get(f"/admin/datasets/{dataset_id}/download")
    assert answer.content == jsonl(*chats(3))
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["content-disposition"] == 'attachment; filename="batch_5k.jsonl"'


def test_a_service_on_a_bucket_that_is_not_there_does_not_start(
    database: str, way: Way, configure: Callable[..., None]
) -> None:
    configure(storage_url="s3://no-such-bucket/x")
    storage.cache_clear()
    with pytest.raises(StorageUnavailable, match="no such bucket"):
        _require_storage(Settings())
    configure(storage_url="gs://bucket")
    with pytest.raises(typer.Exit):
        _require_storage(Settings())


def test_what_needs_the_store_says_that_it_is_away(
    away: Way,
    client: TestClient,
    send: Callable[..., Response],
    dataset_id: str,
    benchmark_id: str,
    problem: Callable[[Response], dict[str, Any]],
) -> None:
    answers = [
        client.get(f"/admin/benchmarks/{benchmark_id}/results"),
        client.get(f"/admin/datasets/{dataset_id}/download"),
        send(name="another.jsonl"),
    ]
    for answer in answers:
        assert answer.status_code == 503
        assert problem(answer)["code"] == "storage_unavailable"
    listed = client.get("/admin/datasets").json()
    assert [one["name"] for one in listed["datasets"]] == ["batch_5k.jsonl"]
    ready = client.get("/ready").json()
    assert not ready["ready"]
    assert "SlowDown" in str(ready)

    away.fault = lambda *_: None
    assert client.get(f"/admin/benchmarks/{benchmark_id}/results").json()["total"] == 3
    assert send(name="another.jsonl").status_code == 200
