"""The query parameters of results, statistics, comparisons and downloads, over HTTP."""

# ruff: noqa: F401, F811 - fixtures are imported

import csv
import io

import orjson
import pytest
from ext_fixtures import (
    MODELS,
    failure,
    make_benchmark,
    place,
    record,
    request,
    store_dataset,
    write,
)
from factories import HERE
from fastapi.testclient import TestClient

from jobs import datasets, indexes, result_cursors, scorer
from jobs.analysis import ResultFilter, Sort
from jobs.schemas.benchmarks import Status
from serve_app import tracking


@pytest.fixture(params=["of parts", "of an index"])
def client(place, monkeypatch, request, application):
    """Both answer the same: an index is made before the first answer, or none at all."""
    monkeypatch.setattr(indexes, "_PATIENCE", None)
    if request.param == "of an index":
        monkeypatch.setattr(indexes, "_FROM_ROWS", 0)
    monkeypatch.setattr(tracking, "wake", lambda: None)
    with TestClient(application, HERE) as opened:
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
        ({"status_code": 400}, [3]),
        ({"min_latency_ms": 10, "max_latency_ms": 20}, [1, 2, 4]),
        ({"min_ttft_ms": 0.1}, [0, 1, 4]),
        ({"max_output_tokens": 3}, [0]),
        ({"min_prompt_tokens": 6}, []),
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


def _pages(client, benchmark_id, **params):
    """Row ids page by page, from cursor to cursor."""
    cursor: dict[str, str] = {}
    while cursor is not None:
        answer = client.get(
            f"/admin/benchmarks/{benchmark_id}/results", params={**params, **cursor}
        )
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield [one["row_id"] for one in page["results"]]
        following = page["next_cursor"]
        cursor = {"cursor": following} if following else None


@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"order": "desc"},
        {"sort": "latency_ms"},
        {"sort": "latency_ms", "order": "desc"},
        {"sort": "ttft_ms"},
        {"sort": "custom_id", "order": "desc"},
        {"outcome": "succeeded", "sort": "output_tokens"},
    ],
)
def test_cursors_lead_through_all_results_once(client, benchmark_id, params, limit):
    pages = list(_pages(client, benchmark_id, limit=limit, **params))
    assert [row for page in pages for row in page] == _ids(client, benchmark_id, **params)
    assert all(len(page) == limit for page in pages[:-1])


def test_a_cursor_holds_its_place_while_results_come_in(client, make_benchmark):
    rows = [record(i, latency_ms=float(i)) for i in range(0, 20, 2)]
    benchmark_id = make_benchmark(rows, status=Status.RUNNING, ended=False)
    pages = _pages(client, benchmark_id, sort="latency_ms", limit=4)
    seen = next(pages)
    write(benchmark_id, [record(i, latency_ms=float(i)) for i in (1, 3, 5, 7, 9)], ended=False)
    for page in pages:
        seen += page
    assert seen == [0, 2, 4, 6, 7, 8, 9, 10, 12, 14, 16, 18]


def test_a_cursor_of_another_list_is_refused(client, benchmark_id):
    path = f"/admin/benchmarks/{benchmark_id}/results"
    cursor = client.get(path, params={"limit": 1}).json()["next_cursor"]
    forged = result_cursors.encode(
        result_cursors.Cursor(
            of=result_cursors.digest(benchmark_id, ResultFilter(), Sort.LATENCY_MS, "asc"),
            key="x",
            row_id=1,
        )
    )
    for params in (
        {"cursor": cursor, "sort": "latency_ms"},
        {"cursor": cursor, "order": "desc"},
        {"cursor": cursor, "q": "x"},
        {"cursor": cursor[:-3]},
        {"cursor": "%%%"},
        {"cursor": "e30"},
        {"cursor": forged, "sort": "latency_ms"},
    ):
        answer = client.get(path, params=params)
        assert answer.status_code == 422
        assert answer.json()["error"]["code"] == "invalid_cursor"


@pytest.fixture
def scored(client, benchmark_id):
    """The benchmark with scores 1, 0, none (no number expected), none (failed), 0."""
    dataset_id = client.get(f"/admin/benchmarks/{benchmark_id}").json()["dataset_id"]
    draft = {"name": "first?", "dataset_id": dataset_id}
    draft["spec"] = {"kind": "regex", "pattern": "^first$"}
    made = client.post("/admin/graders", json=draft)
    assert made.status_code == 200, made.text
    scorer.refresh(benchmark_id)
    return made.json()["grader_id"]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"min_score": 0.5}, [0]),
        ({"max_score": 0.5}, [1, 2]),
        ({"graded": "false"}, [3, 4]),
        ({"graded": "true", "q": "bob"}, [1, 2]),
        ({"sort": "score"}, [1, 2, 0, 3, 4]),
        ({"sort": "score", "order": "desc"}, [0, 1, 2, 3, 4]),
        ({"sort": "score", "order": "desc", "q": "bob"}, [1, 2]),
        ({"sort": "score", "outcome": "succeeded", "limit": 2, "offset": 1}, [2, 0]),
        ({"min_score": 0.5, "sort": "latency_ms"}, [0]),
    ],
)
def test_filter_and_sort_by_score(client, benchmark_id, scored, params, expected):
    params |= {"score": scored}
    assert _ids(client, benchmark_id, **params) == expected
    pages = _pages(client, benchmark_id, **params | {"limit": 2})
    if "limit" not in params:
        assert [row for page in pages for row in page] == expected


