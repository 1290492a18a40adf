"""Journals and parts: what is written is there once, wherever the writer was killed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest
from factories import record

from cluster.storage import storage
from jobs import parts, totals
from jobs.parts import Chunk, Record
from jobs.schemas.progress import Tally

ID = "bm_test"


_opened: list[Chunk] = []


@pytest.fixture(autouse=True)
def _on_storage(data_folder: Path) -> Iterator[None]:
    yield
    # Most tests leave a chunk as a kill does: unfinished, and its journal open.
    for chunk in _opened:
        if chunk._file is not None:
            chunk._file.close()
    _opened.clear()


def journal(index: int = 0) -> Path:
    return storage().path(f"benchmarks/{ID}/journals/{index:07d}.jsonl")


def part(index: int = 0) -> Path:
    return storage().path(f"benchmarks/{ID}/parts/{index:07d}.parquet")


def opened(index: int = 0) -> Chunk:
    chunk = Chunk(ID, index)
    _opened.append(chunk)
    chunk.open()
    return chunk


def write(rows: list[int], index: int = 0, *, finish: bool = True) -> Chunk:
    chunk = opened(index)
    for row in rows:
        chunk.add(record(row))
    if finish:
        chunk.finish()
    return chunk


def part_rows(index: int = 0) -> list[int]:
    return pq.read_table(part(index))["row_id"].to_pylist()


def test_a_finished_request_is_on_storage_at_once() -> None:
    chunk = opened()
    chunk.add(record(3))
    assert [orjson.loads(line)["row_id"] for line in journal().read_bytes().splitlines()] == [3]
    assert [row["row_id"] for row in parts.unfinished(ID)] == [3]
    assert parts.done(ID) == set()


def test_finishing_replaces_the_journal_by_a_part_in_order() -> None:
    chunk = write([2, 0, 1])
    assert chunk.is_done()
    assert not journal().exists()
    assert part_rows() == [0, 1, 2]
    assert parts.done(ID) == {0}
    assert parts.unfinished(ID) == []


def test_a_part_holds_what_was_recorded() -> None:
    # A whole number of microseconds, which is what a part keeps of any other.
    at = {"finished_at": 1_700_000_000.25}
    sent = record(0, error='{"code": "x", "message": "y"}', text="Grüße 🎉", ttft_ms=None, **at)
    chunk = opened()
    chunk.add(sent)
    chunk.finish()
    (found,) = pq.read_table(part()).to_pylist()
    assert found.pop("finished_at") == datetime.fromtimestamp(sent["finished_at"], UTC)
    assert found == {name: value for name, value in sent.items() if name != "finished_at"}


def test_opening_again_goes_on_after_what_is_finished() -> None:
    write([0, 1], finish=False)
    chunk = opened()
    assert sorted(chunk.records) == [0, 1]
    assert chunk.tally == Tally(completed=2, prompt_tokens=10, output_tokens=14)
    chunk.add(record(2))
    chunk.finish()
    assert part_rows() == [0, 1, 2]


def test_what_was_asked_and_never_answered_died() -> None:
    for alone in (False, False, True):
        chunk = opened()
        chunk.ask(0)
        chunk.ask(1, alone=alone)
        if 0 not in chunk.records:
            chunk.add(record(0))
    again = opened()
    assert dict(again.deaths) == {1: 3}
    assert again.deaths_alone[1] == 1
    assert [one["row_id"] for one in parts.unfinished(ID)] == [0]


def test_the_counts_of_a_chunk_that_is_done_can_be_read() -> None:
    written = write([0, 1])
    assert Chunk(ID, 0).read_tally() == written.tally


def test_the_newest_result_is_in_a_part_or_a_journal() -> None:
    assert parts.newest(ID) is None
    for index, at in [(0, 1_700_000_002.0), (1, 1_700_000_001.0)]:
        chunk = opened(index)
        chunk.add(record(index * 32, finished_at=at))
        if index == 0:
            assert parts.newest(ID) == datetime.fromtimestamp(at, UTC)
            chunk.finish()
    assert parts.newest(ID) == datetime.fromtimestamp(1_700_000_002.0, UTC)


@pytest.mark.parametrize("kept", [0, 1, 50, -1])
def test_a_torn_last_line_is_forgotten_and_the_rest_kept(kept: int) -> None:
    write([0, 1], finish=False)
    whole = journal().read_bytes()
    torn = orjson.dumps(record(2))[:kept]
    journal().write_bytes(whole + torn)
    assert [row["row_id"] for row in parts.unfinished(ID)] == [0, 1]
    chunk = opened()
    assert sorted(chunk.records) == [0, 1]
    assert journal().read_bytes() == whole
    chunk.add(record(2))
    chunk.finish()
    assert part_rows() == [0, 1, 2]


def test_a_journal_that_is_only_a_torn_line() -> None:
    journal().parent.mkdir(parents=True)
    journal().write_bytes(b'{"row_id": 0, "cust')
    assert opened().records == {}
    assert parts.unfinished(ID) == []


def test_line_separators_within_answers_do_not_tear_lines() -> None:
    text = "a\nb\r\nc\u2028d\u2029e\x85f\x0bg\x1ch"
    chunk = opened()
    chunk.add(record(0, text=text))
    assert opened().records[0]["text"] == text
    assert parts.unfinished(ID)[0]["text"] == text


def test_a_kill_before_the_part_is_renamed_leaves_the_journal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chunk = write([0, 1], finish=False)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            chunk.finish()
    assert parts.done(ID) == set()
    assert [row["row_id"] for row in parts.unfinished(ID)] == [0, 1]
    opened().finish()
    assert part_rows() == [0, 1]


def test_doing_a_chunk_twice_overwrites_it() -> None:
    write([0, 1])
    chunk = opened()
    for row in (0, 1):
        chunk.add(record(row, text="second"))
    chunk.finish()
    assert pq.read_table(part())["text"].to_pylist() == ["second", "second"]
    assert totals.count(ID).finished == 2


def test_two_writers_of_one_chunk_do_not_lose_or_double_a_row() -> None:
    first, second = opened(), opened()
    for row in range(4):
        first.add(record(row))
        second.add(record(row))
    first.finish()
    second.finish()
    assert part_rows() == [0, 1, 2, 3]
    assert parts.done(ID) == {0}


def test_a_line_that_was_written_half_counts_as_not_done() -> None:
    write([0], finish=False)
    path = storage().path(f"benchmarks/{ID}/journals/0000000.jsonl")
    path.write_bytes(b'{"row_id": 7, "custom\n' + path.read_bytes())
    assert opened().records.keys() == {0}


@pytest.mark.parametrize(("status", "succeeded"), [(200, 1), (299, 1), (199, 0), (300, 0), (0, 0)])
def test_parts_and_journals_agree_on_what_a_success_is(status: int, succeeded: int) -> None:
    chunk = opened()
    chunk.add(record(0, status_code=status))
    chunk.finish()
    assert (chunk.tally.completed, chunk.tally.failed) == (succeeded, 1 - succeeded)
    counted = totals.count(ID)
    assert (counted.completed, counted.failed) == (succeeded, 1 - succeeded)


@pytest.mark.parametrize("moment", range(13))
def test_every_row_is_seen_exactly_once_at_any_moment(moment: int) -> None:
    """Three chunks of three rows are at work at once; look after each of their steps."""
    chunks = [opened(index) for index in range(3)]
    steps = [
        lambda chunk=chunk, offset=offset: (
            chunk.add(record(chunk.index * 3 + offset)) if offset < 3 else chunk.finish()
        )
        for offset in range(4)
        for chunk in chunks
    ]
    for step in steps[:moment]:
        step()
    expected = [i * 3 + offset for offset in range(3) for i in range(3)][:moment]
    assert sorted(seen()) == sorted(expected)


def seen() -> list[int]:
    """Row ids as a reader counts them: journals first, and a part before its journal."""
    journals: list[Record] = parts.unfinished(ID)
    done = parts.done(ID)
    return [row for index in done for row in part_rows(index)] + [
        row["row_id"] for row in journals if row["row_id"] // 3 not in done
    ]
