"""Stored datasets: what comes back of an upload, lists, pages, deletion."""

import hashlib
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from factories import chat, chats, embedding, jsonl

from cluster.storage import storage
from jobs import benchmarks, datasets, row_group, uploads
from jobs.errors import Conflict, InvalidDataset, NotFound
from jobs.request_file import Reader
from jobs.schemas.datasets import Dataset
from jobs.schemas.requests import Endpoint
from jobs.schemas.sampling import Sampling

Store = Callable[..., Dataset]


def stored_files(dataset: Dataset) -> list[str]:
    return storage().list(f"datasets/{dataset.id}")


def test_an_upload_comes_back_as_it_was_sent(upload: Store) -> None:
    sent = [
        chat("b", "Second name first", expected="yes"),
        chat("a", "Grüße 🎉"),
        chat("c", body={"model": "gpt-x", "messages": [{"role": "user"}], "temperature": 0}),
    ]
    dataset = upload(*sent)
    page = datasets.page(dataset.id, limit=10, offset=0)
    assert [request.row_id for request in page.requests] == [0, 1, 2]
    assert [request.custom_id for request in page.requests] == ["b", "a", "c"]
    assert [request.body for request in page.requests] == [one["body"] for one in sent]
    assert [request.extra for request in page.requests] == [{"expected": "yes"}, None, None]


def test_what_is_known_of_a_dataset(upload: Store) -> None:
    body = {"model": "gpt-x", "messages": [{"role": "user", "content": "Hi"}]}
    sent = [chat("a", body=body), chat("b"), embedding("c")]
    before = datetime.now(UTC) - timedelta(seconds=1)
    dataset = upload(*sent, name="batch_5k.jsonl")
    assert dataset.id.startswith("ds_")
    assert (dataset.name, dataset.count) == ("batch_5k.jsonl", 3)
    assert dataset.size_bytes == len(jsonl(*sent))
    assert dataset.sha256 == hashlib.sha256(jsonl(*sent)).hexdigest()
    assert dataset.endpoints == [Endpoint.CHAT, Endpoint.EMBEDDINGS]
    assert dataset.models == ["gpt-x"]
    assert before < dataset.uploaded_at <= datetime.now(UTC)
    assert datasets.get(dataset.id) == dataset


def test_the_uploaded_file_is_kept_byte_by_byte(upload: Store) -> None:
    data = b"\xef\xbb\xbf" + jsonl(chat("a")).replace(b"\n", b"\r\n") + b"\n\n" + jsonl(chat("b"))
    dataset = upload(data.rstrip(b"\n"))
    assert dataset.count == 2
    assert storage().read(datasets.original_key(dataset.id)) == data.rstrip(b"\n")


