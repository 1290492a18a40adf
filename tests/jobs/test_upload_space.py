"""Uploads onto a small disk: refused in words, nothing is left, and it works again with space."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from disk import fill, small_disk
from factories import chat, jsonl
from sqlalchemy.exc import OperationalError

from cluster.database import migrate
from cluster.space import is_full
from cluster.storage import storage
from jobs import datasets
from jobs.schemas.datasets import Dataset
from jobs.uploads import Upload

MIB = 2**20


@pytest.fixture
def disk(data_folder: Path, configure: Callable[..., None]) -> Iterator[Path]:
    """Everything of the service on 12 MiB: database, storage and scratch files."""
    with small_disk(data_folder, 12 * 1024) as folder:
        configure(min_free_bytes=0)
        migrate()
        yield folder


def send(mebibytes: int) -> Dataset:
    """Store a dataset of so many requests, each of a mebibyte that does not compress."""
    noise = Path("/dev/urandom").open("rb")  # noqa: SIM115 - closed below
    with noise, Upload("noise.jsonl") as upload:
        for i in range(mebibytes):
            upload.feed(jsonl(chat(f"r-{i}", noise.read(MIB // 2).hex())))
        return upload.finish()


def nothing_left() -> bool:
    scratch = storage().root.parent / "scratch"
    leftovers = list(scratch.iterdir()) if scratch.exists() else []
    return not leftovers and storage().list("datasets") == []


def test_a_disk_that_becomes_full_refuses_the_upload_and_takes_the_next(disk: Path) -> None:
    with pytest.raises(OSError, match="No space") as caught:
        send(14)
    assert is_full(caught.value)
    assert nothing_left()
    assert send(2).count == 2


def test_a_disk_that_becomes_full_at_the_end(disk: Path) -> None:
    """Both files fit next to each other, but not while one is copied into its place."""
    with pytest.raises(OSError, match="No space") as caught:
        send(6)
    assert is_full(caught.value)
    assert nothing_left()


def test_the_last_space_is_not_for_uploads(disk: Path, configure: Callable[..., None]) -> None:
    configure(min_free_bytes=4 * MIB)
    ballast = fill(disk, leave=3 * MIB)
    with pytest.raises(OSError, match=r"is full: .* 4\.0 MiB are kept"):
        send(1)
    assert nothing_left()
    ballast.unlink()
    assert send(1).count == 1


def test_a_database_that_is_full_keeps_no_files(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are there already when their row finds no room."""
    insert = Upload._insert

    def insert_when_full(self: Upload, rows: tuple[Any, ...]) -> None:
        rows[0].name = "x" * MIB
        fill(disk)
        insert(self, rows)

    monkeypatch.setattr(Upload, "_insert", insert_when_full)
    with pytest.raises(OperationalError) as caught:
        send(1)
    assert is_full(caught.value)
    assert nothing_left()
    monkeypatch.undo()
    (disk / "ballast").unlink()
    assert datasets.all_datasets(10, 0) == ([], 0)


def test_datasets_can_be_read_and_deleted_on_a_full_disk(
    disk: Path, configure: Callable[..., None]
) -> None:
    stored = send(2)
    fill(disk, leave=256 * 1024)  # what min_free_bytes is for
    configure(min_free_bytes=MIB)
    assert datasets.page(stored.id, 10, 0).total == 2
    datasets.delete(stored.id)
    assert nothing_left()
