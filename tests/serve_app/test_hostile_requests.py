"""Requests that mean harm: SQL, paths, regular expressions, headers and JSON that is none."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import pytest
from broken_json import BROKEN
from factories import chat, jsonl, record
from fastapi.testclient import TestClient
from httpx import Response

from cluster.storage import storage
from jobs import queries
from jobs.parts import Chunk

Problem = Callable[[Response], dict[str, Any]]
Send = Callable[..., Response]

JSON = {"content-type": "application/json"}
SQL = (
    "' OR '1'='1",
    "'; DROP TABLE benchmarks; --",
    '"; DROP TABLE datasets; --',
    "1; ATTACH '/etc/passwd' AS x",
    "x' UNION SELECT content FROM read_text('/etc/passwd') --",
    "$q",
    "$1",
    "?",
    "%",
    "_",
    "\\",
)
PATHS = (
    "..",
    "../../../etc/passwd",
    "....//....//etc/passwd",
    "..\\..\\etc\\passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "*",
    "[a-z]*",
    "~root",
)
# Where it is not about SQL, one database is enough.
SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
EVERY_ID = [*SQL, *PATHS, "a" * 5000, "\0", "\r\nset-cookie: a=b", "\u202e", "😀"]


@pytest.fixture
def results(benchmark_id: str) -> str:
    """The path of a benchmark with three results."""
    chunk = Chunk(benchmark_id, 0)
    chunk.open()
    for row in range(3):
        chunk.add(record(row, text=f"Answer {row}: {'a' * 30}"))
    chunk.finish()
    return f"/admin/benchmarks/{benchmark_id}"


# --- ids ------------------------------------------------------------------------------------------


def test_no_id_leads_anywhere(
    client: TestClient, dataset_id: str, benchmark_id: str, problem: Problem
) -> None:
    for an_id in EVERY_ID:
        part = quote(an_id, safe="")
        for method, path in (
            ("GET", f"/admin/datasets/{part}"),
            ("GET", f"/admin/datasets/{part}/requests"),
            ("GET", f"/admin/datasets/{part}/download"),
            ("DELETE", f"/admin/datasets/{part}"),
            ("GET", f"/admin/models/{part}"),
            ("GET", f"/admin/benchmarks/{part}"),
            ("DELETE", f"/admin/benchmarks/{part}"),
            ("POST", f"/admin/benchmarks/{part}/cancel"),
            ("POST", f"/admin/benchmarks/{part}/rerun"),
            ("POST", f"/admin/benchmarks/{part}/retry-failed"),
            ("GET", f"/admin/benchmarks/{part}/results"),
            ("GET", f"/admin/benchmarks/{part}/results/download"),
            ("GET", f"/admin/benchmarks/{part}/results/0"),
            ("PUT", f"/admin/benchmarks/{part}/results/0/golden"),
            ("GET", f"/admin/benchmarks/{part}/statistics"),
            ("GET", f"/admin/comparisons?benchmark_id={part}&benchmark_id={benchmark_id}"),
        ):
            response = client.request(method, path)
            assert response.status_code in (404, 405, 422), (method, path)
            assert "root:" not in response.text
            problem(response)
    assert client.get("/admin/datasets").json()["total"] == 1
    assert client.get("/admin/benchmarks").json()["total"] == 1


def test_no_id_in_a_body_leads_anywhere(client: TestClient, model_id: str, dataset_id: str) -> None:
    for an_id in EVERY_ID:
        for asked in (
            {"model_id": an_id, "dataset_id": dataset_id},
            {"model_id": model_id, "dataset_id": an_id},
        ):
            assert client.post("/admin/benchmarks/run", json=asked).status_code in (404, 422)
    assert client.get("/admin/benchmarks").json()["total"] == 0


@SQLITE
@pytest.mark.parametrize("custom_id", ["../../../../tmp/evil", "/etc/cron.d/x", "..\\x", "%2e%2e"])
def test_a_custom_id_is_never_a_path(
    client: TestClient, send: Send, custom_id: str, data_folder: Path
) -> None:
    dataset_id = send(jsonl(chat(custom_id))).json()["dataset_id"]
    (kept,) = client.get(f"/admin/datasets/{dataset_id}/requests").json()["requests"]
    assert kept["custom_id"] == custom_id
    assert storage().list(f"datasets/{dataset_id}") == ["original.jsonl", "requests.parquet"]
    assert not list(data_folder.parent.rglob("*evil*"))


# --- filters --------------------------------------------------------------------------------------


@SQLITE
def test_sql_in_a_filter_is_text(client: TestClient, results: str) -> None:
    for text in SQL:
        for query in ({"q": text}, {"finish_reason": text}):
            assert client.get(f"{results}/results", params=query).json()["total"] == 0, text
        assert client.get(f"{results}/statistics", params={"q": text}).json()["count"] == 0
        assert client.get(f"{results}/results/download", params={"q": text}).content == b""
        for name in ("sort", "order", "outcome", "golden"):
            assert client.get(f"{results}/results", params={name: text}).status_code == 422
    assert client.get(f"{results}/results").json()["total"] == 3


def test_sql_in_a_question_to_the_database_is_text(client: TestClient, benchmark_id: str) -> None:
    for text in SQL:
        for name in ("dataset_id", "model_id"):
            assert client.get("/admin/benchmarks", params={name: text}).json()["total"] == 0
        assert client.get("/admin/benchmarks", params={"status": text}).status_code == 422
    assert client.get("/admin/benchmarks").json()["total"] == 1


@SQLITE
def test_a_regular_expression_in_a_filter_is_text(client: TestClient, results: str) -> None:
    """DuckDB only ever looks for the characters, in a time that grows with the text."""
    for text in ("(a+)+$", "^(a|a)*$", "a{1,99999}", ".*", "[", "(?=a)"):
        assert client.get(f"{results}/results", params={"q": text}).json()["total"] == 0, text


@SQLITE
def test_a_question_that_takes_too_long_is_ended(
    client: TestClient,
    results: str,
    problem: Problem,
    configure: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def endless(db: duckdb.DuckDBPyConnection, *_: Any, **__: Any) -> None:
        db.execute("SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a <> b")

    monkeypatch.setattr(queries, "source", endless)
    configure(query_timeout_seconds=0.3)
    response = client.get(f"{results}/results", params={"q": "a"})
    assert (response.status_code, problem(response)["code"]) == (422, "query_timeout")
    monkeypatch.undo()
    assert client.get("/health").status_code == 200


# --- downloads ------------------------------------------------------------------------------------


@SQLITE
@pytest.mark.parametrize(
    "name",
    [
        'a"; filename="evil.exe',
        "a\r\nset-cookie: stolen=1\r\n\r\n<script>",
        "a.jsonl; filename*=utf-8''evil.exe",
        "<script>alert(1)</script>.jsonl",
        "候補者\u202egpj.exe",
        "a\\..\\b.jsonl",
    ],
)
def test_a_download_has_one_harmless_name(client: TestClient, send: Send, name: str) -> None:
    dataset_id = send(name=name).json()["dataset_id"]
    response = client.get(f"/admin/datasets/{dataset_id}/download")
    assert "set-cookie" not in response.headers
    disposition = response.headers["content-disposition"]
    assert disposition.startswith("attachment; filename")
    value = disposition.removeprefix("attachment; ")
    # Either one quoted name without quotes in it, or one that is percent-encoded throughout.
    plain = value.startswith('filename="') and value.count('"') == 2
    encoded = value.startswith("filename*=utf-8''") and not set(" \"';\r\n") & set(value[17:])
    assert plain or encoded, disposition
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-type"] == "application/jsonl"


# --- bodies ---------------------------------------------------------------------------------------


@SQLITE
def test_broken_json_as_a_body(client: TestClient, problem: Problem) -> None:
    for name, value in BROKEN.items():
        for body in (value, b'{"model_id":' + value + b',"dataset_id":"ds_x"}'):
            response = client.post("/admin/benchmarks/run", content=body, headers=JSON)
            assert response.status_code in (400, 404, 422), name
            problem(response)


@SQLITE
@pytest.mark.parametrize(
    "sampling",
    [
        b'{"stop":["\\ud800"]}',
        b'{"stop":["\\u0000"]}',
        b'{"stop":[""]}',
        b'{"stop":["%s"]}' % (b"x" * 1001),
        b'{"\\ud800":1}',
        b'{"temperature":NaN}',
        b'{"temperature":1e999}',
        b'{"seed":99999999999999999999}',
        b'{"top_k":99999999999999999999}',
        b'{"max_tokens":99999999999999999999}',
        b'{"max_tokens":1.5}',
        b'{"unknown":1}',
    ],
)
def test_sampling_that_no_engine_or_answer_could_hold(
    client: TestClient, model_id: str, dataset_id: str, sampling: bytes
) -> None:
    ids = f'"model_id":"{model_id}","dataset_id":"{dataset_id}"'.encode()
    body = b"{" + ids + b',"sampling":' + sampling + b"}"
    assert client.post("/admin/benchmarks/run", content=body, headers=JSON).status_code == 422
    assert client.get("/admin/benchmarks").json()["total"] == 0
