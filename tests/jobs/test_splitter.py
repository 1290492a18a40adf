"""Lines are cut where ``split`` cuts them, whatever the pieces."""

import tracemalloc
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from jobs.splitter import LineSplitter


def cut(data: bytes, at: list[int]) -> list[bytes]:
    places = [0, *sorted(place % (len(data) + 1) for place in at), len(data)]
    return [data[a:b] for a, b in pairwise(places)]


def split(pieces: list[bytes], limit: int = 10**9) -> list[bytes]:
    splitter = LineSplitter(limit)
    lines = b"".join(block for piece in pieces for block in splitter.feed(piece))
    return [*lines.split(b"\n")[:-1], splitter.end()]


@given(st.binary() | st.text("\n\rab").map(str.encode), st.lists(st.integers(0, 1000)))
def test_any_bytes_cut_anywhere_split_as_a_whole(data: bytes, at: list[int]) -> None:
    assert split(cut(data, at)) == data.split(b"\n")


@given(st.text("\nab").map(str.encode), st.lists(st.integers(0, 1000)), st.integers(1, 5))
def test_a_long_line_has_its_beginning(data: bytes, at: list[int], limit: int) -> None:
    beginnings = [line[: limit + 1] for line in data.split(b"\n")]
    assert [line[: limit + 1] for line in split(cut(data, at), limit)] == beginnings


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    splitter = LineSplitter(1000)
    piece = b"x" * 2**16
    tracemalloc.start()
    for _ in range(1000):
        assert list(splitter.feed(piece)) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert splitter.end() == b"x" * 1001
    assert peak < 4 * len(piece)


def test_lines_are_kept_back_until_they_are_many() -> None:
    splitter = LineSplitter(1000, least=8)
    assert b"".join(splitter.feed(b"one\ntwo")) == b""
    assert b"".join(splitter.feed(b"\nthree\nfour")) == b"one\ntwo\nthree\n"
    assert b"".join(splitter.feed(b"\n")) == b""
    assert (b"".join(splitter.rest()), splitter.end()) == (b"four\n", b"")
