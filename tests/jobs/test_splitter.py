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
    lines = [line for piece in pieces for line in splitter.feed(piece)]
    return [*lines, splitter.end()]


@given(st.binary() | st.text("\n\rab").map(str.encode), st.lists(st.integers(0, 1000)))
def test_any_bytes_cut_anywhere_split_as_a_whole(data: bytes, at: list[int]) -> None:
    assert split(cut(data, at)) == data.split(b"\n")


@given(st.text("\nab").map(str.encode), st.lists(st.integers(0, 1000)), st.integers(1, 5))
def test_a_long_line_comes_out_as_its_beginning(data: bytes, at: list[int], limit: int) -> None:
    assert split(cut(data, at), limit) == [line[: limit + 1] for line in data.split(b"\n")]


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
