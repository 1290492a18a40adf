"""Scores come by themselves once a benchmark has results, and a judge is a benchmark of its own."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from integration.api import Api, Json, chat

pytestmark = pytest.mark.integration

# Generous: a shared machine may be slow, and no test is about absolute time.
_PATIENCE_SECONDS = 120.0


def columns(api: Api, benchmark_id: str, until: Callable[[list[Json]], bool]) -> list[Json]:
    """Poll a benchmark's scores until they are as wanted."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        found = api.client.get(f"/admin/benchmarks/{benchmark_id}/scores").raise_for_status()
        listed: list[Json] = found.json()["columns"]
        if until(listed):
            return listed
        assert time.monotonic() < deadline, f"waited in vain: {listed}"
        time.sleep(0.3)


def complete(listed: list[Json]) -> bool:
    return bool(listed) and all(one["state"] == "complete" for one in listed)


def make_grader(api: Api, dataset: str, name: str, **spec: Any) -> str:
    draft = {"name": name, "dataset_id": dataset, "spec": spec}
    return api.client.post("/admin/graders", json=draft).raise_for_status().json()["grader_id"]


def test_graders_and_judges(api: Api) -> None:
    requests = [chat(f"c-{i}", f"Is {i} a good number?") | {"expected": "fake"} for i in range(40)]
    requests[7] = chat("c-7", "fake:error")
    dataset = api.upload(requests)
    first, second = (api.run("fake/instant", dataset, max_tokens=n) for n in (1, 4))
    make_grader(api, dataset, "right", kind="exact")
    for benchmark in (first, second):
        api.finished(benchmark)
        (right,) = columns(api, benchmark, complete)
        assert (right["scored"], right["errors"]) == (39, 1)
    assert (
        api.results(first, score=right["key"], graded="false")["results"][0]["custom_id"] == "c-7"
    )

    pair = make_grader(
        api, dataset, "better", kind="judge", model_id="fake/instant", mode="pairwise"
    )
    judge = api.client.post(
        f"/admin/benchmarks/{first}/judge", json={"grader_id": pair, "against_id": second}
    ).json()["benchmark_id"]
    assert (api.finished(judge)["status"], api.benchmark(judge)["total"]) == ("completed", 78)
    for benchmark in (first, second):
        _, better = columns(api, benchmark, lambda found: len(found) == 2 and complete(found))
        assert (better["scored"], better["errors"], better["judge_id"]) == (39, 0, judge)

    shown = api.client.get(
        "/admin/comparisons/verdicts", params={"benchmark_id": [first, second]}
    ).json()
    assert {grader["name"] for grader in shown["graders"]} == {"right", "better"}
    (right_shown,) = (one for one in shown["graders"] if one["name"] == "right")
    assert right_shown["differences"][0]["finding"] == "first_better"
