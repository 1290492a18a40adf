"""What a benchmark does about requests that kill its engines, on real Ray."""

import pytest
from integration.api import Api, candidates, chat

pytestmark = pytest.mark.integration


def test_a_request_that_kills_every_engine_fails_alone(api: Api) -> None:
    poison = chat("poison", "fake:die")
    benchmark = api.run("fake/instant", api.upload([*candidates(39), poison]))

    ended = api.finished(benchmark)

    assert (ended["status"], ended["completed"], ended["failed"]) == ("completed", 39, 1)
    failed = api.results(benchmark, outcome="failed")["results"]
    assert [(one["custom_id"], one["error"]["code"]) for one in failed] == [
        ("poison", "engine_died")
    ]


def test_what_an_earlier_attempt_said_is_kept(api: Api) -> None:
    benchmark = api.run("fake/instant", api.upload([*candidates(3), chat("bad", "fake:error")]))
    api.finished(benchmark)
    first = api.results(benchmark, outcome="failed")["results"][0]

    api.client.post(f"/admin/benchmarks/{benchmark}/retry-failed").raise_for_status()
    api.finished(benchmark)

    path = f"/admin/benchmarks/{benchmark}/results/{first['row_id']}"
    detail = api.client.get(path).raise_for_status().json()
    assert [one["id"] for one in detail["earlier"]] == [first["id"]]
    assert detail["result"]["id"] != first["id"]
