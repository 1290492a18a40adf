"""Storage in a bucket of an S3-compatible object store, over HTTP.

A PUT is atomic, so an object is whole or not there. Objects cannot be appended to: a journal is
several small ones (:mod:`cluster.object_journal`), which are read as one.
"""

import asyncio
import builtins
import re
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from io import BytesIO
from itertools import islice
from typing import Any, BinaryIO, NamedTuple, ParamSpec, TypeVar, cast
from urllib.parse import urlsplit

import duckdb
import obstore
import stamina
from obstore import exceptions
from obstore.store import S3Store

from cluster import duck, space
from cluster.object_file import PIECE_BYTES, PROTOCOL, End, ObjectFile, ObjectFiles
from cluster.object_journal import ObjectJournal, by_journal
from cluster.settings import settings
from cluster.storage import StorageUnavailable, check_key

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")

# What is larger is uploaded in parts, from a temporary file.
_IN_MEMORY_BYTES = 5 * 2**20
# An object store answers many requests at once about as fast as one.
_AT_ONCE = 16
# Of one call, in which connections are broken or refused; `patience` makes several calls.
_RETRIES = {"max_retries": 4, "retry_timeout": timedelta(seconds=10)}
# Between several calls, seconds.
_WAITS = {"wait_initial": 0.5, "wait_max": 15.0, "wait_jitter": 1.0}


class Objects:
    """The objects under an ``s3://bucket/prefix`` URI.

    Region and credentials are found as Amazon's own tools find them: ``AWS_REGION``,
    ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY``, or the role of the machine or pod.
    """

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
            raise ValueError(f"storage_url {uri!r}: not of the form s3://bucket/prefix")
        if "@" in parts.netloc:
            # Not repeated: what stands there is likely a secret.
            raise ValueError("storage_url: credentials belong into AWS_* variables, not here")
        prefix = parts.path.strip("/")
        if prefix:
            check_key(prefix)
        self.uri = uri
        self.patience = settings().storage_patience_seconds
        endpoint = settings().storage_endpoint
        given: dict[str, Any] = {"endpoint": endpoint} if endpoint else {}
        self._where = f"{uri} at {endpoint}" if endpoint else uri
        self._store = S3Store(
            parts.netloc,
            prefix=prefix or None,
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "timeout": timedelta(seconds=settings().storage_timeout_seconds),
            },
            retry_config=cast("Any", _RETRIES),
            **given,
        )
        self._callers = ThreadPoolExecutor(2 * _AT_ONCE, "storage")
        self._readers = ThreadPoolExecutor(_AT_ONCE, "objects")

    def exists(self, key: str) -> bool:
        try:
            self._call(obstore.head, check_key(key))
        except FileNotFoundError:
            return False
        return True

    def list(self, prefix: str) -> builtins.list[str]:
        found = self._call(obstore.list_with_delimiter, check_key(prefix))
        paths = [one["path"] for one in found["objects"]] + [*found["common_prefixes"]]
        # A journal may be both, an object and segments below it.
        return sorted({path.rsplit("/", 1)[-1] for path in paths})

    def written(self, prefix: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for one in self._under(prefix):
            name = one["path"][len(prefix) + 1 :].split("/", 1)[0]
            modified = int(one["last_modified"].timestamp()) * 10**9
            found[name] = max(found.get(name, 0), modified)
        return dict(sorted(found.items()))

    def _under(self, prefix: str | None) -> builtins.list[dict[str, Any]]:
        """What the store says of all objects under ``prefix``, by key."""

        def listed(store: S3Store) -> builtins.list[dict[str, Any]]:
            pages = obstore.list(store, None if prefix is None else check_key(prefix))
            return [cast("dict[str, Any]", one) for page in pages for one in page]

        return sorted(self._call(listed), key=lambda one: one["path"])

    def read(self, key: str) -> bytes:
        return self._call(_read, check_key(key))

    def open(self, key: str) -> BinaryIO:
        return cast("BinaryIO", ObjectFile(key, self._end(key), self._range))

    def _end(self, key: str) -> End:
        return self._call(_end, check_key(key))

    def _range(self, key: str, end: End, start: int, stop: int) -> bytes:
        return self._call(_range, key, end.tag, start, stop)

    @contextmanager
    def write(self, key: str) -> Generator[BinaryIO]:
        check_key(key)
        scratch = settings().data_folder / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        # Sent when it is complete: then a failure before has no trace, and one while it is sent can
        # be tried again. A temporary file has no name, so a kill leaves nothing of it either.
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=str(scratch)) as file:
            yield cast("BinaryIO", file)
            self._call(_send, key, file)

    def _put(self, path: str, data: bytes) -> None:
        self._call(obstore.put, path, data)

    def delete(self, key: str) -> None:
        self._delete([check_key(key), *(one["path"] for one in self._under(key))])

    def _delete(self, paths: builtins.list[str]) -> None:
        self._call(obstore.delete, paths)

    def sweep(self, prefix: str) -> None:
        """Nothing: what a killed writer has sent is no object. Parts of large uploads that it left
        are the bucket's to remove; docs/OPERATIONS.md has the rule for that."""

    def journal(self, key: str) -> "ObjectJournal":
        return ObjectJournal(check_key(key), self._put, self._delete)

    def lines(self, key: str) -> bytes:
        paths = [one["path"] for one in self._under(key)]
        ((_, wanted),) = by_journal([key, *paths])
        return b"".join(self._read_all(wanted))

    def journals(self, prefix: str) -> Iterator[bytes]:
        journals = [paths for _, paths in by_journal(one["path"] for one in self._under(prefix))]
        found = self._read_all(path for paths in journals for path in paths)
        for paths in journals:
            yield b"".join(islice(found, len(paths)))

    def _read_all(self, paths: Iterable[str]) -> Iterator[bytes]:
        """Objects, several at once; nothing of one that does not exist, or not any more."""

        def read(path: str) -> bytes:
            try:
                return self._call(_read, path)
            except FileNotFoundError:
                return b""

        return self._readers.map(read, paths)

    def contents(self) -> Iterator[tuple[str, BinaryIO]]:
        for key, paths in by_journal(one["path"] for one in self._under(None)):
            try:
                if paths == [key]:
                    yield key, self.open(key)
                else:
                    yield key, BytesIO(b"".join(self._read_all(paths)))
            except FileNotFoundError:
                continue  # deleted since it was listed

    def require(self, size: int = 0) -> None:
        # A bucket is never full; the disk on which large objects lie until they are sent may be.
        space.require(settings().data_folder, size)

    def url(self, key: str) -> str:
        return f"{PROTOCOL}://{check_key(key)}"

    def path(self, key: str) -> None:
        """None: it is no file."""

    def mount(self, db: duckdb.DuckDBPyConnection) -> None:
        db.register_filesystem(ObjectFiles(self._end, self._range))
        # Each thread waits for one file at a time.
        db.execute(f"SET threads = {_AT_ONCE}")

    def connect(self) -> duckdb.DuckDBPyConnection:
        # Of its own: an object may be another for the next.
        db = duck.instance()
        self.mount(db)
        return db

    def each(self, work: Callable[[S], T], of: Iterable[S]) -> Iterator[T]:
        left = iter(of)
        # With threads of its own, as the work may wait for the readers.
        with ThreadPoolExecutor(_AT_ONCE, "each") as workers:
            while some := list(islice(left, _AT_ONCE)):
                yield from workers.map(work, some)

    async def off_loop(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._callers, partial(work, *args, **kwargs))

    def _call(self, call: Callable[..., T], *args: Any) -> T:
        """``call`` of the store, again and again while it is away, but not for longer than
        ``patience``."""
        for attempt in stamina.retry_context(
            on=_may_pass, attempts=None, timeout=self.patience, **_WAITS
        ):
            with attempt:
                return self._translated(call, *args)
        raise AssertionError("stamina raises what the last attempt raised")

    def _translated(self, call: Callable[..., T], *args: Any) -> T:
        # The library's errors quote what the store said, which may hold key ids and signatures: of
        # that only the code goes on.
        try:
            return call(self._store, *args)
        except exceptions.PreconditionError:
            raise FileNotFoundError(f"object {args[0]!r} was replaced while it was read") from None
        except (FileNotFoundError, exceptions.BaseError) as error:
            reason = _reason(error)
            if reason.code == "NoSuchBucket":
                message = f"The object store has no such bucket: {self._where}."
            elif isinstance(error, FileNotFoundError):
                raise FileNotFoundError(f"no object {args[0]!r} in {self._where}") from None
            elif reason.refused:
                message = f"The object store refuses {self._where}: {reason.code}."
            else:
                message = f"The object store does not answer, {self._where}: {reason.code}."
            raise StorageUnavailable(message, passing=not reason.refused) from None


