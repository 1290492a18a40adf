"""Uploads that are refused: what is said, and that nothing is left."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import chat, chats, jsonl
from hypothesis import given
from hypothesis import strategies as st

from cluster.storage import storage
from jobs import datasets, duplicates, row_group
from jobs.errors import InvalidDataset, TooLarge
from jobs.schemas.datasets import Dataset
from jobs.uploads import Upload, clean_name

Store = Callable[..., Dataset]
Refused = Callable[..., dict[str, Any]]


def leftovers(data_folder: Path) -> list[str]:
    """Everything that lies in the data folder and is not the database or a lock."""
    found = [path.relative_to(data_folder) for path in data_folder.rglob("*")]
    kept = ("benchmark_runner.db", "storage", "scratch", "datasets", "migrate.lock")
    return [str(path) for path in found if not path.name.startswith(kept)]


@pytest.fixture
def refused(upload: Store, data_folder: Path) -> Iterator[Refused]:
    """Upload what must be refused as a dataset; its details. Nothing may be left of any."""

    def store(*requests: Any) -> dict[str, Any]:
        with pytest.raises(InvalidDataset) as caught:
            upload(*requests)
        return caught.value.details

    yield store
    assert leftovers(data_folder) == []
    assert datasets.all_datasets(10, 0) == ([], 0)


def lines(details: dict[str, Any]) -> list[int]:
    return [error["line"] for error in details["errors"]]


def test_one_bad_line_refuses_the_file(refused: Refused) -> None:
    details = refused(*chats(50), b"{broken\n", chat("last"))
    assert details["total_errors"] == 1
    assert details["errors"][0] | {"message": ""} == {
        "line": 51,
        "code": "invalid_json",
        "field": None,
        "message": "",
        "text": "{broken",
    }


def test_of_300_bad_lines_the_first_100_are_listed_and_all_are_counted(refused: Refused) -> None:
    broken = [b"not json\n", b"[]\n", jsonl(chat(5)), jsonl(chat(url="/no")), b'{"a": "\0"}\n']
    details = refused(*(part for i in range(300) for part in (chat(f"ok-{i}"), broken[i % 5])))
    assert details["total_errors"] == 300
    assert lines(details) == [2 * i + 2 for i in range(100)]
    codes = ["invalid_json", "not_an_object", "invalid_custom_id", "unsupported_url", "nul_byte"]
    assert [error["code"] for error in details["errors"]] == codes * 20


def test_a_compressed_file_is_refused_at_its_beginning(database: str, data_folder: Path) -> None:
    """Its other lines, millions of them perhaps, would be more of the same."""
    with pytest.raises(InvalidDataset) as caught, Upload("renamed.zip") as opened:
        opened.feed(b"PK\x03\x04 and much more\n")
        for _ in range(10):
            opened.feed(b"and so on\n" * 100_000)
        pytest.fail("went on")
    assert [error["code"] for error in caught.value.details["errors"]] == ["compressed_file"]
    assert leftovers(data_folder) == []


def test_blank_lines_count_as_lines(refused: Refused) -> None:
    assert lines(refused(b"\n\r\n  \n", chat(), b"\n", b"bad\n")) == [6]


@pytest.mark.parametrize("at_once", [1, 4, 10**6])
def test_duplicates_name_both_lines_also_across_row_groups(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(row_group, "_GROUP_ROWS", 2)
    monkeypatch.setattr(duplicates, "_COMPARED_AT_ONCE", at_once)
    monkeypatch.setattr(duplicates, "_READ_AT_ONCE", at_once)
    details = refused(chat("same"), *chats(9), b"\n", chat("same"), chat("r-3"), chat("same"))
    found = [(error["line"], error["text"], error["message"]) for error in details["errors"]]
    assert found == [
        (12, "same", "`custom_id` 'same' is used by line 1 already."),
        (13, "r-3", "`custom_id` 'r-3' is used by line 5 already."),
        (14, "same", "`custom_id` 'same' is used by line 1 already."),
    ]
    assert {error["code"] for error in details["errors"]} == {"duplicate_custom_id"}
    assert details["total_errors"] == 3


def test_ids_with_the_same_hash_are_compared_themselves(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "_hashes", lambda ids: np.zeros(len(ids), np.uint64))
    assert lines(refused(*chats(50), chat("r-7"), chat("r-x"))) == [51]


def test_duplicates_and_bad_lines_are_listed_in_the_order_of_lines(refused: Refused) -> None:
    assert lines(refused(chat("a"), chat("a"), b"bad\n", chat("a"), b"bad\n")) == [2, 3, 4, 5]


def test_more_duplicates_than_are_listed(refused: Refused) -> None:
    details = refused(*[chat("same")] * 301)
    assert details["total_errors"] == 300
    assert lines(details) == list(range(2, 102))


def test_a_given_custom_id_may_not_repeat_a_made_one(refused: Refused) -> None:
    assert lines(refused({"prompt": "Hi"}, chat("line-1"))) == [2]


@pytest.mark.parametrize("data", [b"", b"\n\n\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n  "])
def test_a_file_without_requests(refused: Refused, data: bytes, upload: Store) -> None:
    with pytest.raises(InvalidDataset, match="contains no request") as caught:
        upload(data)
    assert caught.value.code == "empty_dataset"


def test_a_truncated_last_line(refused: Refused) -> None:
    details = refused(*chats(3), jsonl(chat("last"))[:-20])
    assert [(error["line"], error["code"]) for error in details["errors"]] == [
        (4, "truncated_line")
    ]


def test_a_line_that_is_too_long(refused: Refused, configure: Callable[..., None]) -> None:
    configure(max_line_bytes=200)
    details = refused(chat("a"), chat("b", "x" * 10_000), chat("c"), chat("d", "x" * 10_000))
    assert [(error["line"], error["code"]) for error in details["errors"]] == [
        (2, "line_too_long"),
        (4, "line_too_long"),
    ]


def test_a_file_that_is_too_large_is_stopped_on_the_way(
    configure: Callable[..., None], upload: Store, data_folder: Path
) -> None:
    configure(max_upload_bytes=1000)
    with pytest.raises(TooLarge, match="larger than 1,000 bytes"), Upload("big.jsonl") as opened:
        for _ in range(100):
            opened.feed(b"\n" * 100)
    assert leftovers(data_folder) == []
    assert upload(chat(), b"\n" * (1000 - len(jsonl(chat())))).size_bytes == 1000


@pytest.mark.parametrize("feed", [b"", jsonl(chat()), b"{half"])
def test_an_upload_that_is_broken_off_leaves_nothing(
    database: str, data_folder: Path, feed: bytes
) -> None:
    with pytest.raises(KeyboardInterrupt), Upload("a.jsonl") as opened:
        opened.feed(feed)
        raise KeyboardInterrupt
    assert leftovers(data_folder) == []


def test_an_upload_that_was_not_finished_leaves_nothing(database: str, data_folder: Path) -> None:
    with Upload("a.jsonl") as opened:
        opened.feed(jsonl(chat()))
    assert leftovers(data_folder) == []
    assert datasets.all_datasets(10, 0) == ([], 0)


def test_an_accepted_upload_leaves_no_scratch_file(upload: Store, data_folder: Path) -> None:
    dataset = upload(*chats(10))
    assert list((data_folder / "scratch").iterdir()) == []
    assert storage().list(f"datasets/{dataset.id}") == ["original.jsonl", "requests.parquet"]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("batch 5k.jsonl", "batch 5k.jsonl"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\a.jsonl", "a.jsonl"),
        ("a\0b\x1b[31m\r\n\u202e.jsonl", "ab[31m.jsonl"),
        ("候補者.jsonl", "候補者.jsonl"),
        *((nothing, "dataset.jsonl") for nothing in ("", "..", "/", ".", " ", "\0", "a/")),
        ("x" * 5000, "x" * 200),
        ("\ud800.jsonl", "jsonl"),
    ],
)
def test_names_are_made_harmless(given: str, shown: str) -> None:
    assert clean_name(given) == shown


@given(st.text())
def test_no_name_is_empty_long_or_a_path(name: str) -> None:
    clean = clean_name(name)
    assert 0 < len(clean) <= 200
    assert not set("/\\\0\r\n") & set(clean)
    assert clean.encode()


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\0b\x1b", "x" * 5000, "'; DROP TABLE--"])
def test_a_hostile_name_is_stored_harmless(upload: Store, name: str) -> None:
    dataset = upload(chat(), name=name)
    assert datasets.get(dataset.id).name == clean_name(name)
    assert storage().list("datasets") == [dataset.id]
