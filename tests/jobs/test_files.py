"""Files: datasets under another name, and what batches write."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from factories import chat, chats, jsonl
from sqlalchemy import text

from cluster.database import alembic_config, session
from cluster.settings import settings
from cluster.storage import storage
from jobs import datasets, files
from jobs.errors import Conflict, InvalidParameter, NotFound, TooLarge
from jobs.models import BatchRow, FileRow
from jobs.schemas.datasets import Dataset
from jobs.schemas.openai import ExpiresAfter, File, Purpose

Store = Callable[..., Dataset]


def store(*parts: bytes, seconds: int | None = None) -> File:
    """Upload a file through the OpenAI API's door."""
    after = ExpiresAfter(anchor="created_at", seconds=seconds) if seconds else None
    with files.upload("mine.jsonl") as upload:
        for part in parts:
            upload.feed(part)
        return files.store(upload, after)


def age(file_id: str, seconds: int) -> None:
    """Let a file's expiry come nearer."""
    with session() as sql:
        row = sql.get_one(FileRow, file_id)
        assert row.expires_at is not None
        row.expires_at -= timedelta(seconds=seconds)


def batch_of(file_id: str, status: str) -> None:
    now = datetime.now(UTC)
    with session() as sql:
        sql.add(
            BatchRow(
                id="batch_1",
                benchmark_id="bm_1",
                input_file_id=file_id,
                endpoint="/v1/chat/completions",
                completion_window="24h",
                status=status,
                created_at=now,
                expires_at=now,
            )
        )


def test_a_dataset_is_a_file_with_the_same_number(upload: Store) -> None:
    dataset = upload(*chats(3))
    file = files.get(f"file-{dataset.id.removeprefix('ds_')}")
    assert (file.filename, file.bytes, file.purpose) == (
        dataset.name,
        dataset.size_bytes,
        Purpose.BATCH,
    )
    assert files.page(10, None, "desc", None).data == [file]


def test_a_file_is_a_dataset_where_its_lines_allow_it(database: str) -> None:
    good, bad = store(jsonl(*chats(3))), store(jsonl(*chats(3)), b"{broken\n")
    (dataset,), _ = datasets.all_datasets(10, 0)
    assert datasets.file_id(dataset.id) == good.id
    assert dataset.count == 3
    with session() as sql:
        row = sql.get_one(FileRow, bad.id)
    assert row.dataset_id is None
    assert [error["code"] for error in row.errors or []] == ["invalid_json"]
    assert storage().read(files.key(bad.id)).endswith(b"{broken\n")


def test_bare_bodies_are_lines_of_a_dataset_but_not_of_a_batch(
    upload: Store, database: str
) -> None:
    bare = jsonl(chat()["body"])
    assert upload(bare).count == 1
    with session() as sql:
        errors = sql.get_one(FileRow, store(bare).id).errors or []
    assert {error["code"] for error in errors} == {
        "missing_custom_id",
        "missing_method",
        "missing_url",
        "missing_body",
    }


def test_a_file_over_the_limit_of_batches_leaves_nothing(
    database: str, configure: Callable[..., None]
) -> None:
    configure(batch_max_bytes=100)
    with pytest.raises(TooLarge, match="100 bytes"):
        store(jsonl(*chats(3)))
    assert storage().list("datasets") == []
    assert files.page(10, None, "desc", None).data == []


def test_an_empty_file_is_refused(database: str) -> None:
    with pytest.raises(InvalidParameter, match="jsonl"):
        store()
    assert storage().list("datasets") == []


@pytest.mark.parametrize("last", [b"", b"{broken\n"])
def test_a_deleted_file_leaves_nothing_on_storage(database: str, last: bytes) -> None:
    file = store(jsonl(*chats(3)), last)
    files.delete(file.id)
    assert storage().list("datasets") == []
    assert datasets.all_datasets(10, 0) == ([], 0)
    with pytest.raises(NotFound):
        files.get(file.id)


def test_a_file_goes_with_its_dataset(upload: Store) -> None:
    dataset = upload(*chats(3))
    datasets.delete(dataset.id)
    with pytest.raises(NotFound):
        files.get(datasets.file_id(dataset.id))


@pytest.mark.parametrize("last", [b"", b"{broken\n"])
def test_the_file_of_a_live_batch_is_kept(database: str, last: bytes) -> None:
    file = store(jsonl(*chats(3)), last)
    batch_of(file.id, "validating")
    with pytest.raises(Conflict, match="batch_1"):
        files.delete(file.id)
    with session() as sql:
        sql.get_one(BatchRow, "batch_1").status = "completed"
    files.delete(file.id)


def test_a_file_expires_when_it_is_not_in_use(database: str) -> None:
    file = store(jsonl(*chats(3)), seconds=3600)
    files.remove_expired()
    assert files.get(file.id) == file

    batch_of(file.id, "in_progress")
    age(file.id, 3600)
    files.remove_expired()
    with pytest.raises(NotFound):
        files.get(file.id)
    assert files.page(10, None, "desc", None).data == []
    assert storage().exists(datasets.original_key(f"ds_{file.id.removeprefix('file-')}"))

    with session() as sql:
        sql.get_one(BatchRow, "batch_1").status = "completed"
    files.remove_expired()
    assert storage().list("datasets") == []


def test_what_killed_uploads_left_is_swept_and_files_are_kept(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(jsonl(*chats(3)))
    store(b"{broken\n")
    with storage().write("datasets/ds_killed/original.jsonl") as file:
        file.write(b"{}")
    monkeypatch.setattr(datasets, "_ABANDONED_SECONDS", -1)
    datasets.sweep()
    assert len(storage().list("datasets")) == 2
    assert "ds_killed" not in storage().list("datasets")


def test_the_migration_makes_files_of_the_datasets_there_are(upload: Store, database: str) -> None:
    """Also of a database that is older than this API."""
    kept, deleted = upload(*chats(3)), upload(*chats(2))
    with session() as sql:
        sql.execute(
            text("UPDATE datasets SET deleted_at = uploaded_at WHERE id = :id"), {"id": deleted.id}
        )
    url = settings().sql_url
    command.downgrade(alembic_config(url), "0003")
    command.upgrade(alembic_config(url), "head")
    (file,) = files.page(10, None, "desc", None).data
    assert (file.id, file.bytes) == (datasets.file_id(kept.id), kept.size_bytes)
    assert storage().exists(files.key(file.id))
