"""A multipart upload streamed to what takes it: never the whole file in memory."""

from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from anyio import CancelScope, CapacityLimiter, to_thread
from fastapi import Request
from starlette.requests import ClientDisconnect
from streaming_form_data import StreamingFormDataParser
from streaming_form_data.parser import ParseFailedException
from streaming_form_data.targets import BaseTarget

from cluster.settings import settings
from cluster.storage import storage
from jobs.errors import InvalidRequest, TooLarge
from jobs.schemas.datasets import Dataset
from jobs.uploads import Upload
from serve_app.body import Body, declared_length

# Threads that work on uploads. The other calls keep the rest, and memory does not grow with the
# number of uploads that look for duplicates at once.
_THREADS = CapacityLimiter(4)
# A form has the file and a few short lines around it; the parser would keep longer ones.
_MOST_BESIDE_FILE = 2**20
_MAX_TEXT_BYTES = 1000


class Incoming(Protocol):
    """Takes a file as it arrives; :class:`jobs.uploads.Upload`, for one."""

    def __enter__(self) -> Any: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None: ...

    def feed(self, data: bytes) -> None: ...


T = TypeVar("T")
Taker = TypeVar("Taker", bound=Incoming)
Fields = Mapping[str, str]


class BadUpload(InvalidRequest):
    status = 400


class EncodedUpload(InvalidRequest):
    status = 415


class _File(BaseTarget, Generic[Taker]):
    """The form's ``file`` part, fed to an upload as it arrives."""

    def __init__(self, begin: Callable[[str], Taker]) -> None:
        super().__init__()
        self._begin = begin
        self.upload: Taker | None = None
        self.complete = False
        self.size = 0

    def on_start(self) -> None:
        if self.upload is not None:
            raise BadUpload("several_files", "Upload one file per request.")
        self.upload = self._begin(self.multipart_filename or "dataset.jsonl").__enter__()

    def on_data_received(self, chunk: bytes) -> None:
        assert self.upload is not None
        self.size += len(chunk)
        self.upload.feed(chunk)

    def on_finish(self) -> None:
        self.complete = True

    def close(self, error: BaseException | None) -> None:
        if self.upload is not None:
            self.upload.__exit__(type(error) if error else None, error, None)


class _Text(BaseTarget):
    """A short part of the form other than the file."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._data = bytearray()
        self.present = False

    def on_start(self) -> None:
        self.present = True

    def on_data_received(self, chunk: bytes) -> None:
        self._data += chunk
        if len(self._data) > _MAX_TEXT_BYTES:
            raise BadUpload("bad_multipart", f"The form's field `{self._name}` is too long.")

    def value(self) -> str:
        return self._data.decode("utf-8", "replace")


async def receive(request: Request) -> Dataset:
    """Store the ``file`` part of a multipart request as a dataset.

    Raises:
        BadUpload: not a multipart form, no file in it, or cut off in the middle.
        EncodedUpload: the body is compressed.
        SlowBody: the client stopped sending, or nearly so.
        TooLarge: larger than the limit on uploads.
        StorageFull: there is no room for it.
    """
    return await read(request, Upload, (), lambda upload, _fields: upload.finish())


async def read(
    request: Request,
    begin: Callable[[str], Taker],
    fields: Iterable[str],
    finish: Callable[[Taker, Fields], T],
) -> T:
    """Feed the ``file`` part of a multipart request to an upload, and ``finish`` it.

    ``begin`` makes the upload from the file's name; ``fields`` are the names of short text parts
    that ``finish`` is given, those that the form has.

    Raises:
        BadUpload: and the others, as :func:`receive`.
    """
    body = Body(request)
    try:
        _check_headers(request)
        return await _store(request, body, begin, fields, finish)
    except Exception:
        await body.drain()
        raise


def _check_headers(request: Request) -> None:
    """Refuse what need not be read to be refused."""
    headers = request.headers
    if "multipart/form-data" not in headers.get("content-type", ""):
        raise BadUpload(
            "not_multipart", "Send the file as multipart/form-data in a field named `file`."
        )
    encoding = headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise EncodedUpload(
            "compressed_body",
            f"Content-Encoding {encoding!r} is not accepted. Send the file as is.",
        )
    size = declared_length(headers) or 0
    if size > settings().max_upload_bytes + _MOST_BESIDE_FILE:
        limit = settings().max_upload_bytes
        raise TooLarge("upload_too_large", f"The file is larger than {limit:,} bytes.")
    storage().require(size)


async def _store(
    request: Request,
    body: Body,
    begin: Callable[[str], Taker],
    fields: Iterable[str],
    finish: Callable[[Taker, Fields], T],
) -> T:
    file = _File(begin)
    texts = {name: _Text(name) for name in fields}
    error: BaseException | None = None
    try:
        parser = StreamingFormDataParser(dict(request.headers))
        parser.register("file", file)
        for name, text in texts.items():
            parser.register(name, text)
        received = 0
        async for piece in body.pieces():
            received += len(piece)
            await to_thread.run_sync(parser.data_received, piece, limiter=_THREADS)
            if received - file.size > _MOST_BESIDE_FILE:
                raise TooLarge("form_too_large", "The form holds more than the file. Send only it.")
        if file.upload is None:
            raise BadUpload("missing_file", "The form has no file in a field named `file`.")
        if not file.complete:
            raise BadUpload("upload_incomplete", "The upload was cut off. Send the file again.")
        given = {name: text.value() for name, text in texts.items() if text.present}
        return await to_thread.run_sync(finish, file.upload, given, limiter=_THREADS)
    except ParseFailedException as failed:
        error = failed
        raise BadUpload("bad_multipart", f"Malformed multipart body: {failed}.") from failed
    except ClientDisconnect as gone:
        error = gone
        raise BadUpload("upload_incomplete", "The client went away.") from gone
    except BaseException as other:
        error = other
        raise
    finally:
        # Also when the request is cancelled: what was written has to go.
        with CancelScope(shield=True):
            await to_thread.run_sync(file.close, error)
