"""A multipart upload streamed to where it goes: never the whole file in memory."""

from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Generic, Protocol, TypeVar

from anyio import to_thread
from fastapi import Request
from starlette.requests import ClientDisconnect
from streaming_form_data import StreamingFormDataParser
from streaming_form_data.parser import ParseFailedException
from streaming_form_data.targets import BaseTarget

from jobs.errors import InvalidRequest
from jobs.schemas import Dataset
from jobs.uploads import Upload

# A hop to a worker thread costs about 0.1 ms, so pieces are gathered before they are handed over.
_PIECE_BYTES = 2**20


Stored = TypeVar("Stored", covariant=True)


class Incoming(Protocol[Stored]):
    """Takes a file as it arrives; :class:`jobs.uploads.Upload`, for one."""

    def __enter__(self) -> "Incoming[Stored]": ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None: ...

    def feed(self, data: bytes) -> None: ...

    def finish(self) -> Stored: ...


class BadUpload(InvalidRequest):
    status = 400


class _File(BaseTarget, Generic[Stored]):
    """The form's ``file`` part, fed to what takes it as it arrives."""

    def __init__(self, open_: Callable[[str], Incoming[Stored]]) -> None:
        super().__init__()
        self._open = open_
        self.upload: Incoming[Stored] | None = None
        self.complete = False

    def on_start(self) -> None:
        if self.upload is not None:
            raise BadUpload("several_files", "Upload one file per request.")
        self.upload = self._open(self.multipart_filename or "dataset.jsonl").__enter__()

    def on_data_received(self, chunk: bytes) -> None:
        assert self.upload is not None
        self.upload.feed(chunk)

    def on_finish(self) -> None:
        self.complete = True

    def close(self, error: BaseException | None) -> None:
        if self.upload is not None:
            self.upload.__exit__(type(error) if error else None, error, None)


async def receive(request: Request) -> Dataset:
    """Store the ``file`` part of a multipart request as a dataset."""
    return await stream(request, Upload)


async def stream(request: Request, open_: Callable[[str], Incoming[Stored]]) -> Stored:
    """Store the ``file`` part of a multipart request by what ``open_`` gives for its name.

    Raises:
        BadUpload: not a multipart form, no file in it, or cut off in the middle.
    """
    if "multipart/form-data" not in request.headers.get("content-type", ""):
        raise BadUpload(
            "not_multipart", "Send the file as multipart/form-data in a field named `file`."
        )
    file = _File(open_)
    error: BaseException | None = None
    try:
        parser = StreamingFormDataParser(dict(request.headers))
        parser.register("file", file)
        async for piece in _pieces(request):
            await to_thread.run_sync(parser.data_received, piece)
        if file.upload is None:
            raise BadUpload("missing_file", "The form has no file in a field named `file`.")
        if not file.complete:
            raise BadUpload("upload_incomplete", "The upload was cut off. Send the file again.")
        return await to_thread.run_sync(file.upload.finish)
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
        await to_thread.run_sync(file.close, error)


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    gathered = bytearray()
    async for data in request.stream():
        gathered += data
        if len(gathered) >= _PIECE_BYTES:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered)
