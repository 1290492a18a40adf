"""Back-up and restore, from either database into either."""

import tarfile
from collections.abc import Callable
from pathlib import Path

import object_store
import pytest
from alembic import command
from factories import chats, record
from object_store import ObjectStore
from sqlalchemy import text

from cluster import backup
from cluster.backup import BackupError
from cluster.database import alembic_config, engine, session
from cluster.settings import settings
from cluster.storage import storage
from jobs import benchmarks, datasets, marks, parts, scheduler
from jobs.parts import Chunk
from jobs.schemas.benchmarks import Status
from jobs.schemas.marks import Marking, MarkKind
from jobs.schemas.sampling import Sampling
from serve_app.access import audit, keys
from serve_app.access.scopes import Scope


@pytest.fixture
def made(model_id: str, upload, tmp_path: Path) -> tuple[Path, str]:
    """A back-up of a finished benchmark with a mark, and a key that was used; and its id."""
    benchmark_id = benchmarks.create(model_id, upload(*chats(3)).id, Sampling()).benchmark_id
    chunk = Chunk(benchmark_id, 0)
    chunk.open()
    for row in range(3):
        chunk.add(record(row))
    chunk.finish()
    with session() as sql:
        benchmarks.advance(sql, benchmark_id, [Status.QUEUED], Status.RUNNING)
    assert scheduler.settle(benchmark_id, Status.COMPLETED)
    marks.put(benchmark_id, 1, Marking(kind=MarkKind.GOLDEN), "Ada")
    secret = keys.create("Ada", Scope.RUN)
    audit.AuditLog().record(keys.find(secret), "POST", "/x", 200)  # type: ignore[arg-type]
    file = tmp_path / "backup.tar.gz"
    backup.backup(file)
    assert secret not in "".join(texts(file))
    return file, benchmark_id


def texts(file: Path) -> list[str]:
    with tarfile.open(file) as tar:
        found = [tar.extractfile(one) for one in tar if one.name.startswith("tables/")]
        return [one.read().decode() for one in found if one]


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_what_was_backed_up_comes_back(
    made: tuple[Path, str],
    into: str,
    request: pytest.FixtureRequest,
    configure: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    file, benchmark_id = made
    before = benchmarks.get(benchmark_id)
    engine().dispose()
    for cached in (engine, storage):
        cached.cache_clear()
    configure(data_folder=tmp_path / "another")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    if into == "sqlite":
        check_restored(file, before)
        return
    with request.getfixturevalue("postgres").database("template0") as url:
        monkeypatch.setenv("DATABASE_URL", url)
        settings.cache_clear()
        check_restored(file, before)
        engine().dispose()


def check_restored(file: Path, before) -> None:
    backup.restore(file)
    assert benchmarks.get(before.benchmark_id) == before
    assert datasets.page(before.dataset_id, 10, 0).total == 3
    assert marks.page(before.benchmark_id, 10, 0).marks[0].author == "Ada"
    assert [one.name for one in keys.all_keys()] == ["Ada"]
    # Numbers go on from where they were.
    with session() as sql:
        key_id = sql.scalar(text("SELECT key_id FROM audit_entries"))
    caller = keys.Caller(str(key_id), "Ada", Scope.RUN)
    audit.AuditLog().record(caller, "POST", "/y", 200)
    assert [one.path for one in audit.page(10, 0).entries] == ["/y", "/x"]
    with pytest.raises(BackupError, match="not empty"):
        backup.restore(file)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("to_bucket", [True, False])
def test_a_back_up_moves_storage_to_another_kind(
    model_id: str,
    upload,
    tmp_path: Path,
    object_server: ObjectStore,
    configure: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    to_bucket: bool,
) -> None:
    """With what is finished and what is at work."""

    def move(folder: str, bucket: bool) -> None:
        engine().dispose()
        for cached in (engine, storage):
            cached.cache_clear()
        if bucket:
            object_store.configure(monkeypatch, object_server.bucket(), object_server.url)
        else:
            monkeypatch.delenv("BENCHMARK_RUNNER_STORAGE_URL", raising=False)
        configure(data_folder=tmp_path / folder)

    if not to_bucket:
        object_store.configure(monkeypatch, object_server.bucket(), object_server.url)
        configure()
        storage.cache_clear()
    dataset = upload(*chats(40))
    benchmark_id = benchmarks.create(model_id, dataset.id, Sampling()).benchmark_id
    for index, rows in ((0, range(32)), (1, range(32, 37))):
        chunk = Chunk(benchmark_id, index)
        chunk.open()
        for row in rows:
            chunk.add(record(row))
        if index == 0:
            chunk.finish()
        chunk.close()
    backup.backup(tmp_path / "backup.tar.gz")
    move("another", bucket=to_bucket)
    backup.restore(tmp_path / "backup.tar.gz")
    assert storage().uri.startswith("s3://" if to_bucket else "file://")
    assert datasets.page(dataset.id, 10, 0).total == 40
    assert parts.done(benchmark_id) == {0}
    chunk = Chunk(benchmark_id, 1)
    chunk.open()
    assert chunk.records.keys() == set(range(32, 37))
    chunk.add(record(37))
    chunk.close()
    assert len(parts.unfinished(benchmark_id)) == 6


def test_a_restore_replaces_nothing(made: tuple[Path, str]) -> None:
    file, _ = made
    storage().root.rename(storage().root.with_name("away"))
    with pytest.raises(BackupError, match=r"has rows already.*benchmarks"):
        backup.restore(file)
    with pytest.raises(BackupError, match="exists"):
        backup.backup(file)


def test_a_back_up_of_an_older_schema_is_brought_up_to_date(
    made: tuple[Path, str], configure: Callable[..., None], tmp_path: Path
) -> None:
    if engine().dialect.name != "sqlite":
        pytest.skip("the same on either")
    command.downgrade(alembic_config(settings().sql_url), "0008")
    monkey = pytest.MonkeyPatch()
    monkey.setattr(backup, "migrate", lambda: None)
    backup.backup(tmp_path / "old.tar.gz")
    monkey.undo()
    engine().dispose()
    for cached in (engine, storage):
        cached.cache_clear()
    configure(data_folder=tmp_path / "another")
    assert backup.restore(tmp_path / "old.tar.gz").revision == "0008"
    assert keys.all_keys() == []
    assert benchmarks.get(made[1]).completed == 3


def test_another_file_is_refused(database: str, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "other.tar.gz", "w:gz"):
        pass
    with pytest.raises(BackupError, match="no back-up"):
        backup.restore(tmp_path / "other.tar.gz")