def test_a_local_file_is_stored_under_its_name(database: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_bytes(jsonl(*chats(3)))
    assert uploads.store(file).name == "mine.jsonl"


def test_pages_over_several_row_groups(upload: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_group, "_GROUP_ROWS", 3)
    dataset = upload(*chats(20))
    for limit, offset in [(20, 0), (3, 0), (3, 3), (4, 2), (1, 19), (10, 15), (5, 20), (1, 2**53)]:
        page = datasets.page(dataset.id, limit, offset)
        expected = list(range(20))[offset : offset + limit]
        assert [request.row_id for request in page.requests] == expected
        assert [request.custom_id for request in page.requests] == [f"r-{i}" for i in expected]
        assert (page.total, page.limit, page.offset) == (20, limit, offset)


def test_lines_that_are_read_differently_keep_their_order(
    upload: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_group, "_GROUP_ROWS", 4)
    plain, bare = chats(30), {"prompt": "Why?"}
    parts = [chat(f"p-{i}", [{"type": "text", "text": "Why?"}]) for i in range(30)]
    dataset = upload(*(line for i in range(30) for line in (plain[i], b"\n", bare, parts[i])))
    rows = list(Reader(dataset.id).rows(0, 90))
    ids = [one for i in range(30) for one in (f"r-{i}", f"line-{4 * i + 3}", f"p-{i}")]
    assert [row["custom_id"] for row in rows] == ids
    assert [row["line"] for row in rows] == [4 * i + j for i in range(30) for j in (1, 3, 4)]
    assert [row["row_id"] for row in rows] == list(range(90))


def test_a_reader_forgets_row_groups_that_it_read_long_ago(
    upload: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_group, "_GROUP_ROWS", 2)
    reader = Reader(upload(*chats(30)).id)
    assert [row["row_id"] for row in reader.rows(0, 30)] == list(range(30))
    assert [row["row_id"] for row in reader.rows(3, 7)] == [3, 4, 5, 6]
    assert len(reader._groups) <= reader._KEPT_GROUPS


def test_datasets_are_listed_newest_first(upload: Store) -> None:
    ids = [upload(chat(), name=f"{i}.jsonl").id for i in range(3)]
    found, total = datasets.all_datasets(limit=2, offset=0)
    assert [dataset.id for dataset in found] == [ids[2], ids[1]]
    assert total == 3
    rest, _ = datasets.all_datasets(limit=2, offset=2)
    assert [dataset.id for dataset in rest] == [ids[0]]


def test_deleting_removes_row_and_files(upload: Store) -> None:
    dataset, other = upload(chat()), upload(chat())
    datasets.delete(dataset.id)
    assert stored_files(dataset) == []
    assert datasets.all_datasets(10, 0) == ([other], 1)
    for look in (datasets.get, datasets.delete, lambda id: datasets.page(id, 1, 0)):
        with pytest.raises(NotFound, match="There is no dataset"):
            look(dataset.id)
    assert stored_files(other) == ["original.jsonl", "requests.parquet"]


def test_a_dataset_in_use_is_not_deleted(upload: Store, model_id: str) -> None:
    dataset = upload(chat())
    live = benchmarks.create(model_id, dataset.id, Sampling())
    with pytest.raises(Conflict, match=live.benchmark_id) as caught:
        datasets.delete(dataset.id)
    assert caught.value.code == "dataset_in_use"
    assert stored_files(dataset) == ["original.jsonl", "requests.parquet"]


def test_an_ended_benchmark_outlives_its_dataset(upload: Store, model_id: str) -> None:
    dataset = upload(chat(), name="gone.jsonl")
    ended = benchmarks.cancel(benchmarks.create(model_id, dataset.id, Sampling()).benchmark_id)
    datasets.delete(dataset.id)
    assert stored_files(dataset) == []
    assert datasets.all_datasets(10, 0) == ([], 0)
    assert benchmarks.get(ended.benchmark_id).dataset_name == "gone.jsonl"
    with pytest.raises(NotFound):
        benchmarks.create(model_id, dataset.id, Sampling())


def test_sweeping_removes_old_orphans_only(upload: Store) -> None:
    kept = upload(chat())
    for name in ("ds_old", "ds_new"):
        with storage().write(f"datasets/{name}/original.jsonl") as file:
            file.write(b"x")
    long_ago = time.time() - 2 * 24 * 3600
    for name in ("ds_old", kept.id):
        os.utime(storage().path(f"datasets/{name}"), (long_ago, long_ago))
    datasets.sweep()
    assert storage().list("datasets") == sorted(["ds_new", kept.id])


def test_sweeping_removes_what_killed_uploads_left_in_scratch(
    database: str, data_folder: Path
) -> None:
    scratch = data_folder / "scratch"
    for name in ("old", "new"):
        (scratch / name).mkdir(parents=True)
        (scratch / name / "requests.parquet").write_bytes(b"half")
    (scratch / "spill.tmp").write_bytes(b"x")
    long_ago = time.time() - 2 * 24 * 3600
    for name in ("old", "spill.tmp"):
        os.utime(scratch / name, (long_ago, long_ago))
    datasets.sweep()
    assert [path.name for path in scratch.iterdir()] == ["new"]


def test_sweeping_an_empty_storage(database: str) -> None:
    datasets.sweep()


@pytest.mark.parametrize("folder", ["with space", "quo'te", "ünï,code"])
def test_a_data_folder_of_any_name(
    folder: str, configure: Callable[..., None], upload: Store, tmp_path: Path
) -> None:
    configure(data_folder=tmp_path / folder)
    storage.cache_clear()
    with pytest.raises(InvalidDataset, match="used by line 1"):
        upload(chat("a"), chat("a"))
