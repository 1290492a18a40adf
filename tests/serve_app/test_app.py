"""What all of the application has in common: models, health, errors, and its description."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from factories import MODEL_ID, model_entry
from fastapi.testclient import TestClient
from httpx import Response

from cluster.database import engine
from cluster.settings import settings
from jobs import registry
from serve_app import readiness
from serve_app.app import create_app

Problem = Callable[[Response], dict[str, Any]]
METHODS = {"get", "put", "post", "delete", "patch"}


def test_models_are_listed(client: TestClient) -> None:
    (model,) = client.get("/admin/models").json()["models"]
    expected = {"model_id": MODEL_ID, "name": "Echo", "size": "1M", "memory_gib": 1}
    assert {name: model[name] for name in expected} == expected


@pytest.mark.parametrize("an_id", ["test/echo", "a/b/c/d", "plain", "with.dots-and_more"])
def test_a_model_id_may_have_slashes(client: TestClient, models_folder: Path, an_id: str) -> None:
    (models_folder / "echo.yaml").write_text(yaml.safe_dump(model_entry(model_id=an_id)))
    registry.load()
    for written in (an_id, an_id.replace("/", "%2F")):
        assert client.get(f"/admin/models/{written}").json()["model_id"] == an_id


@pytest.mark.parametrize("unknown", ["nope", "a/b", "", "test/echo/", "%ff"])
def test_an_unknown_model(client: TestClient, problem: Problem, unknown: str) -> None:
    response = client.get(f"/admin/models/{unknown}")
    assert (response.status_code, problem(response)["code"]) == (404, "model_not_found")


@pytest.mark.parametrize(
    "path",
    [
        "models/%00",
        *(f"datasets/%00{rest}" for rest in ("", "/requests", "/download")),
        *(f"benchmarks/%00{rest}" for rest in ("", "/results", "/results/download")),
        "benchmarks?model_id=%00",
        "benchmarks?dataset_id=%00",
    ],
)
def test_a_nul_character_is_no_error_of_the_server(client: TestClient, path: str) -> None:
    """PostgreSQL has no text with NUL in it and refuses even to look for one."""
    assert client.get(f"/admin/{path}").status_code in (200, 404, 422)


def test_health_says_that_the_process_answers(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}


def test_ready_when_every_part_answers(client: TestClient) -> None:
    response = client.get("/ready")
    assert (response.status_code, response.json()["ready"]) == (200, True)
    assert response.json()["checks"].keys() == {"database", "storage", "tracker", "ray"}


def test_not_ready_says_which_part_and_why(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, data_folder: Path
) -> None:
    def away() -> str:
        raise ConnectionError("no cluster")

    monkeypatch.setattr(readiness, "_tracker", away)
    data_folder.mkdir(exist_ok=True)
    (data_folder / "storage").write_text("a file where a folder should be")
    response = client.get("/ready")
    checks = response.json()["checks"]
    assert (response.status_code, response.json()["ready"]) == (503, False)
    assert {name for name, check in checks.items() if not check["ok"]} == {"tracker", "storage"}
    assert checks["tracker"]["message"] == "ConnectionError: no cluster"


def test_a_database_that_is_away_is_named(
    client: TestClient, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://me:secret@127.0.0.1:9/none")
    settings.cache_clear()
    engine().dispose()
    engine.cache_clear()
    response = client.get("/admin/benchmarks")
    assert (response.status_code, problem(response)["code"]) == (503, "database_unavailable")
    assert "secret" not in response.text


@pytest.mark.parametrize("path", ["/nope", "/admin", "/admin/datasets/", "/admin/benchmarks/a/b"])
def test_a_path_that_is_not_there(client: TestClient, problem: Problem, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, problem(response)["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/admin/datasets", "GET"),
        ("PATCH", "/admin/datasets/ds_1", "GET"),
        ("POST", "/health", "GET"),
        ("PUT", "/admin/benchmarks/run", "POST"),
    ],
)
def test_a_method_that_is_not_allowed(
    client: TestClient, problem: Problem, method: str, path: str, allowed: str
) -> None:
    response = client.request(method, path)
    assert (response.status_code, problem(response)["code"]) == (405, "method_not_allowed")
    assert allowed in response.headers["allow"]


def test_an_unexpected_error_has_the_shape_and_tells_no_secrets(
    client: TestClient, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Any:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(registry, "all_models", broken)
    response = client.get("/admin/models")
    assert (response.status_code, problem(response)["code"]) == (500, "internal_error")
    assert "hunter2" not in response.text


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in create_app().openapi()["paths"].items():
        for method in sorted(METHODS & item.keys()):
            yield f"{method} {path}", item[method]


OPERATIONS = dict(operations())
ABOUT_DATA = [name for name in OPERATIONS if "/admin/" in name]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_has_a_summary_and_a_plain_name(name: str) -> None:
    assert OPERATIONS[name]["summary"]
    assert OPERATIONS[name]["operationId"].isidentifier()


@pytest.mark.parametrize("name", ABOUT_DATA)
def test_every_operation_declares_its_errors_in_the_one_shape(name: str) -> None:
    responses = OPERATIONS[name]["responses"]
    errors = {status: answer for status, answer in responses.items() if status >= "400"}
    assert errors
    for status, answer in errors.items():
        schema = answer["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/ErrorResponse"}, status


@pytest.mark.parametrize("name", [name for name in ABOUT_DATA if "{" in name])
def test_every_operation_on_one_thing_may_not_find_it(name: str) -> None:
    assert "404" in OPERATIONS[name]["responses"]


def test_the_description_names_the_paths_of_the_design() -> None:
    assert OPERATIONS.keys() >= {
        "post /admin/datasets/upload",
        "get /admin/datasets",
        "delete /admin/datasets/{dataset_id}",
        "post /admin/benchmarks/run",
        "get /admin/benchmarks",
        "get /admin/benchmarks/{benchmark_id}/results",
    }
