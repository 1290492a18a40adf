"""One real service for all integration tests: Ray, Serve, jobs, tracker; engines are the fake."""

import shutil
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import yaml
from integration.api import Api
from integration.elsewhere import KEY, KEY_NAME, Elsewhere, running

from cluster import launch
from cluster.session import Session
from cluster.settings import REPOSITORY, Settings


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[Elsewhere]:
    with running() as service, pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_NAME, KEY)
        yield service


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory, elsewhere: Elsewhere) -> Settings:
    models = tmp_path_factory.mktemp("registry") / "models"
    shutil.copytree(REPOSITORY / "tests" / "models", models)
    (models / "elsewhere.yaml").write_text(yaml.safe_dump(elsewhere.entry()))
    return Settings(
        data_folder=tmp_path_factory.mktemp("data"),
        models_folder=models,
        port=launch.free_ports(1)[0],
    )


# Short enough for a test to wait for it, long enough for a busy machine.
LIMITS = {"UPLOAD_PATIENCE_SECONDS": "8", "REQUEST_TIMEOUT_SECONDS": "8"}


@pytest.fixture(scope="session")
def session(settings: Settings) -> Generator[Session]:
    with ExitStack() as stack:
        # For this service alone: tests of other folders start theirs in the same process.
        with pytest.MonkeyPatch.context() as patch:
            for name, value in LIMITS.items():
                patch.setenv(f"BENCHMARK_RUNNER_{name}", value)
            running = stack.enter_context(launch.service(settings))
        yield running


@pytest.fixture(scope="session")
def api(session: Session) -> Generator[Api]:
    with httpx.Client(base_url=session.service_url, timeout=60) as client:
        yield Api(client)


@pytest.fixture
def storage_folder(settings: Settings) -> Path:
    return settings.data_folder / "storage"
