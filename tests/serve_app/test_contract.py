"""The owner's design document, request by request: paths, field names, types and id prefixes."""

import re
from collections.abc import Callable
from typing import Any

from factories import record
from fastapi.testclient import TestClient
from httpx import Response

from jobs import scheduler
from jobs.parts import Chunk
from jobs.schemas.benchmarks import Status

NUMBER = (int, float)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def check(body: dict[str, Any], expected: dict[str, Any]) -> None:
    """``expected`` has a type, a pattern or a value for each field that must be there."""
    assert expected.keys() <= body.keys()
    for name, wanted in expected.items():
        value = body[name]
        if isinstance(wanted, re.Pattern):
            assert wanted.fullmatch(value), f"{name}: {value!r}"
        elif isinstance(wanted, type | tuple):
            assert isinstance(value, wanted), f"{name}: {value!r}"
            assert not isinstance(value, bool)
        else:
            assert value == wanted, f"{name}: {value!r}"


def test_upload_dataset(send: Callable[..., Response]) -> None:
    response = send()
    assert response.status_code == 200
    check(
        response.json(),
        {
            "dataset_id": re.compile("ds_[a-z0-9]+"),
            "name": "batch_5k.jsonl",
            "count": 3,
            "uploaded_at": TIME,
        },
    )


def test_list_datasets(client: TestClient, dataset_id: str) -> None:
    response = client.get("/admin/datasets")
    assert response.status_code == 200
    (dataset,) = response.json()["datasets"]
    expected = {"id": dataset_id, "name": "batch_5k.jsonl", "count": 3, "uploaded_at": TIME}
    check(dataset, expected)


def test_delete_dataset(client: TestClient, dataset_id: str) -> None:
    assert client.delete(f"/admin/datasets/{dataset_id}").status_code == 200
    assert client.get("/admin/datasets").json()["datasets"] == []


def test_run_benchmark(client: TestClient, model_id: str, dataset_id: str) -> None:
    response = client.post(
        "/admin/benchmarks/run", json={"model_id": model_id, "dataset_id": dataset_id}
    )
    assert response.status_code == 200
    check(
        response.json(),
        {
            "benchmark_id": re.compile("bm_[a-z0-9]+"),
            # `running` where the hardware is free and a tracker admits it.
            "status": "queued",
            "started_at": TIME,
        },
    )


def test_list_benchmarks(
    client: TestClient, model_id: str, dataset_id: str, benchmark_id: str
) -> None:
    response = client.get("/admin/benchmarks")
    assert response.status_code == 200
    (benchmark,) = response.json()["benchmarks"]
    check(
        benchmark,
        {
            "benchmark_id": benchmark_id,
            "model_id": model_id,
            "model_name": "Echo",
            "dataset_id": dataset_id,
            "dataset_name": "batch_5k.jsonl",
            "status": "queued",
            "progress": 0,
            "completed": 0,
            "total": 3,
            "throughput": NUMBER,
            "eta_seconds": int,
            "started_at": TIME,
        },
    )


def test_get_benchmark_results(client: TestClient, benchmark_id: str) -> None:
    chunk = Chunk(benchmark_id, 0)
    chunk.open()
    for row in range(3):
        chunk.add(record(row))
    chunk.finish()
    assert scheduler.settle(benchmark_id, Status.COMPLETED)
    response = client.get(f"/admin/benchmarks/{benchmark_id}/results")
    assert response.status_code == 200
    body = response.json()
    check(
        body,
        {
            "benchmark_id": benchmark_id,
            "model_name": "Echo",
            "dataset_name": "batch_5k.jsonl",
            "status": "completed",
            "total_time_seconds": NUMBER,
            "throughput": NUMBER,
            "results": list,
        },
    )
    assert [result["custom_id"] for result in body["results"]] == ["r-0", "r-1", "r-2"]
    answer = body["results"][0]["response"]
    assert answer["status_code"] == 200
    assert answer["body"]["choices"][0]["message"]["content"] == "Answer 0"
