"""Objects of a store as files to read here and there: for Arrow, and for DuckDB.

The end of an object is fetched first. That is where Parquet has its table of contents; and most
objects, parts of results above all, are smaller than what is fetched, so one request is all.
"""

import io
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import Any, NamedTuple

from fsspec import AbstractFileSystem

# What takes an object store about as long as to answer at all.
PIECE_BYTES = 2**20
# Files that a query has open at once, and opens again, are few; their ends are kept for it.
_KEPT_ENDS = 32

PROTOCOL = "objects"
"""Of the names by which DuckDB knows objects: no extension of its own claims it, as for ``s3``."""


class End(NamedTuple):
    """An object as it is now, and its last bytes."""

    size: int
    tag: str | None
    """Of this content: the store changes it with each write."""
    modified: datetime
    data: bytes


Fetch = Callable[[str, End, int, int], bytes]
"""Fetches bytes of an object by its key, from a position to another. It raises where the object is
another by now than when its end was fetched."""


class ObjectFile(io.RawIOBase):
    """An object opened for reading; not for two threads at once."""

    def __init__(self, key: str, end: End, fetch: Fetch) -> None:
        self._key = key
        self._end = end
        self._fetch = fetch
        self._at = 0
        self._piece = (end.size - len(end.data), end.data)

    @property
    def size(self) -> int:
        """Bytes of the whole object."""
        return self._end.size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(start + offset, 0)
        return self._at

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read(self, size: int | None = -1) -> bytes:
        wanted = self.size if size is None or size < 0 else self._at + size
        stop = min(wanted, self.size)
        if self._at >= stop:
            return b""
        data = self._bytes(self._at, stop)
        self._at = stop
        return data

    def readall(self) -> bytes:
        return self.read()

    def _bytes(self, start: int, stop: int) -> bytes:
        for first, data in (self._piece, (self.size - len(self._end.data), self._end.data)):
            if first <= start and stop <= first + len(data):
                return data[start - first : stop - first]
        # Who reads here is likely to go on behind it.
        data = self._fetch(
            self._key, self._end, start, min(max(stop, start + PIECE_BYTES), self.size)
        )
        self._piece = (start, data)
        return data[: stop - start]


class ObjectFiles(AbstractFileSystem):
    """A store as DuckDB sees it: read only. Made for one connection, which sees an object as it was
    when it first opened it."""

    protocol = PROTOCOL
    cachable = False

    def __init__(self, end: Callable[[str], End], fetch: Fetch) -> None:
        super().__init__()
        self._end = end
        self._fetch = fetch
        self._ends: OrderedDict[str, End] = OrderedDict()
        self._lock = Lock()

    def _open(self, path: str, mode: str = "rb", *_: Any, **__: Any) -> Any:
        if mode != "rb":
            raise ValueError(f"objects are opened to be read, not {mode!r}")
        return ObjectFile(path, self._known(path), self._fetch)

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        key = str(self._strip_protocol(path))
        end = self._known(key)
        return {"name": key, "size": end.size, "type": "file", "modified": end.modified}

    def modified(self, path: str) -> datetime:
        return self.info(path)["modified"]

    def glob(self, path: str, *_: Any, **__: Any) -> list[str]:
        # DuckDB asks this of every path. Keys have no wild cards: each is one object or none.
        return [path]

    def _known(self, key: str) -> End:
        with self._lock:
            if key in self._ends:
                self._ends.move_to_end(key)
                return self._ends[key]
        end = self._end(key)
        with self._lock:
            self._ends[key] = end
            if len(self._ends) > _KEPT_ENDS:
                self._ends.popitem(last=False)
        return end
