"""The fake engine, which stands in for vLLM in load and fault tests."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
from factories import CHAT, model, spec

from jobs import engine
from jobs.engine import Answer, FakeEngine
from jobs.replica import prepare
from jobs.schemas.memory import MemoryTaken

HELLO = {"messages": [{"role": "user", "content": "Hello there"}]}


async def ask(body: dict[str, Any], url: str = CHAT, **engine_args: Any) -> Answer:
    fake = FakeEngine(model(engine_args=engine_args))
    await fake.start()
    answer = await fake.send(url, body)
    assert not fake.dead
    await fake.stop()
    return answer


def test_a_model_says_which_engine_it_is_for() -> None:
    assert isinstance(engine.create(spec(), on_gpu=False), FakeEngine)
    assert isinstance(engine.create(spec(engine="vllm"), on_gpu=False), engine.VllmEngine)


async def test_an_answer_has_the_shape_of_openai_and_says_that_it_is_fake() -> None:
    answer = await ask(HELLO, output_tokens=5)
    assert answer.status_code == 200
    (choice,) = answer.body["choices"]
    assert choice["message"]["content"].startswith("fake ")
    assert choice["finish_reason"] == "stop"
    assert answer.body["usage"]["completion_tokens"] == 5
    assert answer.body["model"] == "test/echo"


async def test_a_completion_has_text() -> None:
    answer = await ask({"prompt": "Once"}, url="/v1/completions")
    assert answer.body["choices"][0]["text"].startswith("fake ")


async def test_the_same_request_gets_the_same_answer_and_another_another() -> None:
    first, again = await ask(HELLO), await ask(HELLO)
    other = await ask({"messages": [{"role": "user", "content": "Other"}]})
    assert first.body["choices"] == again.body["choices"]
    assert first.body["choices"] != other.body["choices"]


async def test_a_request_can_ask_to_be_rejected() -> None:
    answer = await ask({"messages": [{"role": "user", "content": "please fake:error now"}]})
    assert answer.status_code == 400
    assert answer.body["error"]["code"] == 400


@pytest.mark.parametrize(("asked", "tokens"), [(3, 3), (100, 16), (None, 16)])
async def test_the_limit_of_a_request_holds(asked: int | None, tokens: int) -> None:
    answer = await ask(HELLO | {"max_tokens": asked})
    assert answer.body["usage"]["completion_tokens"] == tokens


async def test_the_limit_of_a_benchmark_holds() -> None:
    answer = await ask(prepare(CHAT, dict(HELLO), {"max_tokens": 3}))
    assert answer.body["usage"]["completion_tokens"] == 3


async def test_it_takes_the_time_that_it_is_told_to() -> None:
    started = time.monotonic()
    await ask(HELLO, load_seconds=0.1, request_seconds=0.1)
    assert time.monotonic() - started >= 0.2


def test_what_workers_and_cache_say_is_one_record() -> None:
    reports = [
        {"weights_bytes": 10, "consumed_bytes": 13, "activation_bytes": 4, "kv_cache_bytes": 90},
        {"weights_bytes": 11, "consumed_bytes": 12, "process_bytes": 5},
    ]
    cache = SimpleNamespace(num_gpu_blocks=7, block_size=16, kv_cache_size_tokens=112)
    assert engine.taken(reports, cache) == MemoryTaken(
        weights_bytes=11,
        overhead_bytes=2 + 4,
        process_bytes=5,
        kv_cache_bytes=90,
        kv_cache_blocks=7,
        block_tokens=16,
        kv_cache_tokens=112,
    )
    # On CPU, and of another version of vLLM.
    assert engine.taken([{"process_bytes": 5}], object()) == MemoryTaken(process_bytes=5)
