"""Importing results over HTTP."""

from collections.abc import Callable
from typing import Any

from factories import jsonl, output_line
from fastapi.testclient import TestClient
from httpx import Response

Problem = Callable[[Response], dict[str, Any]]


def bring(client: TestClient, dataset_id: str, content: bytes, **query: str) -> Response:
    path = f"/admin/datasets/{dataset_id}/results/upload"
    return client.post(path, params=query, files={"file": ("out.jsonl", content)})


def test_an_import_is_a_benchmark_like_any_other(client: TestClient, dataset_id: str) -> None:
    content = jsonl(output_line("r-0"), output_line("r-2"), output_line("x"))
    for _ in range(2):
        answer = bring(client, dataset_id, content, name="  现有系统 ")
        assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body == {
        "benchmark_id": body["benchmark_id"],
        "model_name": "现有系统",
        "completed": 2,
        "failed": 1,
        "missing": 1,
        "unmatched": 1,
        "unmatched_lines": [{"line": 3, "custom_id": "x"}],
    }
    path = f"/admin/benchmarks/{body['benchmark_id']}"
    benchmark = client.get(path).json()
    assert (benchmark["status"], benchmark["engine"]) == ("completed", "imported")
    results = client.get(f"{path}/results").json()
    assert [one["custom_id"] for one in results["results"]] == ["r-0", "r-1", "r-2"]
    assert client.get("/admin/models").json()["models"][0]["model_id"] == "test/echo"
    assert client.delete(path).status_code == 200


def test_refusals(client: TestClient, problem: Problem, dataset_id: str) -> None:
    def code(response: Response) -> tuple[int, str]:
        return response.status_code, problem(response)["code"]

    good = jsonl(output_line("r-0"))
    assert code(bring(client, "ds_none", good, name="A")) == (404, "dataset_not_found")
    assert code(bring(client, dataset_id, good)) == (422, "invalid_request")
    for name in (" ", "a\0b", "a" * 201):
        assert code(bring(client, dataset_id, good, name=name)) == (422, "invalid_request")
    bad = bring(client, dataset_id, good + b"{\n", name="A")
    assert code(bad) == (422, "invalid_results")
    assert problem(bad)["details"]["errors"][0]["line"] == 2
    nothing = bring(client, dataset_id, jsonl(output_line("x")), name="A")
    assert code(nothing) == (422, "nothing_matches")
    path = f"/admin/datasets/{dataset_id}/results/upload"
    assert code(client.post(path, params={"name": "A"})) == (400, "not_multipart")
