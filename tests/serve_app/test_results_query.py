"""The query parameters of results, statistics, comparisons and downloads, over HTTP."""

# ruff: noqa: F401, F811 - fixtures are imported

import csv
import io

import orjson
import pytest
from ext_fixtures import failure, make_benchmark, place, record, request, store_dataset
from fastapi.testclient import TestClient

from jobs import datasets
from jobs.schemas import Status
from serve_app import tracking
from serve_app.app import create_app


@pytest.fixture
def client(place, monkeypatch):
    monkeypatch.setattr(tracking, "wake", lambda: None)
    with TestClient(create_app()) as opened:
        yield opened


@pytest.fixture
def benchmark_id(store_dataset, make_benchmark):
    long = "filler " * 100
    dataset = store_dataset(
        request("Ada", [{"type": "text", "text": f"{long} Grace Höpper"}]),
        request("bob_1", "100% sure?"),
        request("bobx1", 'She said "yes"\nand left'),
        request("eve", "Hi", body={"messages": [{"role": "system", "content": "Be BRIEF"}]}),
        request("last", "last"),
    )
    rows = [
        record(0, "first", custom_id="Ada", latency_ms=30.0, output_tokens=3),
        record(1, "second", custom_id="bob_1", latency_ms=10.0, finish_reason="length"),
        record(2, "third' OR 1=1 --", custom_id="bobx1", latency_ms=20.0, ttft_ms=None),
        failure(3, "too long", custom_id="eve"),
        record(4, None, custom_id="last", latency_ms=10.0),
    ]
    return make_benchmark(rows, dataset)


def _ids(client, benchmark_id, **params):
    answer = client.get(f"/admin/benchmarks/{benchmark_id}/results", params=params)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert page["total"] >= len(page["results"])
    return [one["row_id"] for one in page["results"]]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"q": "ADA"}, [0]),
        ({"q": "grace hÖPPER"}, [0]),
        ({"q": "brief"}, [3]),
        ({"q": "TOO LONG"}, [3]),
        ({"q": 'said "YES"\nand'}, [2]),
        ({"q": "%"}, [1]),
        ({"q": "bob_"}, [1]),
        ({"q": "' OR 1=1 --"}, [2]),
        ({"q": "role"}, []),
        ({"q": ""}, [0, 1, 2, 3, 4]),
        ({"outcome": "failed"}, [3]),
        ({"outcome": "succeeded", "finish_reason": "stop"}, [0, 2, 4]),
        ({"finish_reason": "'; DROP TABLE results; --"}, []),
        ({"golden": "true"}, []),
        ({"sort": "latency_ms"}, [3, 1, 4, 2, 0]),
        ({"sort": "latency_ms", "order": "desc"}, [0, 2, 1, 4, 3]),
        ({"sort": "ttft_ms", "order": "desc"}, [0, 1, 4, 2, 3]),
        ({"sort": "ttft_ms", "order": "asc"}, [0, 1, 4, 2, 3]),
        ({"sort": "custom_id", "order": "desc"}, [4, 3, 2, 1, 0]),
        ({"sort": "output_tokens"}, [0, 1, 2, 4, 3]),
        ({"sort": "prompt_tokens", "outcome": "failed"}, [3]),
        ({"sort": "latency_ms", "limit": 2, "offset": 1}, [1, 4]),
        ({"offset": 10}, []),
        ({"sort": "row_id", "order": "desc", "limit": 2, "offset": 1}, [3, 2]),
        ({"sort": "row_id", "order": "desc", "outcome": "succeeded"}, [4, 2, 1, 0]),
    ],
)
def test_filter_and_sort(client, benchmark_id, params, expected):
    assert _ids(client, benchmark_id, **params) == expected


@pytest.mark.parametrize(
    "params", [{"sort": "body"}, {"order": "asc; --"}, {"outcome": "x"}, {"q": "x" * 1001}]
)
def test_refused(client, benchmark_id, params):
    answer = client.get(f"/admin/benchmarks/{benchmark_id}/results", params=params)
    assert answer.status_code == 422


def test_total_counts_what_matches(client, benchmark_id):
    answer = client.get(
        f"/admin/benchmarks/{benchmark_id}/results", params={"q": "bob", "limit": 1}
    ).json()
    assert (answer["total"], len(answer["results"])) == (2, 1)
    assert answer["results"][0]["prompt"] == "100% sure?"
    assert answer["results"][0]["text"] == "second"
    assert answer["results"][0]["golden"] is False


