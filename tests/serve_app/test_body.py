"""Clients that send slowly, stop, go away or are refused before they have sent everything."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing

import pytest
from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import Message

from serve_app import body as bodies
from serve_app.body import Body, SlowBody


@pytest.fixture(autouse=True)
def _patience(configure: Callable[..., None]) -> None:
    configure(upload_patience_seconds=0.5)


def sent(*messages: bytes | float | None, **headers: str) -> Body:
    """A body from a client that sends bytes, waits for seconds, and goes away at ``None``."""

    async def client() -> AsyncIterator[Message]:
        for one in messages:
            if isinstance(one, float):
                await asyncio.sleep(one)
            elif one is None:
                yield {"type": "http.disconnect"}
            else:
                yield {"type": "http.request", "body": one, "more_body": True}
        yield {"type": "http.request", "body": b"", "more_body": False}

    messages_of = client()
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Body(Request({"type": "http", "headers": raw}, lambda: anext(messages_of)))


async def pieces(body: Body) -> list[bytes]:
    return [piece async for piece in body.pieces()]


async def test_small_messages_are_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_GATHERED_BYTES", 3)
    monkeypatch.setattr(bodies, "_LEAST_BYTES", 1)
    assert await pieces(sent(b"a", b"b", b"cd", b"e")) == [b"abcd", b"e"]


async def test_bodies_that_come_at_once_share_what_may_be_gathered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "_GATHERED_BYTES", 6)
    monkeypatch.setattr(bodies, "_LEAST_BYTES", 2)
    letters = [b"x"] * 6
    assert await pieces(sent(*letters)) == [b"x" * 6, b""]
    others = [sent(*letters) for _ in range(4)]
    async with AsyncExitStack() as stack:
        begun = [await stack.enter_async_context(aclosing(one.pieces())) for one in others]
        assert [await anext(one) for one in begun] == [b"x" * size for size in (6, 3, 2, 2)]
    del others, begun
    assert await pieces(sent(*letters)) == [b"x" * 6, b""]


async def test_nothing_is_one_empty_piece() -> None:
    assert await pieces(sent()) == [b""]


async def test_a_short_pause_is_no_fault() -> None:
    assert await pieces(sent(b"a", 0.05, b"b")) == [b"ab"]


async def test_a_client_that_stops_is_given_up() -> None:
    with pytest.raises(SlowBody, match=r"Nothing came for 0\.5 seconds"):
        await pieces(sent(b"a", 60.0, b"b"))


async def test_a_client_that_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It never pauses for long, but sends a byte where it should send hundreds."""
    trickle = [part for _ in range(100) for part in (b"x", 0.05)]
    with pytest.raises(SlowBody):
        await pieces(sent(*trickle))
    monkeypatch.setattr(bodies, "_SLOWEST_BYTES", 1)
    assert await pieces(sent(*trickle[:40])) == [b"x" * 20]


async def test_a_client_that_goes_away() -> None:
    body = sent(b"a", None)
    with pytest.raises(ClientDisconnect):
        await pieces(body)
    await body.drain()


async def test_what_a_refused_client_still_sends_is_read() -> None:
    body = sent(*[b"x" * 2**20] * 5)
    async for _ in body.pieces():
        break
    await body.drain()
    assert await pieces(body) == []


async def test_a_refused_client_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "_STOPPED_SECONDS", 0.2)
    await sent(60.0).drain()
    await sent(b"x", None).drain()
    monkeypatch.setattr(bodies, "_DRAIN_SECONDS", 0.5)
    await sent(*[b"x" * 1000, 0.01] * 100_000).drain()


async def test_a_client_that_waits_for_a_sign_is_not_asked_to_send() -> None:
    body = sent(b"never sent", expect="100-continue")
    await body.drain()
    assert body._received == 0
