"""Objects under one storage URI: datasets and results, whole or not at all.

Keys are ``/``-separated paths relative to the URI. An object appears under its key only when it
is complete: it is written aside and renamed. ``file://`` is the default; the rest of the code
knows nothing of local disks except for :meth:`Storage.append`, which object stores lack.
"""

import os
import re
import shutil
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit
from urllib.request import url2pathname

from cluster import space
from cluster.settings import settings

_KEY = re.compile(r"^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$")
_ASIDE = ".tmp-"


class Storage:
    """The objects under a ``file://`` URI."""

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
            raise ValueError(f"storage_url {uri!r}: only file:///folder is supported so far")
        self.root = Path(url2pathname(parts.path))
        # DuckDB takes a path with these for a pattern, and would read what lies in folders beside.
        if set("*?[]") & set(str(self.root)):
            raise ValueError(f"storage_url {uri!r}: the folder's name has one of * ? [ ] in it")

    def path(self, key: str) -> Path:
        """The local path of ``key``. A key that could leave the root is refused."""
        if not _KEY.fullmatch(key):
            raise ValueError(f"not a storage key: {key!r}")
        return self.root / key

    def exists(self, key: str) -> bool:
        return self.path(key).exists()

    def list(self, prefix: str) -> list[str]:
        """Names of the complete objects directly under ``prefix``, sorted."""
        folder = self.path(prefix)
        if not folder.is_dir():
            return []
        return sorted(e.name for e in os.scandir(folder) if not e.name.startswith(_ASIDE))

    @contextmanager
    def write(self, key: str) -> Generator[BinaryIO]:
        """A binary file that becomes ``key`` when the block ends, and nothing if it raises."""
        target = self.path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f"{_ASIDE}{uuid.uuid4().hex}")
        try:
            with aside.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            aside.replace(target)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise

    def sweep(self, prefix: str) -> None:
        """Remove what killed writers left directly under ``prefix``, where nobody writes now."""
        for left in self.path(prefix).glob(f"{_ASIDE}*"):
            left.unlink(missing_ok=True)

    def append(self, key: str) -> BinaryIO:
        """Open ``key`` unbuffered at its end, so that each write survives a kill of the writer."""
        target = self.path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.open("ab", buffering=0)

    def require(self, size: int = 0) -> None:
        """Raise unless ``size`` more bytes fit.

        Raises:
            StorageFull: they do not.
        """
        space.require(self.root, size)

    def read(self, key: str) -> bytes:
        return self.path(key).read_bytes()

    def delete(self, key: str) -> None:
        """Delete an object or all under a prefix; what does not exist is deleted already."""
        path = self.path(key)
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=False)
        else:
            path.unlink(missing_ok=True)


def append_whole(file: BinaryIO, data: bytes) -> None:
    """Append to a file of :meth:`Storage.append`: all of ``data``, or when it raises nothing of it.

    A disk that becomes full takes a part of a write without an error, and only then raises.
    """
    written = 0
    try:
        while written < len(data):
            written += file.write(data[written:])
    except OSError:
        file.truncate(os.fstat(file.fileno()).st_size - written)
        raise


@cache
def storage(uri: str | None = None) -> Storage:
    """The storage of this process."""
    return Storage(uri or settings().storage_uri)