def test_one_result(client, benchmark_id):
    base = f"/admin/benchmarks/{benchmark_id}"
    found = client.get(f"{base}/results/3").json()
    assert found["request"]["body"]["messages"][0]["content"] == "Be BRIEF"
    assert found["result"]["status_code"] == 400
    for row_id, status in ((5, 404), (-1, 422), ("x", 422)):
        assert client.get(f"{base}/results/{row_id}").status_code == status
    assert client.get(f"{base}/results/5").json()["error"]["code"] == "result_not_found"
    assert client.get("/admin/benchmarks/bm_no/results/0").status_code == 404


def test_deleted_dataset(client, benchmark_id):
    base = f"/admin/benchmarks/{benchmark_id}"
    datasets.delete(client.get(base).json()["dataset_id"])
    found = client.get(f"{base}/results/0").json()
    assert (found["request"], found["result"]["prompt"]) == (None, "")
    assert _ids(client, benchmark_id, q="ada") == [0]
    for action in ("rerun", "retry-failed"):
        answer = client.post(f"{base}/{action}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "dataset_deleted")


def test_golden(client, benchmark_id):
    path = f"/admin/benchmarks/{benchmark_id}/results/1/golden"
    assert client.put(path).json() == {"benchmark_id": benchmark_id, "row_id": 1, "golden": True}
    assert _ids(client, benchmark_id, golden="true") == [1]
    assert _ids(client, benchmark_id, golden="false") == [0, 2, 3, 4]
    assert client.delete(path).json()["golden"] is False
    assert client.put(path.replace("/1/", "/9/")).status_code == 404


def test_statistics(client, benchmark_id):
    path = f"/admin/benchmarks/{benchmark_id}/statistics"
    found = client.get(path).json()
    assert (found["count"], found["succeeded"], found["failed"]) == (5, 4, 1)
    assert len(found["latency_ms"]["histogram"]) == 20
    assert set(found["latency_ms"]["histogram"][0]) == {"from_", "to", "count"}
    assert client.get(path, params={"q": "bob"}).json()["count"] == 2
    assert client.get("/admin/benchmarks/bm_no/statistics").status_code == 404


@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_download_what_is_filtered(client, make_benchmark, form, ended):
    rows = [record(i, "odd" if i % 2 else "even") for i in range(100)]
    benchmark_id = make_benchmark(rows, status=Status.CANCELLED, ended=ended)

    def downloaded(**params):
        answer = client.get(
            f"/admin/benchmarks/{benchmark_id}/results/download",
            params={"format": form} | params,
        )
        assert "content-encoding" not in answer.headers
        if form == "csv":
            return [line["custom_id"] for line in csv.DictReader(io.StringIO(answer.text))]
        return [orjson.loads(line)["custom_id"] for line in answer.text.splitlines()]

    assert downloaded() == [f"r-{i}" for i in range(100)]
    assert downloaded(q="ODD") == [f"r-{i}" for i in range(1, 100, 2)]
    assert downloaded(q="r-99") == ["r-99"]
    assert downloaded(q="nothing") == []


def test_comparison(client, benchmark_id, make_benchmark):
    other = make_benchmark([record(0, "first", custom_id="Ada")])
    path = "/admin/comparisons"
    ids = [benchmark_id, other]
    found = client.get(path, params={"benchmark_id": ids, "limit": 2}).json()
    assert (found["total"], found["unmatched"], found["limit"]) == (5, 4, 2)
    assert len(found["rows"]) == 2
    for wrong in ([benchmark_id], [benchmark_id] * 9, []):
        assert client.get(path, params={"benchmark_id": wrong}).status_code == 422
    assert client.get(path, params={"benchmark_id": [*ids, "bm_no"]}).status_code == 404


def test_rerun_and_retry(client, benchmark_id):
    base = f"/admin/benchmarks/{benchmark_id}"
    started = client.post(f"{base}/rerun").json()
    assert started["status"] == "queued"
    assert started["benchmark_id"] != benchmark_id
    queued = client.post(f"{base}/retry-failed").json()
    assert (queued["status"], queued["completed"], queued["failed"]) == ("queued", 4, 0)
    assert client.post(f"{base}/retry-failed").json()["error"]["code"] == "benchmark_live"


def test_models_say_whether_they_fit(client):
    for model in client.get("/admin/models").json()["models"]:
        assert model["fit"]["fits"] is True
        assert model["fit"]["reason"].startswith("fits: 1 of ")
