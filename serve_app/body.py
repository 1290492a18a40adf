"""The body of a request as a stream: in pieces, from clients that may be slow, go away or be
refused in the middle."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import ClassVar
from weakref import WeakSet

from fastapi import Request
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect

from cluster.settings import settings
from jobs.errors import InvalidRequest

# Each piece is handed from thread to thread until it is stored. The more is gathered before, the
# fewer of these hops there are, at each of which a core may have nothing to do for a moment; what
# is gathered is memory, so bodies that come at the same time share it.
_GATHERED_BYTES = 2 * 2**20
_LEAST_BYTES = 2**20
# Each of these takes some memory beside its bytes.
_MOST_GATHERED = 1000
# A client may pause, but not trickle for ever: on average it sends at least this much a second.
_SLOWEST_BYTES = 1000
# What a refused client is still sending is read this long, so that it comes to read the answer
# and does not find its connection reset; unless it has stopped, and waits for the answer.
_DRAIN_SECONDS = 20.0
_STOPPED_SECONDS = 2.0


def declared_length(headers: Headers) -> int | None:
    """The length that a request says its body has; the web server holds the client to it."""
    length = headers.get("content-length", "")
    return int(length) if length.isdecimal() else None


class SlowBody(InvalidRequest):
    status = 408


class Body:
    """What a client sends. :meth:`pieces` may be read once; :meth:`drain` takes the rest."""

    _read: ClassVar[WeakSet["Body"]] = WeakSet()
    """Those of this process that are being read, or just have been."""

    def __init__(self, request: Request) -> None:
        self._stream = request.stream()
        self._waits = request.headers.get("expect", "").lower() == "100-continue"
        self._started = time.monotonic()
        self._received = 0
        self._ended = False

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body in pieces of two megabytes, or of one where several bodies are read at once;
        smaller is the last one, and others are where very little comes at a time.

        Raises:
            ClientDisconnect: the client went away.
            SlowBody: it paused too long, or nearly so.
        """
        gathered: list[bytes] = []
        size = 0
        patience = settings().upload_patience_seconds
        self._read.add(self)
        while not self._ended:
            gathered.append(await self._next(patience))
            size += len(gathered[-1])
            enough = max(_GATHERED_BYTES // len(self._read), _LEAST_BYTES)
            if self._ended or size >= enough or len(gathered) == _MOST_GATHERED:
                piece = b"".join(gathered)
                # Not held beside it while it is stored.
                gathered, size = [], 0
                yield piece
                del piece

    async def drain(self) -> None:
        """Read what a refused client still sends, for a while."""
        if self._waits and not self._received:
            return  # it waits for a sign before it sends
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while not self._ended:
                    await self._next(_STOPPED_SECONDS)
        except (TimeoutError, SlowBody, ClientDisconnect):
            return

    async def _next(self, patience: float) -> bytes:
        late = self._started + patience + self._received / _SLOWEST_BYTES - time.monotonic()
        try:
            async with asyncio.timeout(min(patience, late)):
                data = await anext(self._stream, None)
        except TimeoutError:
            self._ended = True
            raise SlowBody(
                "upload_too_slow",
                f"Nothing came for {patience:g} seconds, or almost nothing for longer. "
                "Send the file again.",
            ) from None
        self._ended = data is None
        self._received += len(data or b"")
        return data or b""
