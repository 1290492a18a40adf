"""Datasets over HTTP: lists, pages, deletion."""

from collections.abc import Callable
from typing import Any

import pytest
from factories import chat, jsonl
from fastapi.testclient import TestClient
from httpx import Response

Problem = Callable[[Response], dict[str, Any]]
Send = Callable[..., Response]


def test_lists_are_paged(client: TestClient, send: Send) -> None:
    ids = [send(name=f"{i}.jsonl").json()["dataset_id"] for i in range(3)]
    body = client.get("/admin/datasets", params={"limit": 1, "offset": 1}).json()
    assert [dataset["id"] for dataset in body["datasets"]] == [ids[1]]
    assert body["total"] == 3


def test_one_dataset(client: TestClient, dataset_id: str) -> None:
    body = client.get(f"/admin/datasets/{dataset_id}").json()
    assert (body["id"], body["count"]) == (dataset_id, 3)
    assert body["endpoints"] == ["/v1/chat/completions"]


def test_requests_are_paged_with_what_is_beside_them(client: TestClient, send: Send) -> None:
    sent = [chat(f"r-{i}", expected=f"yes {i}") for i in range(5)]
    dataset_id = send(jsonl(*sent)).json()["dataset_id"]
    path = f"/admin/datasets/{dataset_id}/requests"
    body = client.get(path, params={"limit": 2, "offset": 3}).json()
    assert (body["total"], body["limit"], body["offset"]) == (5, 2, 3)
    assert body["requests"] == [
        {
            "row_id": i,
            "custom_id": f"r-{i}",
            "url": "/v1/chat/completions",
            "body": sent[i]["body"],
            "extra": {"expected": f"yes {i}"},
        }
        for i in (3, 4)
    ]


def test_deleting_twice(client: TestClient, dataset_id: str, problem: Problem) -> None:
    path = f"/admin/datasets/{dataset_id}"
    assert client.delete(path).json() == {"id": dataset_id, "deleted": True}
    response = client.delete(path)
    assert (response.status_code, problem(response)["code"]) == (404, "dataset_not_found")


def test_a_dataset_in_use_is_refused_with_those_who_use_it(
    client: TestClient, dataset_id: str, benchmark_id: str, problem: Problem
) -> None:
    response = client.delete(f"/admin/datasets/{dataset_id}")
    error = problem(response)
    assert (response.status_code, error["code"]) == (409, "dataset_in_use")
    assert error["details"] == {"benchmarks": [benchmark_id]}
    client.post(f"/admin/benchmarks/{benchmark_id}/cancel")
    assert client.delete(f"/admin/datasets/{dataset_id}").status_code == 200
    assert client.get(f"/admin/benchmarks/{benchmark_id}").json()["dataset_name"]


@pytest.mark.parametrize("rest", ["", "/requests", "/download"])
@pytest.mark.parametrize("unknown", ["ds_nope", "..%2f..%2fetc%2fpasswd", "%20", "ä"])
def test_an_unknown_dataset(client: TestClient, problem: Problem, unknown: str, rest: str) -> None:
    response = client.get(f"/admin/datasets/{unknown}{rest}")
    assert response.status_code == 404
    assert problem(response)["code"] in ("dataset_not_found", "not_found")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "offset=-1", f"offset={2**63}", "limit="]
)
@pytest.mark.parametrize("path", ["/admin/datasets", "/admin/datasets/ds_x/requests"])
def test_impossible_pages(client: TestClient, problem: Problem, path: str, query: str) -> None:
    response = client.get(f"{path}?{query}")
    error = problem(response)
    assert (response.status_code, error["code"]) == (422, "invalid_request")
    (one,) = error["details"]["errors"]
    assert one["field"] == query.split("=")[0]
