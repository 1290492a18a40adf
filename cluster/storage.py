"""Objects under one storage URI: datasets and results, whole or not at all.

Keys are ``/``-separated paths relative to the URI. An object appears under its key only when it is
complete. What is added to line by line while its writer may be killed is a :class:`Journal`.

There are two kinds, :mod:`cluster.local` (``file://``) and :mod:`cluster.objects` (``s3://``); the
rest of the code does not know which it has.
"""

import builtins
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ParamSpec, Protocol, TypeVar
from urllib.parse import urlsplit

from cluster.settings import settings
from cluster.space import causes

if TYPE_CHECKING:  # not before it is needed: see cluster.duck
    import duckdb

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")

_KEY = re.compile(r"^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$")


class StorageUnavailable(OSError):
    """The object store does not answer, or not to us; the message says which and why."""

    def __init__(self, message: str, *, passing: bool = True) -> None:
        """``passing`` says that waiting may help: it is away, not misconfigured."""
        super().__init__(message)
        self.passing = passing

    def __reduce__(self) -> tuple[type["StorageUnavailable"], tuple[str]]:
        return StorageUnavailable, (str(self),)  # Ray carries it from a replica to the driver


class Journal(Protocol):
    """Lines that are kept one after another. Threads may share one."""

    def add(self, lines: bytes) -> None:
        """Add whole lines: all, or none when it raises. When it returns, a kill cannot lose them.

        Raises:
            OSError: the disk is full, say.
            StorageUnavailable: the object store is away.
        """
        ...

    def close(self) -> None: ...


class Storage(Protocol):
    """The objects under a URI.

    Every method may raise :class:`StorageUnavailable`, after ``patience`` seconds of trying.
    """

    uri: str
    patience: float

    def exists(self, key: str) -> bool:
        """Whether there is an object of exactly this key."""
        ...

    def list(self, prefix: str) -> builtins.list[str]:
        """Names of what is directly under ``prefix``, complete objects and further prefixes,
        sorted."""
        ...

    def written(self, prefix: str) -> dict[str, int]:
        """The same names with when each was last written, in nanoseconds since the epoch. Two that
        were written at nearly the same time may have the same: object stores know seconds."""
        ...

    def read(self, key: str) -> bytes:
        """A whole object.

        Raises:
            FileNotFoundError: there is none.
        """
        ...

    def open(self, key: str) -> BinaryIO:
        """An object to read here and there, which fetches no more than is read (and some around
        it).

        Raises:
            FileNotFoundError: there is none.
        """
        ...

    def path(self, key: str) -> Path | None:
        """Where an object is a file, if it is one."""
        ...

    def write(self, key: str) -> AbstractContextManager[BinaryIO]:
        """A binary file that becomes ``key`` when the block ends, and nothing if it raises."""
        ...

    def delete(self, key: str) -> None:
        """Delete an object, a journal or all under a prefix; what does not exist is deleted
        already."""
        ...

    def sweep(self, prefix: str) -> None:
        """Remove what killed writers left directly under ``prefix``, where nobody writes now."""
        ...

    def journal(self, key: str) -> Journal:
        """Go on with a journal, which need not exist yet."""
        ...

    def lines(self, key: str) -> bytes:
        """The whole lines of a journal, also of one that was written as an object; empty when
        there is none. Their last one may be broken where a write failed half way."""
        ...

    def journals(self, prefix: str) -> Iterator[bytes]:
        """The same of each journal directly under ``prefix``."""
        ...

    def contents(self) -> Iterator[tuple[str, BinaryIO]]:
        """All there is, by key. A journal comes as one object."""
        ...

    def require(self, size: int = 0) -> None:
        """Raise unless ``size`` more bytes fit.

        Raises:
            StorageFull: they do not.
        """
        ...

    def url(self, key: str) -> str:
        """What DuckDB reads an object by, in a connection of :meth:`connect`."""
        ...

    def mount(self, db: "duckdb.DuckDBPyConnection") -> None:
        """Have a DuckDB instance read objects by their :meth:`url`, each as it was when the
        instance first opened it."""
        ...

    def connect(self) -> "duckdb.DuckDBPyConnection":
        """A connection to a DuckDB in memory that reads objects. What it makes (temporary views
        and tables, variables) is its own; what it sets may be of the whole process."""
        ...

    def each(self, work: Callable[[S], T], of: Iterable[S]) -> Iterator[T]:
        """``work`` of each in their order, several at once where storage takes its time."""
        ...

    async def off_loop(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do ``work``, which reads or writes here, so that the event loop is not held up: at once
        where storage answers at once, in a thread where it takes its time."""
        ...


def check_key(key: str) -> str:
    """``key``. One that could leave the root is refused."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"not a storage key: {key!r}")
    return key


def unavailable(error: BaseException) -> str | None:
    """What the object store has to do with ``error``: the message, or none if it has nothing."""
    for cause in causes(error):
        # DuckDB and Ray make exceptions of their own, in which they quote this one's traceback.
        if quoted := re.findall(rf"{StorageUnavailable.__name__}: (.+)", str(cause)):
            return quoted[-1]
        if isinstance(cause, StorageUnavailable):
            return str(cause)
    return None


def is_gone(error: "duckdb.Error") -> bool:
    """Whether a query failed because an object is not there any more."""
    import duckdb

    return isinstance(error, duckdb.IOException) or FileNotFoundError.__name__ in str(error)


@cache
def storage(uri: str | None = None) -> Storage:
    """The storage of this process."""
    uri = uri or settings().storage_uri
    # Imported here: who has the one kind needs nothing of what the other stands on.
    if urlsplit(uri).scheme == "s3":
        from cluster.objects import Objects

        return Objects(uri)
    from cluster.local import Local

    return Local(uri)
