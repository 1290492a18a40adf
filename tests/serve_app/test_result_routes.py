"""Results over HTTP."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from factories import record
from fastapi.testclient import TestClient
from httpx import Response

from jobs.parts import Chunk

Problem = Callable[[Response], dict[str, Any]]


@pytest.fixture
def path(benchmark_id: str) -> Iterator[str]:
    """The results of a benchmark at work, of which two of three are there."""
    chunk = Chunk(benchmark_id, 0)
    chunk.open()
    chunk.add(record(0))
    chunk.add(record(2, text="=1+1"))
    yield f"/admin/benchmarks/{benchmark_id}/results"
    chunk.finish()


def test_a_page(client: TestClient, path: str) -> None:
    body = client.get(path, params={"limit": 1, "offset": 1}).json()
    assert (body["total"], body["limit"], body["offset"]) == (2, 1, 1)
    assert [result["custom_id"] for result in body["results"]] == ["r-2"]


def test_download_as_lines(client: TestClient, path: str, benchmark_id: str) -> None:
    response = client.get(f"{path}/download")
    assert response.headers["content-type"] == "application/jsonl"
    name = f'attachment; filename="{benchmark_id}.jsonl"'
    assert response.headers["content-disposition"] == name
    lines = [orjson.loads(line) for line in response.content.splitlines()]
    assert [line["custom_id"] for line in lines] == ["r-0", "r-2"]
    assert all(line.keys() == {"id", "custom_id", "response", "error"} for line in lines)


def test_download_as_table(client: TestClient, path: str, benchmark_id: str) -> None:
    response = client.get(f"{path}/download", params={"format": "csv"})
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert f"{benchmark_id}.csv" in response.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(response.text, newline="")))
    assert [row["text"] for row in rows] == ["Answer 0", "'=1+1"]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "offset=-1", f"offset={2**64}"])
def test_impossible_pages(client: TestClient, problem: Problem, path: str, query: str) -> None:
    response = client.get(f"{path}?{query}")
    assert (response.status_code, problem(response)["code"]) == (422, "invalid_request")


def test_an_unknown_format(client: TestClient, problem: Problem, path: str) -> None:
    response = client.get(f"{path}/download", params={"format": "xlsx"})
    assert response.status_code == 422
    assert "csv" in problem(response)["message"]