def _read(store: S3Store, path: str) -> bytes:
    return bytes(obstore.get(store, path).bytes())


def _end(store: S3Store, path: str) -> End:
    try:
        found = obstore.get(store, path, options={"range": {"suffix": PIECE_BYTES}})
        meta, data = found.meta, bytes(found.bytes())
    except exceptions.GenericError as error:
        # An empty object has no last bytes: Range Not Satisfiable, or all of it.
        if "status code: 416" not in str(error) and "non-partial response" not in str(error):
            raise
        found = obstore.get(store, path)
        meta, data = found.meta, bytes(found.bytes())
    return End(meta["size"], meta["e_tag"], meta["last_modified"], data)


def _range(store: S3Store, path: str, tag: str | None, start: int, stop: int) -> bytes:
    found = obstore.get(store, path, options={"range": (start, stop), "if_match": tag})
    return bytes(found.bytes())


def _send(store: S3Store, path: str, file: Any) -> None:
    file.seek(0)
    obstore.put(store, path, file, chunk_size=_IN_MEMORY_BYTES)


def _may_pass(error: Exception) -> bool:
    return isinstance(error, StorageUnavailable) and error.passing


class _Reason(NamedTuple):
    """What the store's answer was, in short."""

    code: str
    """Its code, or what became of the connection."""
    refused: bool
    """It has answered, and would answer the same again."""


def _reason(error: Exception) -> _Reason:
    first = str(error).split("\n\nDebug source", 1)[0]
    status = re.search(r"status code: ((\d)\d\d[^:\n]*)", first)
    code = re.search(r"<Code>(\w+)</Code>", first)
    said = (code or status or ["", first.splitlines()[0].rpartition(" - ")[2]])[1]
    refused = status is not None and status[2] != "5" and not status[1].startswith(("408", "429"))
    return _Reason(said.strip()[:200], refused)
