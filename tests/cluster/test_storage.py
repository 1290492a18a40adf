"""Storage: objects appear whole or not at all, and keys stay below the root. Both kinds alike."""

import asyncio
import io
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cluster.local import Local
from cluster.storage import Storage, is_gone, storage, unavailable


@pytest.fixture(params=["file", "s3"])
def store(request: pytest.FixtureRequest, data_folder: Path) -> Storage:
    if request.param == "s3":
        request.getfixturevalue("way")
    return storage()


@pytest.fixture
def local(tmp_path: Path) -> Local:
    return Local(tmp_path.as_uri())


def put(store: Storage, key: str, data: bytes = b"x") -> None:
    with store.write(key) as file:
        file.write(data)


def keys(store: Storage) -> list[str]:
    return [key for key, _ in store.contents()]


def test_what_is_written_is_read(store: Storage) -> None:
    with store.write("a/b/c.bin") as file:
        file.write(b"one")
        file.write(b"two")
    assert store.read("a/b/c.bin") == b"onetwo"
    assert store.exists("a/b/c.bin")
    assert not store.exists("a/b/c")
    assert not store.exists("a/b")


def test_an_object_does_not_exist_until_it_is_complete(store: Storage) -> None:
    with store.write("a/b") as file:
        file.write(b"half")
        file.flush()
        assert not store.exists("a/b")
        assert store.list("a") == []
    assert store.list("a") == ["b"]


def test_a_failed_write_leaves_nothing(store: Storage) -> None:
    with pytest.raises(RuntimeError, match="stop"), store.write("a/b") as file:
        file.write(b"half")
        raise RuntimeError("stop")
    assert keys(store) == []


def test_a_failed_write_keeps_what_was_there(store: Storage) -> None:
    put(store, "a", b"old")
    with pytest.raises(RuntimeError, match="stop"), store.write("a") as file:
        file.write(b"new")
        raise RuntimeError("stop")
    assert store.read("a") == b"old"
    assert keys(store) == ["a"]


def test_writing_again_replaces(store: Storage) -> None:
    for content in (b"a long first version", b"second"):
        put(store, "a", content)
    assert store.read("a") == b"second"


