"""The engine that asks another OpenAI-compatible service, so that it can be compared with.

Which services there are is the operator's choice (``configs/models``); nothing that a user sends
gets into an address. The key comes from the environment and is sent to that address only: redirects
are not followed, and what comes back is stored without it.
"""

import asyncio
import os
import random
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx
import orjson
import stamina

from jobs import bodies
from jobs.engine import Answer
from jobs.schemas.models import EndpointSpec, ModelSpec

# Too many requests at once, or a service that is away for a moment. What it says to these and all
# others is the request's result in the end.
_TRY_AGAIN = {408, 409, 425, 429, 500, 502, 503, 504, 529}
_REFUSED_KEY = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_FIRST_WAIT_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 60.0
# A service that asks for more patience than this is asked again all the same.
_LONGEST_RETRY_AFTER_SECONDS = 300.0
_JITTER_SECONDS = 1.0


class Busy(Exception):
    """An answer after which it is worth asking again."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(f"status {response.status_code}")
        self.response = response


class EndpointEngine:
    """A service behind a URL."""

    def __init__(self, model: ModelSpec) -> None:
        assert model.endpoint is not None
        self._model_id = model.model_id
        self._endpoint = model.endpoint
        self._slots = asyncio.Semaphore(model.endpoint.max_concurrency)
        self._key: str | None = None
        self._client: httpx.AsyncClient | None = None

    async def start(self) -> None:
        """See that the service is there and takes the key, rather than fail on every request."""
        self._key = _key(self._model_id, self._endpoint)
        headers = {"authorization": f"Bearer {self._key}"} if self._key else {}
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=None,  # each try has one as a whole
            limits=httpx.Limits(max_connections=self._endpoint.max_concurrency),
        )
        try:
            await self._check()
        except ValueError:
            await self.stop()
            raise

    async def send(self, url: str, body: dict[str, Any]) -> Answer:
        path = url.removeprefix("/v1")
        async with self._slots:
            began = time.monotonic()
            try:
                response = await self._try("POST", path, body | {"model": self._endpoint.model})
            except Busy as busy:
                response = busy.response
            except TimeoutError as error:
                return _no_answer(HTTPStatus.GATEWAY_TIMEOUT, error, began)
            except httpx.TransportError as error:
                return _no_answer(HTTPStatus.BAD_GATEWAY, error, began)
        status, answer = self._read(response)
        return Answer(status, answer, latency_ms=response.elapsed.total_seconds() * 1000)

    @property
    def dead(self) -> bool:
        return False

    @property
    def last_sign(self) -> float:
        # Each request is bounded by its own timeout and tries.
        return time.monotonic()

    @property
    def load(self) -> None:
        return None

    async def responds(self) -> bool:
        return True

    def memory(self) -> None:
        return None

    async def stop(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def _check(self) -> None:
        here = f"{self._model_id}: {self._endpoint.base_url}"
        try:
            response = await self._try("GET", "/models", None)
        except Busy:
            return  # it is there
        except (httpx.TransportError, TimeoutError) as error:
            raise ValueError(f"{here} cannot be reached: {_why(error)}") from error
        if response.status_code in _REFUSED_KEY:
            what = (
                f"the key in {self._endpoint.api_key_env}" if self._key else "to work without key"
            )
            raise ValueError(f"{here} refuses {what} (status {response.status_code}).")

    async def _try(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        """Ask until there is an answer that is worth having, or tries are used up."""
        assert self._client is not None, "start() first"
        url = self._endpoint.base_url.rstrip("/") + path
        async for attempt in stamina.retry_context(
            on=backoff,
            attempts=self._endpoint.max_retries + 1,
            timeout=None,
            wait_initial=_FIRST_WAIT_SECONDS,
            wait_max=_LONGEST_WAIT_SECONDS,
            wait_jitter=_JITTER_SECONDS,
        ):
            with attempt:
                async with asyncio.timeout(self._endpoint.timeout_seconds):
                    response = await self._client.request(method, url, json=body)
                if response.status_code in _TRY_AGAIN:
                    raise Busy(response)
                return response
        raise AssertionError("stamina raises what the last attempt raised")

    def _read(self, response: httpx.Response) -> tuple[int, dict[str, Any]]:
        text = response.text
        if self._key:
            text = text.replace(self._key, "***")  # services like to quote a key that they refuse
        status = response.status_code
        try:
            body = orjson.loads(text)
        except orjson.JSONDecodeError:
            body = None
        if isinstance(body, dict) and bodies.problem(body) is None and not 300 <= status < 400:
            return status, body
        if 200 <= status < 400:
            # A success without an answer is none.
            status = HTTPStatus.BAD_GATEWAY.value
        said = f"not an answer of OpenAI's API, but (status {response.status_code}): {text[:1000]}"
        return status, {"error": {"message": said, "type": "BadResponse", "code": status}}


def backoff(error: Exception) -> bool | float:
    """Whether to ask again after ``error``, and after how many seconds if the service says so."""
    if isinstance(error, Busy):
        wait = retry_after(error.response)
        # Requests that were refused together do not come back together.
        return True if wait is None else wait + random.uniform(0, _JITTER_SECONDS)
    return isinstance(error, httpx.TransportError | TimeoutError)


def retry_after(response: httpx.Response) -> float | None:
    """The seconds that a ``Retry-After`` asks to wait, a number or a date."""
    value = response.headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER_SECONDS)


def _key(model_id: str, endpoint: EndpointSpec) -> str | None:
    if endpoint.api_key_env is None:
        return None
    key = os.environ.get(endpoint.api_key_env, "").strip()
    if not key:
        raise ValueError(
            f"{model_id}: the environment variable {endpoint.api_key_env} is not set. Set it where "
            "the service is started; on a cluster, where Ray is, on every node."
        )
    return key


def _no_answer(status: HTTPStatus, error: Exception, began: float) -> Answer:
    problem = {"message": f"No answer: {_why(error)}", "type": "NoAnswer", "code": status.value}
    return Answer(status.value, {"error": problem}, (time.monotonic() - began) * 1000)


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it took longer than `timeout_seconds`."
    return str(error) or type(error).__name__
