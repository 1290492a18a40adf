"""Benchmarks over HTTP: run, list, cancel, delete."""

from collections.abc import Callable
from typing import Any

import pytest
from factories import MODEL_ID, chat, embedding, jsonl
from fastapi.testclient import TestClient
from httpx import Response

Problem = Callable[[Response], dict[str, Any]]
Send = Callable[..., Response]
RUN = "/admin/benchmarks/run"


def test_sampling_goes_with_the_benchmark(client: TestClient, dataset_id: str) -> None:
    sampling = {"temperature": 0, "top_p": 0.5, "max_tokens": 64, "seed": 7, "stop": ["\n"]}
    asked = {"model_id": MODEL_ID, "dataset_id": dataset_id, "sampling": sampling}
    benchmark_id = client.post(RUN, json=asked).json()["benchmark_id"]
    found = client.get(f"/admin/benchmarks/{benchmark_id}").json()["sampling"]
    assert {name: value for name, value in found.items() if value is not None} == sampling


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "model_id"),
        ({"model_id": MODEL_ID}, "dataset_id"),
        ({"model_id": 5, "dataset_id": "ds_1"}, "model_id"),
        ({"model_id": MODEL_ID, "dataset_id": "ds_1", "samplings": {}}, "samplings"),
        *(
            ({"model_id": MODEL_ID, "dataset_id": "ds_1", "sampling": {name: value}}, name)
            for name, value in {
                "temperature": 2.1,
                "top_p": 0,
                "max_tokens": 0,
                "seed": 2**64,
                "stop": ["x"] * 17,
                "top_k": -2,
                "temprature": 1,
            }.items()
        ),
    ],
)
def test_a_wrong_field_is_named(
    client: TestClient, problem: Problem, asked: dict[str, Any], field: str
) -> None:
    response = client.post(RUN, json=asked)
    error = problem(response)
    assert (response.status_code, error["code"]) == (422, "invalid_request")
    assert error["details"]["errors"][0]["field"].endswith(field)
    assert error["details"]["total_errors"] == len(error["details"]["errors"])
    assert client.get("/admin/benchmarks").json()["total"] == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'{"model_id": "\\ud800"}'])
def test_a_body_that_is_no_request(client: TestClient, problem: Problem, body: bytes) -> None:
    response = client.post(RUN, content=body, headers={"content-type": "application/json"})
    assert response.status_code in (400, 422)
    assert problem(response)["code"] in ("bad_request", "invalid_request")


@pytest.mark.parametrize("field", ["model_id", "dataset_id"])
def test_a_nul_character_is_no_error_of_the_server(
    client: TestClient, dataset_id: str, field: str
) -> None:
    asked = {"model_id": MODEL_ID, "dataset_id": dataset_id} | {field: "\0"}
    assert client.post(RUN, json=asked).status_code in (404, 422)


@pytest.mark.parametrize("unknown", ["nope", "a/b/c", "", "../.."])
def test_an_unknown_model_or_dataset(
    client: TestClient, problem: Problem, dataset_id: str, unknown: str
) -> None:
    for asked, code in [
        ({"model_id": unknown, "dataset_id": dataset_id}, "model_not_found"),
        ({"model_id": MODEL_ID, "dataset_id": unknown}, "dataset_not_found"),
    ]:
        response = client.post(RUN, json=asked)
        assert response.status_code == 404
        assert problem(response)["code"] == code


def test_a_dataset_of_two_kinds(client: TestClient, send: Send, problem: Problem) -> None:
    dataset_id = send(jsonl(chat("a"), embedding("b"))).json()["dataset_id"]
    response = client.post(RUN, json={"model_id": MODEL_ID, "dataset_id": dataset_id})
    assert (response.status_code, problem(response)["code"]) == (422, "mixed_endpoints")


def test_lists_are_filtered_and_paged(client: TestClient, dataset_id: str) -> None:
    asked = {"model_id": MODEL_ID, "dataset_id": dataset_id}
    ids = [client.post(RUN, json=asked).json()["benchmark_id"] for _ in range(3)]
    client.post(f"/admin/benchmarks/{ids[0]}/cancel")

    def listed(**query: Any) -> tuple[list[str], int]:
        body = client.get("/admin/benchmarks", params=query).json()
        return [one["benchmark_id"] for one in body["benchmarks"]], body["total"]

    assert listed() == (ids[::-1], 3)
    assert listed(status="cancelled") == ([ids[0]], 1)
    assert listed(status=["cancelled", "queued"], limit=1) == ([ids[2]], 3)
    assert listed(model_id=MODEL_ID, dataset_id=dataset_id, offset=2) == ([ids[0]], 3)
    assert listed(model_id="other") == ([], 0)
    assert listed(dataset_id="other") == ([], 0)


def test_an_unknown_status_is_refused(client: TestClient, problem: Problem) -> None:
    response = client.get("/admin/benchmarks?status=done")
    assert response.status_code == 422
    assert "running" in problem(response)["message"]


def test_cancelling_twice(client: TestClient, benchmark_id: str) -> None:
    path = f"/admin/benchmarks/{benchmark_id}/cancel"
    first, second = client.post(path), client.post(path)
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert first.json()["status"] == "cancelled"


def test_deleting_what_is_live_and_what_has_ended(
    client: TestClient, benchmark_id: str, problem: Problem
) -> None:
    path = f"/admin/benchmarks/{benchmark_id}"
    response = client.delete(path)
    assert (response.status_code, problem(response)["code"]) == (409, "benchmark_live")
    client.post(f"{path}/cancel")
    assert client.delete(path).json() == {"id": benchmark_id, "deleted": True}
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/cancel"),
        ("GET", "/results"),
        ("GET", "/results/download"),
        ("GET", "/results/download?format=csv"),
    ],
)
@pytest.mark.parametrize("unknown", ["bm_nope", "ä"])
def test_an_unknown_benchmark(
    client: TestClient, problem: Problem, method: str, rest: str, unknown: str
) -> None:
    response = client.request(method, f"/admin/benchmarks/{unknown}{rest}")
    assert (response.status_code, problem(response)["code"]) == (404, "benchmark_not_found")


@pytest.mark.parametrize("body", [b"\xe9\x80kN", b"{", b"[]", b'"text"'])
def test_a_body_that_is_no_json_object_is_refused(
    client: TestClient, problem: Problem, body: bytes
) -> None:
    answer = client.post(RUN, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert problem(answer)["code"] == "invalid_request"
