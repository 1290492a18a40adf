"""The engine behind a URL, against a real HTTP server that fails as told to."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
import stamina
from factories import CHAT, model, spec
from pydantic import ValidationError

from jobs import endpoint, engine
from jobs.endpoint import Busy, EndpointEngine
from jobs.engine import Answer
from jobs.schemas.models import ModelSpec

HELLO = {"messages": [{"role": "user", "content": "Hello"}]}
KEY = "sk-very-secret"


@dataclass
class Reply:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    """Time that it takes."""
    breaks: bool = False
    """The connection ends without an answer."""


@dataclass
class Service:
    """What the server is to answer and what it was asked."""

    url: str = ""
    replies: list[Reply] = field(default_factory=list)
    """One a request to a model; after the last it answers well."""
    models: Reply = field(default_factory=Reply)
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def answer(text: str = "Hi") -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {"id": "c-1", "choices": [{"message": message, "finish_reason": "stop"}]}


@pytest.fixture
def service() -> Iterator[Service]:
    told = Service()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            return

        def do_GET(self) -> None:
            self.reply(told.models)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with told.lock:
                told.asked.append((self.path, dict(self.headers), body))
                told.times.append(time.monotonic())
                told.at_once += 1
                told.most_at_once = max(told.most_at_once, told.at_once)
                reply = told.replies.pop(0) if told.replies else Reply(body=answer())
            try:
                self.reply(reply)
            finally:
                with told.lock:
                    told.at_once -= 1

        def reply(self, reply: Reply) -> None:
            time.sleep(reply.seconds)
            if reply.breaks:
                self.close_connection = True
                return
            raw = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            try:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)
            except OSError:
                self.close_connection = True  # the client has not waited

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}/v1"
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


def entry(url: str, **fields: Any) -> ModelSpec:
    return ModelSpec.model_validate(
        {
            "model_id": "elsewhere/gpt",
            "name": "GPT",
            "engine": "endpoint",
            "endpoint": {"base_url": url, "model": "gpt-1", **fields},
        }
    )


Ask = Callable[..., Any]


@pytest.fixture
def ask(service: Service) -> Ask:
    """Start an engine, ask once (or ``count`` times together), stop it. No wait between tries."""

    async def send(url: str = CHAT, count: int = 1, **fields: Any) -> Any:
        asked = EndpointEngine(entry(service.url, **fields))
        await asked.start()
        assert not asked.dead
        answers = await asyncio.gather(*(asked.send(url, dict(HELLO)) for _ in range(count)))
        await asked.stop()
        return answers if count > 1 else answers[0]

    return send


@pytest.fixture
def no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


async def test_a_request_goes_to_the_service_under_its_name_for_the_model(
    service: Service, ask: Ask
) -> None:
    found: Answer = await ask()
    assert (found.status_code, found.body) == (200, answer())
    ((path, headers, body),) = service.asked
    assert path == "/v1/chat/completions"
    assert body == HELLO | {"model": "gpt-1"}
    assert "authorization" not in {name.lower() for name in headers}


@pytest.mark.parametrize("path", ["completions", "embeddings"])
async def test_every_endpoint(service: Service, ask: Ask, path: str) -> None:
    await ask(f"/v1/{path}")
    assert service.asked[0][0] == f"/v1/{path}"


async def test_the_key_comes_from_the_environment(
    service: Service, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", f" {KEY}\n")
    await ask(api_key_env="SOME_KEY")
    headers = {name.lower(): value for name, value in service.asked[0][1].items()}
    assert headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("fault", [408, 429, 500, 502, 503, 529, "broken", "slow"])
async def test_what_passes_is_tried_again(
    service: Service, ask: Ask, no_waits: None, fault: int | str
) -> None:
    reply = {"broken": Reply(breaks=True), "slow": Reply(seconds=1.0)}.get(
        str(fault), Reply(fault if isinstance(fault, int) else 0, body={})
    )
    service.replies = [reply, reply]
    found: Answer = await ask(timeout_seconds=0.3 if fault == "slow" else 600)
    assert (found.status_code, found.body) == (200, answer())
    assert len(service.asked) == 3


@pytest.mark.parametrize("status", [400, 401, 404, 422])
async def test_what_stays_is_not(service: Service, ask: Ask, no_waits: None, status: int) -> None:
    refusal = {"error": {"message": "no", "code": "bad"}}
    service.replies = [Reply(status, refusal)]
    found: Answer = await ask()
    assert (found.status_code, found.body) == (status, refusal)
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    ("reply", "status", "message"),
    [
        (Reply(429, {"error": {"message": "slow down"}}), 429, "slow down"),
        (Reply(503, b"<html>away</html>"), 503, "not an answer of OpenAI's API"),
        (Reply(breaks=True), 502, "No answer"),
        (Reply(seconds=1.0), 504, "it took longer than `timeout_seconds`"),
    ],
)
async def test_when_tries_are_used_up_the_last_answer_is_the_result(
    service: Service, ask: Ask, no_waits: None, reply: Reply, status: int, message: str
) -> None:
    service.replies = [reply] * 3
    found: Answer = await ask(max_retries=2, timeout_seconds=0.3)
    assert found.status_code == status
    assert message in found.body["error"]["message"]
    assert len(service.asked) == 3


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<html>hello</html>"),
        Reply(200, [1]),
        Reply(200, {"choices": ["text"]}),
        Reply(302, b"", {"location": "http://169.254.169.254/"}),
    ],
)
async def test_an_answer_of_another_kind_is_a_failure_of_its_request(
    service: Service, ask: Ask, reply: Reply
) -> None:
    service.replies = [reply]
    found: Answer = await ask()
    assert found.status_code == 502
    assert f"(status {reply.status})" in found.body["error"]["message"]
    assert len(service.asked) == 1


async def test_a_key_that_comes_back_is_not_kept(
    service: Service, ask: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SOME_KEY", KEY)
    service.replies = [Reply(400, {"error": {"message": f"Incorrect key: {KEY}"}})]
    found: Answer = await ask(api_key_env="SOME_KEY")
    assert found.body["error"]["message"] == "Incorrect key: ***"
    assert KEY not in caplog.text


async def test_no_more_requests_at_once_than_allowed(service: Service, ask: Ask) -> None:
    service.replies = [Reply(body=answer(), seconds=0.1) for _ in range(12)]
    found: list[Answer] = await ask(count=12, max_concurrency=3)
    assert [one.status_code for one in found] == [200] * 12
    assert service.most_at_once == 3
    # The wait for a turn is not the service's.
    slowest = max(one.latency_ms or 0 for one in found)
    together = (max(service.times) - min(service.times)) * 1000
    assert slowest < together


async def test_it_waits_as_long_as_it_is_told_to(service: Service, ask: Ask) -> None:
    service.replies = [Reply(429, {}, {"retry-after": "1.5"})]
    assert (await ask()).status_code == 200
    first, second = service.times
    assert second - first >= 1.5


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("2", 2.0), ("0", 0.0), ("-1", 0.0), ("86400", 300.0), ("soon", None), ("", None)],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert endpoint.retry_after(httpx.Response(429, headers={"retry-after": value})) == seconds


def test_retry_after_as_a_date() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    found = endpoint.retry_after(httpx.Response(503, headers={"retry-after": date}))
    assert found == pytest.approx(60, abs=5)
    waits = {endpoint.backoff(Busy(httpx.Response(429, headers={"retry-after": "2"})))}
    assert all(2 <= wait <= 3 for wait in waits)
    assert endpoint.backoff(Busy(httpx.Response(429))) is True
    assert endpoint.backoff(ValueError()) is False


async def refused(model_: ModelSpec) -> str:
    with pytest.raises(ValueError, match=r"^elsewhere/gpt: ") as caught:
        await EndpointEngine(model_).start()
    return str(caught.value)


async def test_it_does_not_start_without_its_key(service: Service) -> None:
    assert "SOME_KEY is not set" in await refused(entry(service.url, api_key_env="SOME_KEY"))


async def test_it_does_not_start_where_nothing_answers(service: Service, no_waits: None) -> None:
    service.models = Reply(breaks=True)
    assert "cannot be reached" in await refused(entry(service.url, max_retries=1))


async def test_it_does_not_start_with_a_key_that_is_refused(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", KEY)
    service.models = Reply(401, {})
    message = await refused(entry(service.url, api_key_env="SOME_KEY"))
    assert "refuses the key in SOME_KEY" in message
    assert KEY not in message


async def test_a_service_without_a_list_of_models_will_do(service: Service, ask: Ask) -> None:
    service.models = Reply(404, {})
    assert (await ask()).status_code == 200


def test_the_engine_of_a_model() -> None:
    fields = {"parameters": 0, "weights": {}, "weights_bytes": 0, "memory_gib": 0, "license": ""}
    behind = spec(
        engine="endpoint",
        endpoint={"base_url": "https://a.example/v1", "model": "b", "max_concurrency": 5},
        **fields,
    )
    assert isinstance(engine.create(behind, on_gpu=False), EndpointEngine)
    assert behind.model.max_num_seqs == 5
    with pytest.raises(ValueError, match="imported results have no engine"):
        engine.create(spec(engine="imported"), on_gpu=False)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a/v1",
        "a.example/v1",
        "https://user:password@a.example/v1",
        "https://a.example/v1?key=1",
        "https://a.example/v1#x",
        "https:///v1",
    ],
)
def test_an_address_that_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match=r"endpoint\.base_url"):
        entry(url)


def test_an_endpoint_is_for_its_engine_only() -> None:
    for fields in ({"engine": "endpoint"}, {"endpoint": {"base_url": "https://a", "model": "b"}}):
        with pytest.raises(ValidationError, match="`endpoint` is for models whose engine"):
            model(**fields)
