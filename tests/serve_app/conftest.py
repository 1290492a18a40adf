"""The application as an HTTP client sees it, over a database, a storage and a registry."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from factories import HERE, chats, jsonl
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from huggingface_hub import HfApi

from cluster.logs import configure_logs
from jobs import model_files
from serve_app import readiness, tracking
from serve_app.app import create_app


@pytest.fixture(scope="session", autouse=True)
def _logs() -> None:
    """Log as the service does: the library's default takes seconds to draw one traceback."""
    configure_logs()


@cache
def _routes() -> FastAPI:
    return create_app()


@pytest.fixture
def application() -> FastAPI:
    """The application without a web UI. What of it has state is of this test alone.

    Routes take a fifth of a second to make, and have no state.
    """
    made = _routes()
    made.middleware_stack = None  # made anew at the next request
    return made


@pytest.fixture
def client(
    models_folder: Path,
    configure: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[TestClient]:
    # Whether the web UI is built on this machine must not matter; test_web.py is about it.
    configure(web_folder=models_folder / "no-web", keyless=True)
    # The tracker lives in a Ray cluster, which these tests have none of. Nothing is lost by not
    # waking it: it looks at the queue each second by itself. So benchmarks here stay queued.
    monkeypatch.setattr(tracking, "wake", lambda: None)
    monkeypatch.setattr(tracking, "engines", list)
    # Nor is there a hub: whoever names one of its models is told that it cannot be reached.
    monkeypatch.setattr(model_files, "HfApi", partial(HfApi, endpoint="http://127.0.0.1:9"))
    monkeypatch.setattr(readiness, "_tracker", lambda: "answers")
    monkeypatch.setattr(readiness, "_ray", lambda: "2 CPUs, 0 GPUs")
    # An error that nobody expected is answered with 500, as it is in service.
    application: FastAPI = request.getfixturevalue("application")  # of these settings
    with TestClient(application, HERE, raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def send(client: TestClient) -> Callable[..., Response]:
    """Upload a file: ``send(content, "name.jsonl")``."""

    def post(content: bytes | None = None, name: str = "batch_5k.jsonl") -> Response:
        data = jsonl(*chats(3)) if content is None else content
        return client.post("/admin/datasets/upload", files={"file": (name, data)})

    return post


@pytest.fixture
def dataset_id(send: Callable[..., Response]) -> str:
    return str(send().json()["dataset_id"])


@pytest.fixture
def benchmark_id(client: TestClient, model_id: str, dataset_id: str) -> str:
    """A benchmark that stays queued."""
    asked = {"model_id": model_id, "dataset_id": dataset_id}
    return str(client.post("/admin/benchmarks/run", json=asked).json()["benchmark_id"])


@pytest.fixture
def problem() -> Callable[[Response], dict[str, Any]]:
    """The error in a response, which must have the one shape of errors."""

    def read(response: Response) -> dict[str, Any]:
        assert response.status_code >= 400
        assert response.headers["content-type"] == "application/json"
        body = response.json()
        assert body.keys() == {"error"}
        error: dict[str, Any] = body["error"]
        assert error.keys() == {"code", "message", "details"}
        assert isinstance(error["code"], str)
        assert isinstance(error["message"], str)
        assert error["message"]
        return error

    return read
