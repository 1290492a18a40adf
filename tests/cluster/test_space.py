"""A full disk is foreseen, and recognized whichever library finds it."""

import errno
import pickle
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from disk import fill, small_disk
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from cluster import space
from cluster.local import Local
from cluster.space import StorageFull, is_full

MIB = 2**20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 4096) as folder:
        yield folder


@pytest.fixture
def full(disk: Path) -> Path:
    fill(disk)
    return disk


def test_what_fits_is_let_through(disk: Path, configure: Callable[..., None]) -> None:
    configure(min_free_bytes=MIB)
    space.require(disk)
    space.require(disk, 2 * MIB)
    space.require(disk / "not" / "there" / "yet", 2 * MIB)


def test_what_would_take_the_last_space_is_refused(
    disk: Path, configure: Callable[..., None]
) -> None:
    configure(min_free_bytes=MIB)
    with pytest.raises(StorageFull, match=r"4\.0 MiB free.*3\.5 MiB were asked for") as caught:
        space.require(disk / "not" / "there" / "yet", 7 * MIB // 2)
    assert caught.value.errno == errno.ENOSPC
    assert is_full(caught.value)


def test_a_disk_that_is_nearly_full_is_refused_anything(
    disk: Path, configure: Callable[..., None]
) -> None:
    configure(min_free_bytes=MIB)
    ballast = fill(disk, leave=MIB // 2)
    with pytest.raises(StorageFull):
        space.require(disk)
    ballast.unlink()
    space.require(disk)


def test_the_error_survives_its_way_through_ray() -> None:
    error = pickle.loads(pickle.dumps(StorageFull("no room")))
    assert (type(error), str(error), error.errno) == (StorageFull, "no room", errno.ENOSPC)


def test_a_file(full: Path) -> None:
    with pytest.raises(OSError, match="No space") as caught:
        (full / "a").write_bytes(b"x" * 4096)
    assert is_full(caught.value)


def test_an_object_of_the_storage(full: Path) -> None:
    store = Local(full.as_uri())
    with pytest.raises(OSError, match="No space") as caught, store.write("a") as file:
        file.write(b"x" * 4096)
    assert is_full(caught.value)
    assert [path.name for path in full.iterdir()] == ["ballast"]


def test_arrow(full: Path) -> None:
    table = pa.table({"a": pa.array(range(10_000))})
    with pytest.raises(OSError, match="No space") as caught:
        pq.write_table(table, full / "a.parquet", compression="none")
    assert is_full(caught.value)


def test_duckdb(full: Path) -> None:
    with duckdb.connect() as db, pytest.raises(duckdb.Error) as caught:
        db.execute(f"COPY (SELECT range FROM range(1000000)) TO '{full}/a.csv'")
    assert is_full(caught.value)


def test_duckdb_that_has_to_spill(full: Path) -> None:
    with duckdb.connect() as db, pytest.raises(duckdb.Error) as caught:
        db.execute(f"SET temp_directory = '{full}/spill'; SET memory_limit = '16MB'")
        db.execute("SELECT range, random() AS r FROM range(10000000) ORDER BY r").fetchall()
    assert is_full(caught.value)


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_sqlite(disk: Path, mode: str) -> None:
    engine = create_engine(f"sqlite:///{disk}/a.db")
    with engine.begin() as sql:
        sql.execute(text(f"PRAGMA journal_mode={mode}"))
        sql.execute(text("CREATE TABLE t (a TEXT)"))
    fill(disk)
    with pytest.raises(OperationalError) as caught, engine.begin() as sql:
        sql.execute(text("INSERT INTO t VALUES (:a)"), {"a": "x" * MIB})
    assert is_full(caught.value)
    engine.dispose()


def test_it_is_found_behind_other_errors() -> None:
    full = OSError(errno.EDQUOT, "quota")
    try:
        try:
            raise full
        except OSError:
            raise RuntimeError("while cleaning up") from None
    except RuntimeError as error:
        behind = error
    assert is_full(behind)
    assert is_full(ExceptionGroup("tasks", [ValueError(), full]))


@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "broken"), ValueError("x"), sqlite3.OperationalError("locked")]
)
def test_other_errors_are_other_errors(error: Exception) -> None:
    assert not is_full(error)


def test_an_append_is_whole_or_not_at_all(disk: Path) -> None:
    """A nearly full disk takes the beginning of a line before it raises."""
    store = Local(disk.as_uri())
    lines = [bytes([65 + i]) * 999 + b"\n" for i in range(3)]
    journal = store.journal("log")
    journal.add(lines[0])
    ballast = fill(disk)
    with pytest.raises(OSError, match="No space"):
        journal.add(b"x" * 10_000 + b"\n")
    assert store.read("log") == lines[0]
    ballast.unlink()
    journal.add(lines[1])
    journal.close()
    assert store.read("log") == lines[0] + lines[1]
