"""What is sent for a request, and what is stored of its answer."""

import time
from typing import Any

import orjson
import pytest
from factories import CHAT

from jobs.engine import Answer
from jobs.parts import Record, succeeded
from jobs.replica import prepare, record

COMPLETIONS = "/v1/completions"
EMBEDDINGS = "/v1/embeddings"
ROW = {"row_id": 3, "custom_id": "r-3", "url": CHAT}
MESSAGES = [{"role": "user", "content": "Hi"}]


def test_without_overrides_a_request_is_sent_as_it_is() -> None:
    body = {"messages": MESSAGES, "temperature": 0.7, "logprobs": True, "anything": [1]}
    assert prepare(CHAT, dict(body), {}) == body


def test_overrides_replace_what_requests_ask() -> None:
    body = {"messages": MESSAGES, "temperature": 0.7, "top_p": 0.5}
    sent = prepare(CHAT, body, {"temperature": 0, "seed": 7, "stop": ["\n"]})
    assert sent == {
        "messages": MESSAGES,
        "temperature": 0,
        "top_p": 0.5,
        "seed": 7,
        "stop": ["\n"],
    }


@pytest.mark.parametrize(
    "own",
    [
        {},
        {"max_tokens": 100},
        {"max_completion_tokens": 100},
        {"max_tokens": 50, "max_completion_tokens": 100},
    ],
)
def test_the_limit_of_a_chat_answer_goes_by_its_newer_name(own: dict[str, Any]) -> None:
    sent = prepare(CHAT, {"messages": MESSAGES} | own, {"max_tokens": 5})
    assert sent == {"messages": MESSAGES, "max_completion_tokens": 5}


def test_the_limit_of_a_completion_has_one_name() -> None:
    sent = prepare(COMPLETIONS, {"prompt": "Hi", "max_tokens": 100}, {"max_tokens": 5})
    assert sent == {"prompt": "Hi", "max_tokens": 5}


def test_embeddings_take_no_sampling() -> None:
    sent = prepare(EMBEDDINGS, {"input": "Hi"}, {"temperature": 0, "max_tokens": 5, "seed": 1})
    assert sent == {"input": "Hi"}


@pytest.mark.parametrize("url", [CHAT, COMPLETIONS, EMBEDDINGS])
def test_streaming_is_dropped(url: str) -> None:
    body = {"stream": True, "stream_options": {"include_usage": True}, "user": "me"}
    assert prepare(url, body, {}) == {"user": "me"}


def stored(body: dict[str, Any], status: int = 200) -> Record:
    return record(ROW, Answer(status, body), latency_ms=1500.0, replica="node-1")


def test_the_figures_of_an_answer() -> None:
    body = {
        "id": "chatcmpl-1",
        "choices": [{"message": {"content": "Yes"}, "finish_reason": "length"}],
        "usage": {
            "prompt_tokens": 11,
            "completion_tokens": 4,
            "prompt_tokens_details": {"cached_tokens": 8},
        },
        "metrics": {
            "time_to_first_token_ms": 40.0,
            "generation_time_ms": 1390.0,
            "queue_time_ms": 60.0,
            "mean_itl_ms": 9.5,
        },
    }
    found = stored(body)
    assert time.time() - found.pop("finished_at") < 60
    assert orjson.loads(found.pop("body") or "") == body
    assert found == {
        "row_id": 3,
        "custom_id": "r-3",
        "request_id": "chatcmpl-1",
        "status_code": 200,
        "error": None,
        "text": "Yes",
        "finish_reason": "length",
        "prompt_tokens": 11,
        "cached_tokens": 8,
        "output_tokens": 4,
        "latency_ms": 1500.0,
        "ttft_ms": 110.0,
        "itl_ms": 9.5,
        "queue_ms": 60.0,
        "replica": "node-1",
    }


@pytest.mark.parametrize(
    ("metrics", "ttft", "queue"),
    [
        ({"time_to_first_token_ms": 40.0, "generation_time_ms": 1390.0}, 110.0, None),
        ({"time_to_first_token_ms": 1490.0, "generation_time_ms": 0.0}, 1500.0, None),
        ({"generation_time_ms": 1500.5}, 0.0, None),
        ({"time_to_first_token_ms": 40.0, "queue_time_ms": 60.0}, 100.0, 60.0),
        ({"time_to_first_token_ms": 40.0}, 40.0, None),
        ({"time_to_first_token_ms": 0.0, "queue_time_ms": 0.0}, 0.0, 0.0),
        ({"queue_time_ms": 60.0}, None, 60.0),
        ({}, None, None),
        (None, None, None),
    ],
)
def test_time_to_first_token_is_what_a_user_waits(
    metrics: dict[str, float] | None, ttft: float | None, queue: float | None
) -> None:
    found = stored({"metrics": metrics})
    assert (found["ttft_ms"], found["queue_ms"]) == (ttft, queue)


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        ({"message": {"content": "chat"}}, "chat"),
        ({"message": {"content": ""}}, ""),
        ({"text": "completion"}, "completion"),
        ({"message": {"content": None, "tool_calls": [{"id": "a"}]}}, '[{"id":"a"}]'),
        ({"message": {"content": None, "tool_calls": []}}, None),
        ({"message": None}, None),
        ({}, None),
    ],
)
def test_the_text_of_an_answer(choice: dict[str, Any], text: str | None) -> None:
    assert stored({"choices": [choice]})["text"] == text


def test_an_answer_without_choices_or_id_is_kept() -> None:
    found = stored({"data": [{"embedding": [0.5]}], "usage": {"prompt_tokens": 2}})
    assert (found["text"], found["finish_reason"], found["output_tokens"]) == (None, None, None)
    assert found["prompt_tokens"] == 2
    assert found["request_id"].startswith("req_")
    assert succeeded(found)


def test_an_error_is_an_answer_with_its_status_body_and_message() -> None:
    body = {"error": {"message": "too long", "type": "BadRequestError", "code": 400}}
    found = stored(body, status=400)
    assert (found["status_code"], found["text"], found["error"]) == (400, "too long", None)
    assert orjson.loads(found["body"] or "") == body
    assert not succeeded(found)


@pytest.mark.parametrize("body", [{}, {"error": "text"}, {"error": {}}, {"detail": "x"}])
def test_an_error_of_another_shape_is_kept(body: dict[str, Any]) -> None:
    assert stored(body, status=500)["text"] is None
