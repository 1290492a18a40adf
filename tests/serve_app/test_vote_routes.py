"""Votes over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from factories import record
from fastapi.testclient import TestClient
from httpx import Response

from jobs.parts import Chunk

Problem = Callable[[Response], dict[str, Any]]
ADA = {"x-author": "Ada"}


@pytest.fixture
def pair(client: TestClient, model_id: str, dataset_id: str) -> dict[str, list[str]]:
    """Two benchmarks that answer three requests differently."""
    ids = []
    for name in ("one", "two"):
        asked = {"model_id": model_id, "dataset_id": dataset_id}
        ids.append(client.post("/admin/benchmarks/run", json=asked).json()["benchmark_id"])
        chunk = Chunk(ids[-1], 0)
        chunk.open()
        for row in range(3):
            chunk.add(record(row, text=f"{name} {row}"))
        chunk.finish()
    return {"benchmark_id": ids}


def test_deal_vote_take_back_and_standings(client: TestClient, pair: dict[str, Any]) -> None:
    dealt = client.post("/admin/votes/ballots", params=pair, headers=ADA).json()
    assert (len(dealt["ballots"]), dealt["voted"], dealt["remaining"]) == (3, 0, 3)
    assert dealt["ballots"][0].keys() == {"ballot_id", "custom_id", "request", "left", "right"}
    ballot = f"/admin/votes/ballots/{dealt['ballots'][0]['ballot_id']}"
    assert client.put(ballot, json={"choice": "left"}).json()["choice"] == "left"
    found = client.get("/admin/votes/standings", params=pair).json()
    assert found["votes"] == 1
    assert sorted(one["wins"] for one in found["standings"]) == [0, 1]
    assert client.delete(ballot).json()["choice"] is None
    assert client.get("/admin/votes/standings", params=pair).json()["votes"] == 0


def test_refusals(client: TestClient, problem: Problem, pair: dict[str, Any]) -> None:
    def code(response: Response) -> tuple[int, str]:
        return response.status_code, problem(response)["code"]

    path = "/admin/votes/ballots"
    assert code(client.post(path, params=pair)) == (422, "missing_author")
    one = {"benchmark_id": pair["benchmark_id"][:1]}
    assert code(client.post(path, params=one, headers=ADA)) == (422, "invalid_request")
    none = {"benchmark_id": ["bm_none", "bm_other"]}
    assert code(client.post(path, params=none, headers=ADA)) == (404, "benchmark_not_found")
    assert code(client.put(f"{path}/none", json={"choice": "tie"})) == (404, "ballot_not_found")
    assert code(client.put(f"{path}/none", json={"choice": "up"})) == (422, "invalid_request")
    assert code(client.delete(f"{path}/none")) == (404, "ballot_not_found")
