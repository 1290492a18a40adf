"""The gate: who gets what, over HTTP."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import openai
import pytest
from factories import chats, jsonl
from fastapi.testclient import TestClient
from httpx import Response
from typer.testing import CliRunner

from cluster.launch import LaunchError
from jobs.errors import Conflict, NotFound
from serve_app import readiness
from serve_app.__main__ import app
from serve_app.access import audit, keys, logins
from serve_app.access.scopes import Scope
from serve_app.access.start import require_keys
from serve_app.app import create_app

Problem = Callable[[Response], dict[str, Any]]
PUBLIC = "https://bench.example.org"
METHODS = ("get", "put", "post", "delete", "patch")


@pytest.fixture
def web_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "web"
    for file, text in {
        "index.html": "<title>Runner</title>",
        "assets/main.js": "const secret = 1",
        "login/login.html": "<title>Log in</title>",
        "login/assets/login.js": "const page = 1",
    }.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)
    return folder


@pytest.fixture
def guarded(
    client: TestClient, configure: Callable[..., None], web_folder: Path
) -> Iterator[TestClient]:
    """The application as it is where others can reach it."""
    configure(keyless=False, web_folder=web_folder, secure_cookie=True)
    with TestClient(
        create_app(), PUBLIC, raise_server_exceptions=False, follow_redirects=False
    ) as opened:
        yield opened


@pytest.fixture
def bearer(guarded: TestClient) -> Callable[..., dict[str, str]]:
    """Headers of a new key: ``bearer(Scope.READ)``."""

    def make(scope: Scope, name: str = "", **limits: Any) -> dict[str, str]:
        secret = keys.create(name or f"the {scope} key", scope, **limits)
        return {"authorization": f"Bearer {secret}"}

    return make


OPEN = {("get", "/health"), ("post", "/login")}
PAGES = (
    *("/", "/runner", "/index.html", "/assets/main.js", "/docs", "/redoc", "/openapi.json"),
    *("/metrics", "/ready", "/nothing", "/login/../index.html", "/login/%2e%2e/index.html"),
    *("/login/..%2findex.html", "//runner", "/LOGIN", "/health/", "/static/benchmark-runner.html"),
)


def every_call() -> Iterator[tuple[str, str]]:
    for path, item in create_app().openapi()["paths"].items():
        for method in METHODS:
            if method in item and (method, path) not in OPEN:
                yield method, path.replace("{", "").replace("}", "")


def test_a_stranger_gets_nothing_of_the_api(guarded: TestClient, problem: Problem) -> None:
    calls = list(every_call())
    assert len(calls) > 50
    for method, path in calls:
        response = guarded.request(method, path)
        assert response.status_code == 401, path
        assert response.headers["www-authenticate"] == "Bearer"
        if not path.startswith("/v1"):
            assert problem(response)["code"] == "invalid_api_key"


def test_a_stranger_gets_no_page(guarded: TestClient) -> None:
    for path in PAGES:
        assert guarded.get(path).status_code == 401, path
        page = guarded.get(path, headers={"accept": "text/html"})
        assert page.status_code == 303
        assert page.headers["location"].startswith("/login?next=")
        assert "Runner" not in page.text
        assert "secret" not in page.text


def test_a_stranger_is_led_back_to_where_they_wanted_to_go(guarded: TestClient) -> None:
    page = guarded.get("/results/bm_1?q=a%20b", headers={"accept": "text/html"})
    assert page.headers["location"] == "/login?next=%2Fresults%2Fbm_1%3Fq%3Da%2520b"


def test_the_login_page_and_the_probe_are_open(guarded: TestClient) -> None:
    assert guarded.get("/health").json() == {"status": "ok"}
    assert guarded.get("/login").text == "<title>Log in</title>"
    assert guarded.get("/login/assets/login.js").text == "const page = 1"


def test_the_probe_does_not_need_the_database(
    guarded: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise RuntimeError("no database")

    monkeypatch.setattr(keys, "find", away)
    monkeypatch.setattr(keys, "exist", away)
    assert guarded.get("/health", headers={"authorization": "Bearer br_x"}).status_code == 200


def test_what_is_no_key_is_refused_and_not_repeated(
    guarded: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    for said in ("Bearer br_nonsense", "Bearer ", "Bearer", "Basic YTpi", "br_nonsense", "é"):
        response = guarded.get("/admin/models", headers={"authorization": said.encode()})
        assert response.status_code == 401
        assert "nonsense" not in response.text + capsys.readouterr().out


@pytest.mark.parametrize(
    ("scope", "read", "run", "delete", "log"),
    [
        (Scope.READ, 200, 403, 403, 403),
        (Scope.RUN, 200, 404, 403, 403),
        (Scope.ADMIN, 200, 404, 404, 200),
    ],
)
def test_scopes(
    guarded: TestClient,
    bearer: Callable[..., dict[str, str]],
    scope: Scope,
    read: int,
    run: int,
    delete: int,
    log: int,
) -> None:
    headers = bearer(scope)
    asked = {"model_id": "none", "dataset_id": "none"}
    assert guarded.get("/admin/models", headers=headers).status_code == read
    assert guarded.post("/admin/benchmarks/run", json=asked, headers=headers).status_code == run
    for what in ("datasets/ds_1", "benchmarks/bm_1"):
        assert guarded.delete(f"/admin/{what}", headers=headers).status_code == delete
    assert guarded.get("/admin/audit", headers=headers).status_code == log


def test_a_key_ends_when_it_is_revoked(
    guarded: TestClient, bearer: Callable[..., dict[str, str]]
) -> None:
    headers = bearer(Scope.READ, "Ada")
    assert guarded.get("/admin/me", headers=headers).json()["name"] == "Ada"
    keys.revoke("Ada")
    assert guarded.get("/admin/me", headers=headers).status_code == 401
    keys.revoke("Ada")
    with pytest.raises(Conflict):
        keys.create("Ada", Scope.READ)
    with pytest.raises(NotFound):
        keys.revoke("Bo")


def test_a_key_ends_when_its_time_is_over(
    guarded: TestClient, bearer: Callable[..., dict[str, str]]
) -> None:
    assert guarded.get("/admin/me", headers=bearer(Scope.READ, lifetime=timedelta(0))).is_error


def test_the_database_holds_no_secret(guarded: TestClient, database: str) -> None:
    secret = keys.create("Ada", Scope.READ)
    cookie = logins.begin(keys.find(secret))  # type: ignore[arg-type]
    from sqlalchemy import text

    from cluster.database import session

    with session() as sql:
        for table in ("api_keys", "logins"):
            dump = repr(sql.execute(text(f"SELECT * FROM {table}")).all())
            assert secret not in dump
            assert cookie not in dump


def log_in(client: TestClient, secret: str, **headers: str) -> Response:
    return client.post("/login", json={"key": secret}, headers=headers)


def test_logging_in_and_out(guarded: TestClient) -> None:
    secret = keys.create("Ada", Scope.RUN)
    answer = log_in(guarded, secret, origin=PUBLIC)
    assert answer.status_code == 204
    said = answer.headers["set-cookie"].lower()
    for flag in ("httponly", "samesite=strict", "secure", "path=/", "max-age=43200"):
        assert flag in said
    assert secret not in said
    me = guarded.get("/admin/me").json()
    assert (me["name"], me["scope"], me["logged_in"]) == ("Ada", "run", True)
    assert guarded.get("/runner", headers={"accept": "text/html"}).text == "<title>Runner</title>"
    cookie = guarded.cookies[logins.COOKIE]

    assert guarded.post("/logout", headers={"origin": PUBLIC}).status_code == 204
    guarded.cookies.set(logins.COOKIE, cookie)
    assert guarded.get("/admin/me").status_code == 401


def test_a_reader_can_log_out(guarded: TestClient) -> None:
    log_in(guarded, keys.create("Ada", Scope.READ))
    assert guarded.post("/logout", headers={"origin": PUBLIC}).status_code == 204


def test_a_wrong_key_does_not_log_in(guarded: TestClient, problem: Problem) -> None:
    answer = log_in(guarded, "br_wrong")
    assert (answer.status_code, problem(answer)["code"]) == (401, "invalid_api_key")
    assert "set-cookie" not in answer.headers
    assert "br_wrong" not in answer.text


def test_a_login_ends_with_its_key_and_its_time(
    guarded: TestClient, configure: Callable[..., None]
) -> None:
    log_in(guarded, keys.create("Ada", Scope.READ))
    keys.revoke("Ada")
    assert guarded.get("/admin/me").status_code == 401
    guarded.cookies.clear()
    configure(keyless=False, login_hours=1e-9)
    token = logins.begin(keys.find(keys.create("Bo", Scope.READ)))  # type: ignore[arg-type]
    guarded.cookies.set(logins.COOKIE, token)
    assert guarded.get("/admin/me").status_code == 401


ORIGINS: tuple[tuple[dict[str, str], int], ...] = (
    ({"origin": PUBLIC}, 404),
    ({"origin": f"{PUBLIC}:443", "sec-fetch-site": "same-origin"}, 404),
    ({"sec-fetch-site": "same-origin"}, 404),
    ({"origin": "https://evil.example"}, 403),
    ({"origin": "https://evil.example", "sec-fetch-site": "same-origin"}, 403),
    ({"origin": f"{PUBLIC}:8443"}, 403),
    ({"origin": f"{PUBLIC}.evil.example"}, 403),
    ({"origin": "null"}, 403),
    ({"origin": "https://bench.example.org:x"}, 403),
    ({"sec-fetch-site": "cross-site"}, 403),
    ({"sec-fetch-site": "same-site"}, 403),
    ({"sec-fetch-site": "none"}, 403),
    ({}, 403),
)


def test_another_site_cannot_use_a_login(guarded: TestClient) -> None:
    log_in(guarded, keys.create("Ada", Scope.RUN))
    asked = {"model_id": "none", "dataset_id": "none"}
    for headers, status in ORIGINS:
        answer = guarded.post("/admin/benchmarks/run", json=asked, headers=headers)
        assert answer.status_code == status, headers


def test_another_site_cannot_log_somebody_in(guarded: TestClient) -> None:
    secret = keys.create("Ada", Scope.RUN)
    assert log_in(guarded, secret, origin="https://evil.example").status_code == 403


def test_a_key_needs_no_origin(guarded: TestClient, bearer: Callable[..., dict[str, str]]) -> None:
    asked = {"model_id": "none", "dataset_id": "none"}
    headers = bearer(Scope.RUN) | {"origin": "https://notebook.example"}
    answer = guarded.post("/admin/benchmarks/run", json=asked, headers=headers)
    assert answer.status_code == 404
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_preflight_gets_no_permission(guarded: TestClient) -> None:
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answer = guarded.options("/admin/benchmarks/run", headers=headers)
    assert answer.status_code == 401
    assert not [name for name in answer.headers if name.startswith("access-control")]


# -- without keys ---------------------------------------------------------------------------------


def test_without_keys_only_this_machine_s_names_are_answered(client: TestClient) -> None:
    for host in ("evil.example", "bench.example.org:8000", "", "127.0.0.1.nip.io", "[::1"):
        answer = client.get("/admin/models", headers={"host": host})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "wrong_host")
    for host in ("127.0.0.1:8000", "localhost", "[::1]:8000", "LOCALHOST:1"):
        assert client.get("/admin/models", headers={"host": host}).status_code == 200
        assert client.get("/admin/me", headers={"host": host}).json()["scope"] == "admin"


def test_without_keys_another_site_changes_nothing(client: TestClient) -> None:
    headers = {"origin": "https://evil.example"}
    assert client.post("/v1/batches", json={}, headers=headers).status_code == 403
    assert client.delete("/admin/datasets/ds_1", headers=headers).status_code == 403


def test_the_first_key_ends_the_time_without_keys(client: TestClient) -> None:
    assert client.get("/admin/models").status_code == 200
    keys.create("Ada", Scope.READ)
    assert client.get("/admin/models").status_code == 401
    keys.revoke("Ada")
    assert client.get("/admin/models").status_code == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
@pytest.mark.parametrize("command", ["serve", "demo"])
def test_others_are_not_served_while_there_is_no_key(
    configure: Callable[..., None], data_folder: Path, host: str, command: str
) -> None:
    """Before anything starts: a service that anybody can use must not exist for a moment."""
    configure(host=host)
    refused = CliRunner().invoke(app, [command]).exception
    assert isinstance(refused, LaunchError)
    assert f"refuses to listen on {host} while there is no API key" in str(refused)
    assert not (data_folder / "session.json").exists()
    keys.create("Ada", Scope.READ)
    require_keys(host, keyless=False)


# -- limits ---------------------------------------------------------------------------------------


def test_a_key_that_calls_too_often_has_to_wait(
    guarded: TestClient, bearer: Callable[..., dict[str, str]], problem: Problem
) -> None:
    headers = bearer(Scope.READ, requests_per_second=0.5)
    statuses = [guarded.get("/admin/me", headers=headers).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    answer = guarded.get("/admin/me", headers=headers)
    assert problem(answer)["code"] == "rate_limit_exceeded"
    assert 1 <= int(answer.headers["retry-after"]) <= 2
    assert guarded.get("/admin/me", headers=bearer(Scope.READ, "another")).status_code == 200


def test_a_key_may_have_a_limit_on_size(
    guarded: TestClient, bearer: Callable[..., dict[str, str]]
) -> None:
    headers = bearer(Scope.RUN, max_body_bytes=2000)
    body = jsonl(*chats(100))

    def send(path: str, **content: Any) -> int:
        return guarded.post(path, headers=headers, **content).status_code

    assert send("/admin/datasets/upload", files={"file": ("a.jsonl", jsonl(*chats(2)))}) == 200
    assert send("/admin/datasets/upload", files={"file": ("a.jsonl", body)}) == 413
    # A body that does not say how long it is.
    assert send("/admin/benchmarks/run", content=iter([body])) == 413
    form = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n' + body
    headers |= {"content-type": "multipart/form-data; boundary=x"}
    assert send("/admin/datasets/upload", content=iter([form, b"\r\n--x--\r\n"])) == 413


# -- the audit log --------------------------------------------------------------------------------


def test_the_audit_log_says_who_did_what(
    guarded: TestClient, bearer: Callable[..., dict[str, str]]
) -> None:
    ada, bo = bearer(Scope.ADMIN, "Ada"), bearer(Scope.READ, "Bo")
    guarded.delete("/admin/datasets/ds_1", headers=ada)
    guarded.delete("/admin/datasets/ds_2?secret=1", headers=bo)
    guarded.get("/admin/datasets", headers=bo)
    guarded.get("/admin/datasets", headers=bo)
    entries = guarded.get("/admin/audit", headers=ada).json()
    assert entries["total"] == 2
    said = [(one["key"], one["method"], one["path"], one["status"]) for one in entries["entries"]]
    # A refusal is worth knowing too. What only reads is gathered.
    assert said == [
        ("Bo", "DELETE", "/admin/datasets/ds_2", 403),
        ("Ada", "DELETE", "/admin/datasets/ds_1", 404),
    ]
    assert guarded.get("/admin/audit?key=Ada&limit=1", headers=ada).json()["total"] == 1


def test_reads_are_counted_and_written_when_the_service_stops(
    client: TestClient, configure: Callable[..., None]
) -> None:
    configure(keyless=False)
    headers = {"authorization": f"Bearer {keys.create('Ada', Scope.READ)}"}
    with TestClient(create_app(), PUBLIC) as opened:
        for _ in range(3):
            opened.get("/admin/datasets%00", headers=headers)
            opened.get("/admin/models", headers=headers)
    found = {one.path: one.count for one in audit.page(10, 0).entries}
    assert found == {"/admin/datasets\\0": 3, "/admin/models": 3}
    assert keys.all_keys()[0].last_used_at is not None


def test_who_judges_is_the_key(
    guarded: TestClient, bearer: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from serve_app.routes import votes

    asked: list[str | None] = []

    def deal(ids: list[str], author: str | None, count: int) -> None:
        asked.append(author)
        raise NotFound("benchmark_not_found", "none")

    monkeypatch.setattr(votes.ballots, "deal", deal)
    headers = bearer(Scope.RUN, "Ada") | {"x-author": "Mallory"}
    guarded.post("/admin/votes/ballots?benchmark_id=a&benchmark_id=b", headers=headers)
    assert asked == ["Ada"]


# -- with the client of OpenAI ------------------------------------------------------------------


def the_client(guarded: TestClient, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{PUBLIC}/v1", api_key=key, http_client=guarded, max_retries=0)


def test_openai_s_client_sends_the_key(guarded: TestClient) -> None:
    client = the_client(guarded, keys.create("reader", Scope.READ))
    assert [model.id for model in client.models.list()] == ["test/echo"]
    with pytest.raises(openai.PermissionDeniedError) as refused:
        client.files.create(file=("a.jsonl", jsonl(*chats(1))), purpose="batch")
    assert refused.value.code == "missing_scope"
    runner = the_client(guarded, keys.create("runner", Scope.RUN))
    assert runner.files.create(file=("a.jsonl", jsonl(*chats(1))), purpose="batch").id


def test_openai_s_client_understands_refusals(guarded: TestClient) -> None:
    with pytest.raises(openai.AuthenticationError) as unknown:
        the_client(guarded, "br_unknown").models.list()
    assert (unknown.value.code, unknown.value.type) == ("invalid_api_key", "invalid_request_error")
    hasty = the_client(guarded, keys.create("hasty", Scope.READ, requests_per_second=0.01))
    hasty.models.list()
    with pytest.raises(openai.RateLimitError) as limited:
        hasty.models.list()
    assert limited.value.code == "rate_limit_exceeded"


def test_ready_needs_a_key_and_tells_no_password(
    guarded: TestClient, bearer: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> str:
        raise RuntimeError("postgresql+psycopg://runner:hunter2@db.example/runner is away")

    monkeypatch.setattr(readiness, "_database", away)
    answer = guarded.get("/ready", headers=bearer(Scope.READ))
    assert answer.status_code == 503
    assert "db.example" in answer.text
    assert "hunter2" not in answer.text
