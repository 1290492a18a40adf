"""Marks over HTTP."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from factories import record
from fastapi.testclient import TestClient
from httpx import Response

from jobs.parts import Chunk

Problem = Callable[[Response], dict[str, Any]]


@pytest.fixture
def path(benchmark_id: str) -> Iterator[str]:
    """A benchmark with one result."""
    chunk = Chunk(benchmark_id, 0)
    chunk.open()
    chunk.add(record(0))
    yield f"/admin/benchmarks/{benchmark_id}"
    chunk.finish()


def test_a_mark_is_made_read_and_taken_away(client: TestClient, path: str) -> None:
    marking = {"kind": "fix", "response": "Ja, natürlich.", "note": "in German"}
    made = client.put(
        f"{path}/results/0/mark", json=marking, headers={"x-author": "Anna%20M%C3%BCller"}
    ).json()
    assert made.items() >= (marking | {"row_id": 0, "author": "Anna Müller"}).items()
    assert client.get(f"{path}/results/0").json()["result"]["mark"] == made
    assert client.get(f"{path}/results", params={"mark": "fix"}).json()["total"] == 1
    assert client.get(f"{path}/results", params={"mark": "wrong"}).json()["total"] == 0
    assert client.get(f"{path}/marks").json() == {"marks": [made], "total": 1}
    for _ in range(2):
        assert client.delete(f"{path}/results/0/mark").status_code == 200
    assert client.get(f"{path}/marks").json() == {"marks": [], "total": 0}


def test_golden_records_who_too(client: TestClient, path: str) -> None:
    client.put(f"{path}/results/0/golden", headers={"x-author": "Ada"})
    (mark,) = client.get(f"{path}/marks").json()["marks"]
    assert (mark["kind"], mark["author"]) == ("golden", "Ada")


@pytest.mark.parametrize("name", ["", "%20", "%00", "%E2%80%8B"])
def test_a_name_of_nothing_is_no_name(client: TestClient, path: str, name: str) -> None:
    asked = {"json": {"kind": "wrong"}, "headers": {"x-author": name}}
    assert client.put(f"{path}/results/0/mark", **asked).json()["author"] is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "good"},
        {"kind": "fix"},
        {"kind": "wrong", "note": "a\0b"},
        {"kind": "wrong", "stars": 3},
    ],
)
def test_what_is_not_a_mark(
    client: TestClient, problem: Problem, path: str, body: dict[str, Any]
) -> None:
    response = client.put(f"{path}/results/0/mark", json=body)
    assert (response.status_code, problem(response)["code"]) == (422, "invalid_request")


def test_no_such_result(client: TestClient, problem: Problem, path: str) -> None:
    response = client.put(f"{path}/results/1/mark", json={"kind": "wrong"})
    assert (response.status_code, problem(response)["code"]) == (404, "result_not_found")
