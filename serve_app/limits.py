"""A bound on the bodies of requests, which are read whole: only uploads are streams."""

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cluster.settings import settings
from serve_app import errors
from serve_app.body import declared_length

# These bound themselves: everything that ends so, and where OpenAI's clients upload.
_UPLOAD = "/upload"
_FILES = "/v1/files"


class BodyLimit:
    """ASGI middleware that answers 413 to a body longer than the longest line of a dataset."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if scope["type"] != "http" or path.endswith(_UPLOAD) or path == _FILES:
            await self._app(scope, receive, send)
            return
        limit = settings().max_line_bytes
        headers = Headers(scope=scope)
        length = declared_length(headers)
        if length is None and "transfer-encoding" in headers:
            body = await _whole(receive, limit)
            length = limit + 1 if body is None else len(body)
            receive = _then(body or b"", receive)
        if length is not None and length > limit:
            message = f"The request is longer than {limit:,} bytes."
            refusal = errors.response(Request(scope), 413, "request_too_large", message)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


async def _whole(receive: Receive, limit: int) -> bytes | None:
    """A body that did not say how long it is; none if it is longer than ``limit``."""
    body = bytearray()
    while (message := await receive())["type"] == "http.request":
        body += message.get("body", b"")
        if len(body) > limit:
            return None
        if not message.get("more_body"):
            break
    return bytes(body)


def _then(body: bytes, receive: Receive) -> Receive:
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return first.pop() if first else await receive()

    return next_message