def test_scores_come_with_results(client, benchmark_id, scored):
    base = f"/admin/benchmarks/{benchmark_id}"
    results = client.get(f"{base}/results").json()["results"]
    assert [one["scores"][scored]["value"] for one in results] == [1, 0, 0, None, None]
    assert "status 400" in results[3]["scores"][scored]["error"]
    assert client.get(f"{base}/results/0").json()["result"]["scores"][scored]["value"] == 1
    (column,) = client.get(f"{base}/scores").json()["columns"]
    assert (column["scored"], column["errors"], column["state"]) == (3, 2, "complete")
    assert (
        client.get(f"{base}/statistics", params={"score": scored, "min_score": 1}).json()["count"]
        == 1
    )
    unnamed = client.get(f"{base}/results", params={"sort": "score"})
    assert unnamed.json()["error"]["code"] == "score_not_named"
    unknown = client.get(f"{base}/results", params={"sort": "score", "score": "gr_no"})
    assert unknown.json()["error"]["code"] == "score_not_found"


def test_graders(client, benchmark_id, scored):
    path = f"/admin/graders/{scored}"
    listed = client.get("/admin/graders", params={"benchmark_id": benchmark_id}).json()
    assert listed["graders"] == [client.get(path).json()]
    assert client.post(f"{path}/recompute").json()["revision"] == 2
    changed = client.put(path, json={"spec": {"kind": "contains"}}).json()
    assert changed["spec"]["kind"] == "contains"
    assert client.put(path, json={"spec": {"kind": "regex", "pattern": "("}}).status_code == 422
    both = {"name": "x", "dataset_id": "a", "benchmark_id": "b", "spec": {"kind": "exact"}}
    assert client.post("/admin/graders", json=both).status_code == 422
    judged = client.post(f"/admin/benchmarks/{benchmark_id}/judge", json={"grader_id": scored})
    assert judged.json()["error"]["code"] == "not_a_judge"
    assert client.delete(path).json() == {"id": scored, "deleted": True}
    assert client.get(path).json()["error"]["code"] == "grader_not_found"


def test_judges(client, benchmark_id, place):
    dataset_id = client.get(f"/admin/benchmarks/{benchmark_id}").json()["dataset_id"]
    draft = {"name": "taste", "dataset_id": dataset_id}
    draft["spec"] = {"kind": "judge", "model_id": MODELS[1]}
    grader_id = client.post("/admin/graders", json=draft).json()["grader_id"]
    started = client.post(
        f"/admin/benchmarks/{benchmark_id}/judge", json={"grader_id": grader_id}
    ).json()
    assert started["status"] == "queued"
    (judge,) = client.get("/admin/benchmarks", params={"kind": "judge"}).json()["benchmarks"]
    assert (judge["benchmark_id"], judge["total"]) == (started["benchmark_id"], 3)
    assert client.get("/admin/benchmarks").json()["total"] == 1
    (column,) = client.get(f"/admin/benchmarks/{benchmark_id}/scores").json()["columns"]
    assert (column["state"], column["judge_id"]) == ("pending", judge["benchmark_id"])


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
        assert model["fit"]["reason"].startswith("fits: is to have 1 GiB, this machine has ")


def test_files(client, benchmark_id, make_benchmark, scored):
    base = f"/admin/benchmarks/{benchmark_id}/results"
    client.put(f"{base}/0/golden")
    both = {"benchmark_id": [benchmark_id, make_benchmark([record(0, "1st", custom_id="Ada")])]}
    for path, params, kind, name, said in (
        (f"{base}/download", {"format": "parquet"}, "parquet", f"{benchmark_id}.parquet", b"PAR1"),
        ("/admin/comparisons/download", both, "text/csv", "comparison.csv", b"Ada"),
        ("/admin/comparisons/download", both | {"format": "html"}, "html", ".html", b"Verdict"),
        ("/admin/golden/download", both, "jsonl", "golden-messages.jsonl", b'"messages"'),
        ("/admin/golden/download", both | {"format": "preferences"}, "jsonl", ".jsonl", b"chosen"),
        ("/admin/golden/download", both | {"format": "parquet"}, "parquet", "golden.parquet", b""),
    ):
        answer = client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        assert kind in answer.headers["content-type"]
        assert name in answer.headers["content-disposition"]
        assert said in answer.content
    assert client.get("/admin/golden/download").status_code == 422


def test_a_download_has_the_order_and_filter_of_the_table(client, benchmark_id, scored):
    for params in (
        {"sort": "latency_ms", "order": "desc"},
        {"sort": "score", "score": scored, "order": "desc"},
        {"order": "desc", "outcome": "succeeded"},
        {"score": scored, "max_score": 0},
    ):
        listed = client.get(f"/admin/benchmarks/{benchmark_id}/results", params=params).json()
        file = client.get(
            f"/admin/benchmarks/{benchmark_id}/results/download", params={**params, "format": "csv"}
        )
        rows = list(csv.DictReader(io.StringIO(file.text)))
        assert [row["custom_id"] for row in rows] == [one["custom_id"] for one in listed["results"]]
        assert set(rows[0]) >= {"prompt", "expected", "score: first?"}
