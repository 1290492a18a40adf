"""An application called without a socket answers as over one."""

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from jobs import asgi

app = FastAPI()


@app.post("/echo")
async def echo(request: Request) -> dict[str, str]:
    return {"type": request.headers["content-type"], "body": (await request.body()).decode()}


@app.post("/pieces", status_code=201)
async def pieces() -> StreamingResponse:
    return StreamingResponse(iter(["a", "b", "c"]), status_code=201)


@app.post("/broken")
async def broken() -> None:
    raise RuntimeError("broken")


async def test_the_body_goes_in_and_the_answer_comes_out() -> None:
    status, body = await asgi.post(app, "/echo", b'{"a":1}')
    assert (status, body) == (200, b'{"type":"application/json","body":"{\\"a\\":1}"}')


async def test_an_answer_in_pieces_is_whole() -> None:
    assert await asgi.post(app, "/pieces", b"{}") == (201, b"abc")


async def test_what_the_application_refuses_is_an_answer() -> None:
    status, body = await asgi.post(app, "/nowhere", b"{}")
    assert (status, body) == (404, b'{"detail":"Not Found"}')


async def test_an_application_that_fails_has_answered_500(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, _ = await asgi.post(app, "/broken", b"{}")
    assert status == 500
    assert "RuntimeError: broken" in capsys.readouterr().out
