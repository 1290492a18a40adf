"""Small valid things that tests change one field of."""

import time
from typing import Any

import orjson

from jobs.parts import Record
from jobs.schemas.benchmarks import BenchmarkSpec
from jobs.schemas.models import ModelSpec
from jobs.schemas.sampling import Sampling

CHAT = "/v1/chat/completions"
HERE = "http://127.0.0.1"
"""Without keys, the service answers to no other name."""
MODEL_ID = "test/echo"


def chat(custom_id: str = "r-1", content: Any = "Hello", **fields: Any) -> dict[str, Any]:
    """A chat request in OpenAI's batch format; ``fields`` are added, or removed with ``...``."""
    request = {
        "custom_id": custom_id,
        "method": "POST",
        "url": CHAT,
        "body": {"messages": [{"role": "user", "content": content}]},
    } | fields
    return {name: value for name, value in request.items() if value is not ...}


def embedding(custom_id: str = "r-1") -> dict[str, Any]:
    return chat(custom_id, url="/v1/embeddings", body={"input": "Hello"})


def chats(count: int) -> list[dict[str, Any]]:
    return [chat(f"r-{i}", f"Question {i}") for i in range(count)]


def jsonl(*requests: Any) -> bytes:
    return b"".join(orjson.dumps(request) + b"\n" for request in requests)


def output_line(custom_id: str = "r-0", text: str = "Yes", **fields: Any) -> dict[str, Any]:
    """A line of OpenAI's batch output."""
    body = {
        "id": f"chatcmpl-{custom_id}",
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2},
    }
    response = {"status_code": 200, "request_id": "req_1", "body": body}
    return {"id": "batch_req_1", "custom_id": custom_id, "response": response, "error": None} | (
        fields
    )


def model_entry(**fields: Any) -> dict[str, Any]:
    """A registry file's content: a model that the fake engine answers for."""
    return {
        "model_id": MODEL_ID,
        "name": "Echo",
        "parameters": 1_000_000,
        "weights": {"path": "/nowhere"},
        "weights_bytes": 2_000_000,
        "memory_gib": 1,
        "license": "Apache-2.0",
        "engine": "fake",
    } | fields


def model(**fields: Any) -> ModelSpec:
    return ModelSpec.model_validate(model_entry(**fields))


def spec(total: int = 100, chunk_rows: int = 10, **model_fields: Any) -> BenchmarkSpec:
    return BenchmarkSpec(
        benchmark_id="bm_test",
        dataset_id="ds_test",
        total=total,
        chunk_rows=chunk_rows,
        model=model(**model_fields),
        sampling=Sampling(),
        task="generate",
    )


def record(row_id: int, **fields: Any) -> Record:
    """A stored result, successful unless ``fields`` say otherwise."""
    text = f"Answer {row_id}"
    values: dict[str, Any] = {
        "row_id": row_id,
        "custom_id": f"r-{row_id}",
        "request_id": f"cmpl-{row_id}",
        "status_code": 200,
        "body": orjson.dumps({"choices": [{"message": {"content": text}}]}).decode(),
        "error": None,
        "text": text,
        "finish_reason": "stop",
        "prompt_tokens": 5,
        "cached_tokens": 0,
        "output_tokens": 7,
        "latency_ms": 1000.0,
        "ttft_ms": 100.0,
        "itl_ms": 10.0,
        "queue_ms": 1.0,
        "finished_at": time.time(),
        "replica": "test",
    }
    return Record(**(values | fields))  # type: ignore[typeddict-item]
