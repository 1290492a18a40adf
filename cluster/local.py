"""Storage in a folder: objects are files, written aside and renamed."""

import builtins
import io
import os
import shutil
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ParamSpec, TypeVar, cast
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pyarrow as pa

from cluster import duck, space
from cluster.settings import settings
from cluster.storage import check_key

if TYPE_CHECKING:  # not before it is needed: see cluster.duck
    import duckdb

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")

_ASIDE = ".tmp-"
# They wait for it, of all objects of a process that are written at the moment.
_DISK = ThreadPoolExecutor(2, "disk")
_STEP_BYTES = 16 * 2**20


class Local:
    """The objects under a ``file://`` URI."""

    # Disks answer at once or not at all.
    patience = 0.0

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
            raise ValueError(
                f"storage_url {uri!r}: give file:///folder or s3://bucket/prefix instead"
            )
        self.uri = uri
        self.root = Path(url2pathname(parts.path))
        # DuckDB takes a path with these for a pattern, and would read what lies in folders beside.
        if set("*?[]") & set(str(self.root)):
            raise ValueError(f"storage_url {uri!r}: the folder's name has one of * ? [ ] in it")

    def path(self, key: str) -> Path:
        """The local path of ``key``. A key that could leave the root is refused."""
        return self.root / check_key(key)

    def exists(self, key: str) -> bool:
        return self.path(key).is_file()

    def list(self, prefix: str) -> builtins.list[str]:
        return sorted(entry.name for entry in self._entries(prefix))

    def written(self, prefix: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for entry in self._entries(prefix):
            # What was deleted since it was listed is left out.
            with suppress(FileNotFoundError):
                found[entry.name] = entry.stat().st_mtime_ns
        return found

    def _entries(self, prefix: str) -> "builtins.list[os.DirEntry[str]]":
        try:
            found = os.scandir(self.path(prefix))
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [entry for entry in found if not entry.name.startswith(_ASIDE)]

    def read(self, key: str) -> bytes:
        return self.path(key).read_bytes()

    def open(self, key: str) -> BinaryIO:
        # Arrow's own file, which it reads without asking Python for each piece.
        return cast("BinaryIO", pa.OSFile(str(self.path(key)), "rb"))

    @contextmanager
    def write(self, key: str) -> Generator[BinaryIO]:
        target = self.path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f"{_ASIDE}{uuid.uuid4().hex}")
        try:
            with io.BufferedWriter(_Steady(aside, "wb")) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            aside.replace(target)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise

    def delete(self, key: str) -> None:
        path = self.path(key)
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=False)
        else:
            path.unlink(missing_ok=True)

    def sweep(self, prefix: str) -> None:
        for left in self.path(prefix).glob(f"{_ASIDE}*"):
            left.unlink(missing_ok=True)

    def journal(self, key: str) -> "LocalJournal":
        target = self.path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        self._cut(key)
        return LocalJournal(target)

    def _cut(self, key: str) -> None:
        """Take off what a writer that was killed in the middle of a line has left of it."""
        if self.exists(key):
            data = self.read(key)
            if not data.endswith(b"\n") and data:
                with self.write(key) as file:
                    file.write(_whole(data))

    def lines(self, key: str) -> bytes:
        try:
            return _whole(self.read(key))
        except FileNotFoundError:
            return b""

    def journals(self, prefix: str) -> Iterator[bytes]:
        for name in self.list(prefix):
            yield self.lines(f"{prefix}/{name}")

    def contents(self) -> Iterator[tuple[str, BinaryIO]]:
        for path in sorted(self.root.rglob("*")):
            key = path.relative_to(self.root).as_posix()
            # What is being written stands aside, and is not part of anything yet.
            if path.name.startswith(".") or not path.is_file():
                continue
            try:
                file = path.open("rb")
            except FileNotFoundError:
                continue  # deleted since it was listed; or a journal that became a part: done again
            with file:
                yield key, file

    def require(self, size: int = 0) -> None:
        space.require(self.root, size)

    def url(self, key: str) -> str:
        return str(self.path(key))

    def mount(self, db: "duckdb.DuckDBPyConnection") -> None:
        """Nothing: it reads files."""

    def connect(self) -> "duckdb.DuckDBPyConnection":
        return _instance(settings().data_folder).cursor()

    def each(self, work: Callable[[S], T], of: Iterable[S]) -> Iterator[T]:
        return map(work, of)

    async def off_loop(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return work(*args, **kwargs)


class _Steady(io.FileIO):
    """A file that goes to the disk as it is written, and then leaves the memory of the machine.

    Else gigabytes of it lie in memory until the end, for which the kernel has to find pages: on a
    virtual machine that was ten times the work (3.3 s of CPU a gigabyte, 0.3 s so), and what others
    read there is pushed out.
    """

    _waiting = 0
    _going: "Future[None] | None" = None

    def write(self, data: Any, /) -> int:
        written = super().write(data)
        self._waiting += written
        if self._waiting >= _STEP_BYTES:
            self._waiting = 0
            self._settle()
            # The disk is waited for beside the next bytes.
            self._going = _DISK.submit(self._push)
        return written

    def close(self) -> None:
        try:
            self._settle()
        finally:
            super().close()

    def _push(self) -> None:
        os.fdatasync(self.fileno())
        os.posix_fadvise(self.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def _settle(self) -> None:
        going, self._going = self._going, None
        if going is not None:
            going.result()


class LocalJournal:
    """A file that is appended to, unbuffered, so that each write survives a kill of the writer."""

    def __init__(self, path: Path) -> None:
        self._file: Any = path.open("ab", buffering=0)

    def add(self, lines: bytes) -> None:
        # A disk that becomes full takes a part of a write without an error, and only then raises.
        written = 0
        try:
            while written < len(lines):
                written += self._file.write(lines[written:])
        except OSError:
            self._file.truncate(os.fstat(self._file.fileno()).st_size - written)
            raise

    def close(self) -> None:
        self._file.close()


@lru_cache(maxsize=1)  # the folder changes only in tests
def _instance(_: Path) -> "duckdb.DuckDBPyConnection":
    """One for the whole process: starting it takes as long as reading a page."""
    db = duck.instance()
    db.execute("SET parquet_metadata_cache = true")
    return db


def _whole(data: bytes) -> bytes:
    return data[: data.rfind(b"\n") + 1]
