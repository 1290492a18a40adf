"""Journals on an object store, which cannot append: a small object for each write."""

import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from threading import Lock
from typing import NamedTuple, Self

_MERGED = 32
"""Segments that are made one: a reader fetches each."""


class ObjectJournal:
    """A journal as objects ``key/.opened-writer-first-last``, one a write, in the order of their
    names. Now and then some are made one, so that readers have fewer to fetch; while there are
    both, the larger counts (:func:`by_journal`)."""

    def __init__(
        self,
        key: str,
        put: Callable[[str, bytes], None],
        delete: Callable[[list[str]], None],
    ) -> None:
        # Two writers of one journal must not overwrite each other.
        self._stem = f"{key}/.{time.time_ns():020d}-{uuid.uuid4().hex[:8]}"
        self._put = put
        self._delete = delete
        self._count = 0
        self._small: dict[int, bytes] = {}
        self._next = 0
        self._merged: list[str] = []
        self._lock = Lock()

    def add(self, lines: bytes) -> None:
        with self._lock:
            number = self._count
            self._count += 1
        # Writes do not wait for each other: that a request is asked need not wait for an answer.
        self._put(self._path(number, number), lines)
        with self._lock:
            self._small[number] = lines
            together = range(self._next, self._next + _MERGED)
            if not self._small.keys() >= set(together):
                return
            self._next = together.stop
            whole = b"".join(self._small.pop(one) for one in together)
            # Those of the time before go now: a reader may have listed the others a moment ago.
            obsolete, self._merged = self._merged, [self._path(one, one) for one in together]
        self._put(self._path(together[0], together[-1]), whole)
        if obsolete:
            self._delete(obsolete)

    def _path(self, first: int, last: int) -> str:
        return f"{self._stem}-{first:06d}-{last:06d}"

    def close(self) -> None:
        """Nothing: every write was complete."""


class _Segment(NamedTuple):
    """An object of a journal, by its name."""

    writer: str
    first: int
    last: int
    path: str

    @classmethod
    def of(cls, path: str) -> Self:
        found = _SEGMENT.fullmatch(path)
        assert found is not None, f"not a segment of a journal: {path}"
        return cls(found["writer"], int(found["first"]), int(found["last"]), path)


_SEGMENT = re.compile(r"(?P<key>.+)/\.(?P<writer>\d+-[0-9a-f]+)-(?P<first>\d+)-(?P<last>\d+)")


def _needed(segments: Iterable[_Segment]) -> Iterator[_Segment]:
    """The segments in order, without those that are in a larger one."""
    covered: tuple[str, int] | None = None
    for one in sorted(segments, key=lambda one: (one.writer, one.first, -one.last)):
        if covered is None or covered[0] != one.writer or one.last > covered[1]:
            covered = (one.writer, one.last)
            yield one


def by_journal(paths: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Keys with the objects that hold their content: itself, or the segments of a journal."""

    def key(path: str) -> str:
        found = _SEGMENT.fullmatch(path)
        return found["key"] if found else path

    for of, group in groupby(sorted(paths, key=lambda path: (key(path), path)), key):
        own = list(group)
        segments = [_Segment.of(path) for path in own if path != of]
        yield of, [path for path in own if path == of] + [one.path for one in _needed(segments)]
