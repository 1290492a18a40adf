"""The web UI from the API's origin: pages, caching, headers, the owner's old paths."""

# ruff: noqa: F401, F811 - fixtures are imported

import pytest
from ext_fixtures import place
from factories import HERE
from fastapi.testclient import TestClient

from serve_app.app import create_app

_INDEX = "<!doctype html><title>Benchmark Runner</title>"


@pytest.fixture
def client(place):
    folder = place / "web"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(_INDEX)
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "main-abc.js").write_text("const a = 1;\n" * 1000)
    (place / "secret.txt").write_text("secret")
    with TestClient(create_app(), HERE, follow_redirects=False) as opened:
        yield opened


@pytest.mark.parametrize("path", ["/", "/runner", "/results/bm_1", "/compare?a=1", "/index.html"])
def test_pages(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.text) == (200, _INDEX)
    assert answer.headers["cache-control"] == "no-cache"
    assert client.head(path).status_code == 200


def test_assets_are_kept_and_compressed(client):
    answer = client.get("/assets/main-abc.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert "javascript" in answer.headers["content-type"]
    assert client.get("/favicon.svg").headers["cache-control"] == "no-cache"
    again = client.get("/assets/main-abc.js", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/admin/nothing", 404),
        ("GET", "/admin", 404),
        ("GET", "/admin/benchmarks/bm_1/nothing", 404),
        ("GET", "/v1/nothing", 404),
        ("GET", "/assets/gone-def.js", 404),
        ("POST", "/runner", 404),
        ("POST", "/health", 405),
        ("GET", "/admin/benchmarks/bm_1/cancel", 405),
    ],
)
def test_what_is_no_page_is_an_error(client, method, path, status):
    answer = client.request(method, path)
    assert answer.status_code == status
    # OpenAI's API has errors of its own shape.
    names = {"message", "type", "param"} if path.startswith("/v1") else {"message", "details"}
    assert set(answer.json()["error"]) == {"code", *names}


@pytest.mark.parametrize("path", ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt"])
def test_nothing_outside_the_folder(client, path):
    assert "secret" not in client.get(path).text


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/static/benchmark-runner.html", "/runner"),
        ("/static/benchmark-results.html", "/runner"),
        ("/static/benchmark-results.html?benchmark_id=", "/runner"),
        ("/static/benchmark-results.html?benchmark_id=bm_1", "/results/bm_1"),
        (
            "/static/benchmark-results.html?benchmark_id=//evil.example",
            "/results/%2F%2Fevil.example",
        ),
        (
            "/static/benchmark-results.html?benchmark_id=%5C%0d%0aset-cookie:a",
            "/results/%5C%0D%0Aset-cookie%3Aa",
        ),
    ],
)
def test_the_owners_paths(client, path, target):
    answer = client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (307, target)


def test_security_headers(client):
    for path in ("/", "/health", "/admin/nothing", "/assets/main-abc.js"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_documentation_may_load_its_scripts(client):
    answer = client.get("/docs")
    assert "cdn.jsdelivr.net" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net" in policy
    assert "frame-ancestors 'none'" in policy


def test_json_is_compressed(client):
    assert client.get("/openapi.json").headers["content-encoding"] == "gzip"


def test_without_a_built_ui_the_documentation_is_the_first_page(place):
    with TestClient(create_app(), HERE, follow_redirects=False) as client:
        answer = client.get("/")
        assert (answer.status_code, answer.headers["location"]) == (307, "/docs")
        assert client.get("/runner").json()["error"]["code"] == "not_found"
