"""What the suite is made of: checks, each one sentence about how OpenAI's API behaves."""

import io
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import openai
from openai.types import Batch, FileObject

ECHO, SLOW, BROKEN = "test/echo", "test/slow", "broken"
CHAT = "/v1/chat/completions"
ENDED = ("completed", "failed", "expired", "cancelled")
# Not a measure of anything: a batch that does not end within it hangs.
_PATIENCE_SECONDS = 120.0

Json = dict[str, Any]


class Api:
    """A client of a service, and what checks do with it again and again."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.client = openai.OpenAI(base_url=f"{base_url}/v1", api_key="none", max_retries=0)

    def upload(self, *lines: Any, name: str = "batchinput.jsonl", **more: Any) -> FileObject:
        """Upload a file of lines: objects, or bytes as they are."""
        data = b"".join(
            line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines
        )
        return self.client.files.create(file=(name, io.BytesIO(data)), purpose="batch", **more)

    def create(self, file_id: str, endpoint: Any = CHAT, **more: Any) -> Batch:
        return self.client.batches.create(
            input_file_id=file_id, endpoint=endpoint, completion_window="24h", **more
        )

    def run(self, *lines: Any, endpoint: str = CHAT, **more: Any) -> Batch:
        """The batch of a file of ``lines``, once it has ended."""
        return self.wait(self.create(self.upload(*lines).id, endpoint, **more).id)

    def wait(self, batch_id: str, *statuses: str) -> Batch:
        """The batch once it has one of ``statuses``; without any, once it has ended."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            batch = self.client.batches.retrieve(batch_id)
            if batch.status in (statuses or ENDED):
                return batch
            assert time.monotonic() < deadline, f"waited in vain: {batch}"
            time.sleep(0.02)

    def started(self, *lines: Any) -> Batch:
        """A batch that has finished some of its requests, and is at work."""
        batch = self.create(self.upload(*lines).id)
        while True:
            batch = self.client.batches.retrieve(batch.id)
            assert batch.status not in ENDED, f"ended before it could be looked at: {batch}"
            if batch.request_counts is not None and batch.request_counts.completed > 0:
                return batch
            time.sleep(0.02)

    def lines(self, file_id: str | None) -> list[Json]:
        """The lines of an output or error file; none of a file that is not there."""
        if file_id is None:
            return []
        return [json.loads(line) for line in self.client.files.content(file_id).text.splitlines()]


def request(custom_id: str, text: str = "Hello", model: str = ECHO, **more: Any) -> Json:
    body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
    return {"custom_id": custom_id, "method": "POST", "url": CHAT, "body": body}


def requests(count: int, model: str = ECHO) -> list[Json]:
    return [request(f"request-{i}", f"Question {i}", model) for i in range(count)]


def ids(lines: Iterable[Json]) -> list[str]:
    return [line["custom_id"] for line in lines]


@dataclass(frozen=True)
class Services:
    """The services that a check may use."""

    usual: Api
    strict: Api
    """One with low limits: files of 10 kB, 20 requests, a completion window of 4 seconds."""


Body = Callable[[Services], None]


@dataclass(frozen=True)
class Check:
    area: str
    sentence: str
    body: Body


CHECKS: list[Check] = []


def check(area: str, sentence: str) -> Callable[[Body], Body]:
    """Add a check to the suite."""

    def add(body: Body) -> Body:
        CHECKS.append(Check(area, sentence, body))
        return body

    return add


def error_of(error: openai.APIStatusError) -> Json:
    """The body of an error, which must have OpenAI's shape."""
    body = error.response.json()
    assert body.keys() == {"error"}, body
    problem: Json = body["error"]
    assert problem.keys() == {"message", "type", "param", "code"}, problem
    assert isinstance(problem["message"], str)
    assert problem["message"]
    assert isinstance(problem["type"], str)
    return problem
