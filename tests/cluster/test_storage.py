"""Storage: objects appear whole or not at all, and keys stay below the root."""

import subprocess
import sys
from pathlib import Path

import pytest

from cluster.storage import Storage


@pytest.fixture
def store(tmp_path: Path) -> Storage:
    return Storage(tmp_path.as_uri())


def files(store: Storage) -> list[str]:
    return [str(path.relative_to(store.root)) for path in store.root.rglob("*") if path.is_file()]


def test_what_is_written_is_read(store: Storage) -> None:
    with store.write("a/b/c.bin") as file:
        file.write(b"one")
        file.write(b"two")
    assert store.read("a/b/c.bin") == b"onetwo"


def test_an_object_does_not_exist_until_it_is_complete(store: Storage) -> None:
    with store.write("a/b") as file:
        file.write(b"half")
        file.flush()
        assert not store.exists("a/b")
        assert store.list("a") == []
    assert store.list("a") == ["b"]


def test_what_a_killed_writer_leaves_is_no_object_and_is_swept(store: Storage) -> None:
    script = (
        "import os, sys; from cluster.storage import Storage\n"
        "with Storage(sys.argv[1]).write('a/b') as file:\n"
        "    file.write(b'whole'); file.flush(); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", script, store.root.as_uri()]).returncode == 9
    with store.write("a/c") as file:
        file.write(b"other")
    assert store.list("a") == ["c"]
    assert len(files(store)) == 2

    store.sweep("a")
    assert files(store) == ["a/c"]
    store.sweep("none")


def test_a_failed_write_leaves_nothing(store: Storage) -> None:
    with pytest.raises(RuntimeError, match="stop"), store.write("a/b") as file:
        file.write(b"half")
        raise RuntimeError("stop")
    assert files(store) == []


def test_a_failed_write_keeps_what_was_there(store: Storage) -> None:
    with store.write("a") as file:
        file.write(b"old")
    with pytest.raises(RuntimeError, match="stop"), store.write("a") as file:
        file.write(b"new")
        raise RuntimeError("stop")
    assert store.read("a") == b"old"
    assert files(store) == ["a"]


def test_writing_again_replaces(store: Storage) -> None:
    for content in (b"a long first version", b"second"):
        with store.write("a") as file:
            file.write(content)
    assert store.read("a") == b"second"


def test_each_append_is_in_the_file_at_once(store: Storage) -> None:
    first, second = store.append("log"), store.append("log")
    with first, second:
        first.write(b"1\n")
        second.write(b"2\n")
        first.write(b"3\n")
        assert store.read("log") == b"1\n2\n3\n"


def test_deleting_an_object_a_prefix_and_nothing(store: Storage) -> None:
    for key in ("a/1", "a/2", "b"):
        with store.write(key) as file:
            file.write(b"x")
    store.delete("a")
    store.delete("b")
    store.delete("b")
    assert files(store) == []


def test_listing_what_does_not_exist_is_empty(store: Storage) -> None:
    assert store.list("nothing/here") == []


@pytest.mark.parametrize(
    "key",
    [
        *(
            "",
            ".",
            "..",
            "/",
            "/etc/passwd",
            "../x",
            "a/../x",
            "a/..",
            "a//b",
            "a/",
            "./a",
            "a/./b",
        ),
        *(".hidden", "a/.tmp-1", "a\\b", "a\0b", "a b", "ä", "a\n", "\n", "~root/x"),
    ],
)
def test_a_key_that_could_leave_the_root_is_refused(store: Storage, key: str) -> None:
    with pytest.raises(ValueError, match="not a storage key"):
        store.path(key)


@pytest.mark.parametrize("uri", ["s3://bucket/x", "/a/folder", "file://host/x", "https://host/x"])
def test_a_storage_that_is_not_supported_is_named(uri: str) -> None:
    with pytest.raises(ValueError, match="only file:///folder"):
        Storage(uri)


def test_a_root_with_a_space_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "my data"
    with Storage(folder.as_uri()).write("a") as file:
        file.write(b"x")
    assert (folder / "a").read_bytes() == b"x"


@pytest.mark.parametrize("folder", ["star*", "quest?ion", "[brackets]"])
def test_a_folder_that_duckdb_would_take_for_a_pattern_is_refused(
    tmp_path: Path, folder: str
) -> None:
    with pytest.raises(ValueError, match="the folder's name"):
        Storage((tmp_path / folder).as_uri())
