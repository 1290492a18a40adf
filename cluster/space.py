"""Free space on disk: asked for before it is taken, and how a full disk is recognized.

Uploads and replicas stop while ``min_free_bytes`` are left, so that there is room to write down
why: an SQL database on the same disk can still be written, and something can be deleted.
"""

import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from cluster.settings import settings

_FULL = (errno.ENOSPC, errno.EDQUOT)
# DuckDB, Arrow and PostgreSQL's driver have exceptions of their own, and say it in words.
_SAYINGS = (
    "No space left on device",
    "Disk quota exceeded",
    "database or disk is full",
    "failed to offload data block",
)
# SQLite cannot make its file of shared memory larger.
_SQLITE_ERRORS = ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")


class StorageFull(OSError):
    """The storage is full, or about to be; the message says which and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(errno.ENOSPC, message)

    def __str__(self) -> str:
        return str(self.strerror)

    def __reduce__(self) -> tuple[type["StorageFull"], tuple[str]]:
        return StorageFull, (str(self),)  # Ray carries it from a replica to the driver


def require(folder: Path, size: int = 0) -> None:
    """Raise unless ``size`` bytes fit into ``folder``, which need not exist yet.

    Raises:
        StorageFull: fewer than ``min_free_bytes`` would be left.
    """
    there = next(path for path in (folder, *folder.parents) if path.exists())
    disk = os.statvfs(there)
    if not disk.f_blocks:  # a file system that does not tell
        return
    free = disk.f_bavail * disk.f_frsize
    kept = settings().min_free_bytes
    if free - size < kept:
        asked = f" and {_mib(size)} were asked for" if size else ""
        raise StorageFull(
            f"The storage is full: {folder} has {_mib(free)} free, of which the last {_mib(kept)} "
            f"are kept{asked}. Free some space and try again; what is stored stays."
        )


def is_full(error: BaseException) -> bool:
    """Whether a full disk is behind ``error``, whichever library raised it."""
    return any(_says_full(cause) for cause in causes(error))


def _says_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorname", None) in _SQLITE_ERRORS
    return any(saying in str(error) for saying in _SAYINGS)


def causes(error: BaseException) -> Iterator[BaseException]:
    """``error`` and all that led to it, or is gathered in it."""
    seen: set[int] = set()
    pending = [error]
    while pending:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        pending += [cause for cause in (one.__cause__, one.__context__) if cause is not None]
        if isinstance(one, BaseExceptionGroup):
            pending += one.exceptions


def _mib(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB"
