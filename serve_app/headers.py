"""Headers that tell browsers what a page of this service may do, and compression."""

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Mantine sets styles on elements; icons may be data: images. Scripts come from here only, so that
# a model's output can never become one.
_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# FastAPI's pages of documentation load their scripts from a CDN and start them inline. They show
# nothing but our own API description.
_DOCS = ("/docs", "/redoc")
_DOCS_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net; "
    "style-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net https://fonts.googleapis.com; "
    "font-src https://fonts.gstatic.com; worker-src blob:; "
    "img-src 'self' data: https://fastapi.tiangolo.com https://cdn.redoc.ly; "
    "frame-ancestors 'none'"
)
# Downloads are streams, often to a program on the same machine: compressing them costs more time
# than it saves.
_UNCOMPRESSED = (
    *DEFAULT_EXCLUDED_CONTENT_TYPES,
    "application/jsonl",
    "application/vnd.apache.parquet",
    "text/csv",
)
# Level 5 of 9: on JSON, within a few percent of the size at a third of the time.
_LEVEL = 5


def install(app: FastAPI) -> None:
    app.add_middleware(
        GZipMiddleware,
        minimum_size=1000,
        compresslevel=_LEVEL,
        exclude_content_types=_UNCOMPRESSED,
    )
    app.add_middleware(SecurityHeaders)


class SecurityHeaders:
    """ASGI middleware that adds them to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = _DOCS_POLICY if path in _DOCS else _POLICY
                headers["x-content-type-options"] = "nosniff"
                headers["referrer-policy"] = "same-origin"
            await send(message)

        await self._app(scope, receive, with_headers)
