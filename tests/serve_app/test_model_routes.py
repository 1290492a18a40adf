"""Models over HTTP."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hub import snapshot

from jobs import vllm_models
from serve_app.access.scopes import Scope, needed


@pytest.fixture
def source(
    client: TestClient,
    configure: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """The path of a model that may be added."""
    configure(added_models_folder=tmp_path / "weights")
    monkeypatch.setattr(vllm_models, "architectures", lambda: frozenset({"LlamaForCausalLM"}))
    return str(snapshot(tmp_path / "weights" / "tiny"))


def test_check_add_list_remove(client: TestClient, source: str) -> None:
    checked = client.post("/admin/models/check", json={"source": source}).json()
    assert checked["fit"]["verdict"] == "fits"
    assert client.get("/admin/models/local/tiny").status_code == 404
    added = client.post("/admin/models", json={"source": source})
    assert (added.status_code, added.json()) == (200, checked)
    assert client.get("/admin/models/local/tiny").json() == checked
    listed = client.get("/admin/models").json()["models"]
    assert [model["model_id"] for model in listed] == ["test/echo", "local/tiny"]
    assert client.post("/admin/models", json={"source": source}).status_code == 409
    removed = client.delete("/admin/models/local/tiny")
    assert removed.json() == {"id": "local/tiny", "deleted": True}
    assert client.get("/admin/models/local/tiny").status_code == 404
    assert client.delete("/admin/models/test/echo").status_code == 409


FORBIDDEN: tuple[dict[str, object], ...] = (
    {"source": ""},
    {"source": "a\x00b/c"},
    {"model_id": "../x"},
    {"revision": "--upload-pack"},
    {"dtype": "int8"},
    {"tensor_parallel": 0},
    {"tensor_parallel": 10**9},
    {"max_model_len": 2**40},
    {"engine_args": {"trust_remote_code": True}},
    {"trust_remote_code": True},
    {"endpoint": {"base_url": "http://169.254.169.254/v1", "model": "a"}},
)


def test_fields_that_nobody_may_set(client: TestClient, source: str) -> None:
    for fields in FORBIDDEN:
        answer = client.post("/admin/models", json={"source": source} | fields)
        assert answer.status_code == 422, fields
        assert answer.json()["error"]["code"] == "invalid_request", fields


def test_without_a_hub_it_says_what_to_do(client: TestClient) -> None:
    answer = client.post("/admin/models/check", json={"source": "Qwen/Qwen3-8B"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "hub_unreachable")
    assert "add a model by the path of its folder" in error["message"]


def test_scopes() -> None:
    assert needed("GET", "/admin/models/org/name") is Scope.READ
    assert needed("POST", "/admin/models") is Scope.RUN
    assert needed("POST", "/admin/models/check") is Scope.RUN
    assert needed("DELETE", "/admin/models/org/name") is Scope.ADMIN
