"""The whole product with real vLLM, on the two models that come with the installation."""

from pathlib import Path

import pytest

from cluster.settings import REPOSITORY


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty data folder that shares the repository's prepared weights.

    Preparing takes a minute per machine; `make demo` and the tests do it once between them.
    """
    folder = tmp_path_factory.mktemp("data")
    prepared = REPOSITORY / "data" / "models"
    prepared.mkdir(parents=True, exist_ok=True)
    (folder / "models").symlink_to(prepared)
    return folder