@pytest.mark.parametrize("size", [0, 1, 2**20, 2**20 + 1, 6 * 2**20])
def test_an_object_can_be_read_here_and_there(store: Storage, size: int) -> None:
    data = bytes(i % 251 for i in range(997)) * (size // 997 + 1)
    put(store, "a", data[:size])
    with store.open("a") as file:
        assert file.seek(0, io.SEEK_END) == size
        assert file.read(10) == b""
        for start in (0, size // 2, max(size - 7, 0)):
            assert file.seek(start) == start
            assert file.read(20) == data[start : min(start + 20, size)]
            assert file.tell() == min(start + 20, size)
        file.seek(0)
        assert file.read() == data[:size]


def test_what_does_not_exist_cannot_be_read(store: Storage) -> None:
    for read in (store.read, store.open):
        with pytest.raises(FileNotFoundError):
            read("a/b")
    assert store.list("nothing/here") == []
    assert store.written("nothing/here") == {}
    assert store.lines("nothing") == b""
    assert list(store.journals("nothing")) == []


def test_a_prefix_lists_objects_and_prefixes(store: Storage) -> None:
    for key in ("a/1", "a/2/x", "a/2/y/z", "ab/3", "b"):
        put(store, key)
    assert store.list("a") == ["1", "2"]
    written = store.written("a")
    assert sorted(written) == ["1", "2"]
    assert all(abs(at / 1e9 - time.time()) < 60 for at in written.values())


def test_deleting_an_object_a_prefix_a_journal_and_nothing(store: Storage) -> None:
    for key in ("a/1", "a/2", "ab", "b"):
        put(store, key)
    journal = store.journal("log")
    journal.add(b"1\n")
    journal.close()
    for key in ("a", "b", "b", "log"):
        store.delete(key)
    assert keys(store) == ["ab"]


def test_each_line_of_a_journal_is_there_at_once(store: Storage) -> None:
    first, second = store.journal("logs/1"), store.journal("logs/1")
    first.add(b"1\n")
    assert store.lines("logs/1") == b"1\n"
    second.add(b"2\n")
    first.add(b"3\n4\n")
    assert sorted(store.lines("logs/1").splitlines()) == [b"1", b"2", b"3", b"4"]
    other = store.journal("logs/2")
    other.add(b"5\n")
    assert [sorted(one.split()) for one in store.journals("logs")] == [
        [b"1", b"2", b"3", b"4"],
        [b"5"],
    ]
    assert store.list("logs") == ["1", "2"]
    for one in (first, second, other):
        one.close()


def test_a_journal_goes_on_after_what_was_written_as_an_object(store: Storage) -> None:
    put(store, "logs/1", b"1\n2\n")
    journal = store.journal("logs/1")
    journal.add(b"3\n")
    journal.close()
    assert store.lines("logs/1") == b"1\n2\n3\n"
    assert list(store.journals("logs")) == [b"1\n2\n3\n"]
    assert [(key, file.read()) for key, file in store.contents()] == [("logs/1", b"1\n2\n3\n")]


def test_a_long_journal_keeps_its_order(store: Storage) -> None:
    lines = [b"%d\n" % i for i in range(70)]
    journal = store.journal("log")
    for number, line in enumerate(lines):
        journal.add(line)
        if number % 20 == 0:
            assert store.lines("log") == b"".join(lines[: number + 1])
    journal.close()
    assert store.lines("log") == b"".join(lines)


def test_all_that_is_there_can_be_copied(store: Storage) -> None:
    assert keys(store) == []
    content = {"a/b": b"1", "a/c/d": b"x" * 2_000_000, "e": b""}
    for key, data in content.items():
        put(store, key, data)
    assert {key: file.read() for key, file in store.contents()} == content


def test_duckdb_and_arrow_read_what_is_stored(store: Storage) -> None:
    for number in range(3):
        with store.write(f"parts/{number}.parquet") as file:
            pq.write_table(pa.table({"n": [number] * 1000, "text": ["x" * 50] * 1000}), file)
    urls = [store.url(f"parts/{number}.parquet") for number in range(3)]
    with store.connect() as db:
        query = "SELECT count(*), sum(n)::INT FROM read_parquet($1)"
        assert db.execute(query, [urls]).fetchall() == [(3000, 3000)]
        with pytest.raises(duckdb.Error) as caught:
            db.execute(query, [[urls[0], store.url("parts/3.parquet")]])
        assert is_gone(caught.value)
        assert unavailable(caught.value) is None
        with pytest.raises(duckdb.Error) as caught:
            db.execute("SELECT wrong FROM read_parquet($1)", [urls])
        assert not is_gone(caught.value)
    with store.open("parts/2.parquet") as file:
        assert pq.read_table(file, columns=["n"]).num_rows == 1000


async def test_work_is_done_off_the_loop_and_returned(store: Storage) -> None:
    journal = store.journal("log")
    await asyncio.gather(*(store.off_loop(journal.add, b"%d\n" % i) for i in range(20)))
    assert sorted((await store.off_loop(store.lines, "log")).split()) == sorted(
        b"%d" % i for i in range(20)
    )
    with pytest.raises(FileNotFoundError):
        await store.off_loop(store.read, key="none")
    journal.close()


BAD_KEYS = [
    *("", ".", "..", "/", "/etc/passwd", "../x", "a/../x", "a/..", "a//b", "a/", "./a", "a/./b"),
    *(".hidden", "a/.tmp-1", "a\\b", "a\0b", "a b", "ä", "a\n", "\n", "~root/x"),
]


def test_a_key_that_could_leave_the_root_is_refused(store: Storage) -> None:
    calls: list[Callable[[str], object]] = [store.read, store.open, store.exists, store.list]
    calls += [store.delete, store.url, store.lines, store.journal, store.written]
    for key in BAD_KEYS:
        for call in calls:
            with pytest.raises(ValueError, match="not a storage key"):
                call(key)
        with pytest.raises(ValueError, match="not a storage key"), store.write(key):
            pass
    assert keys(store) == []


def files(store: Local) -> list[str]:
    return [str(path.relative_to(store.root)) for path in store.root.rglob("*") if path.is_file()]


def test_what_a_killed_writer_leaves_is_no_object_and_is_swept(local: Local) -> None:
    script = (
        "import os, sys; from cluster.local import Local\n"
        "with Local(sys.argv[1]).write('a/b') as file:\n"
        "    file.write(b'whole'); file.flush(); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", script, local.uri]).returncode == 9
    put(local, "a/c", b"other")
    assert local.list("a") == ["c"]
    assert [key for key, _ in local.contents()] == ["a/c"]
    assert len(files(local)) == 2

    local.sweep("a")
    assert files(local) == ["a/c"]
    local.sweep("none")


def test_a_line_that_its_writer_was_killed_in_is_cut_off(local: Local) -> None:
    put(local, "log", b"1\n2\n3")
    assert local.lines("log") == b"1\n2\n"
    journal = local.journal("log")
    journal.add(b"4\n")
    journal.close()
    assert local.read("log") == b"1\n2\n4\n"


@pytest.mark.parametrize("uri", ["/a/folder", "file://host/x", "https://host/x", "gs://bucket"])
def test_a_storage_that_is_not_supported_is_named(uri: str) -> None:
    with pytest.raises(ValueError, match="give file:///folder or s3://bucket/prefix"):
        storage(uri)


@pytest.mark.parametrize("uri", ["s3://", "s3:///x", "s3://b/x?y=1", "s3://b/../x", "s3://b/a b"])
def test_an_address_of_a_bucket_that_is_none_is_named(data_folder: Path, uri: str) -> None:
    with pytest.raises(ValueError, match=r"storage_url|not a storage key"):
        storage(uri)


def test_credentials_in_the_address_are_refused_and_not_repeated(data_folder: Path) -> None:
    with pytest.raises(ValueError, match="AWS_") as caught:
        storage("s3://key:geheim@bucket/x")
    assert "geheim" not in str(caught.value)


def test_a_root_with_a_space_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "my data"
    put(Local(folder.as_uri()), "a")
    assert (folder / "a").read_bytes() == b"x"


@pytest.mark.parametrize("folder", ["star*", "quest?ion", "[brackets]"])
def test_a_folder_that_duckdb_would_take_for_a_pattern_is_refused(
    tmp_path: Path, folder: str
) -> None:
    with pytest.raises(ValueError, match="the folder's name"):
        Local((tmp_path / folder).as_uri())
