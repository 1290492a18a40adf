"""What is read of a response's body, and so has to be as OpenAI's API has it.

vLLM's bodies are; those of other services and of files are checked before they are taken.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, StrictInt, StrictStr, ValidationError

from jobs.schemas.requests import Endpoint


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _PromptTokens(_Lenient):
    cached_tokens: StrictInt | None = None


class _Usage(_Lenient):
    prompt_tokens: StrictInt | None = None
    completion_tokens: StrictInt | None = None
    prompt_tokens_details: _PromptTokens | None = None


class _Metrics(_Lenient):
    """vLLM's own figures."""

    time_to_first_token_ms: float | None = None
    generation_time_ms: float | None = None
    queue_time_ms: float | None = None
    mean_itl_ms: float | None = None


class _Message(_Lenient):
    content: StrictStr | None = None
    tool_calls: list[Any] | None = None


class _Choice(_Lenient):
    message: _Message | None = None
    text: StrictStr | None = None
    finish_reason: StrictStr | None = None


class _Body(_Lenient):
    id: StrictStr | None = None
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    metrics: _Metrics | None = None


def problem(body: object) -> tuple[str, str] | None:
    """The first field that is not as it should be, and why; none when all are."""
    try:
        _Body.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        return ".".join(str(part) for part in first["loc"]), first["msg"]
    return None


def of_text(url: str, text: str) -> dict[str, Any]:
    """A body that says ``text``, for a result of which no more is known."""
    choice: dict[str, Any] = {"index": 0, "finish_reason": None}
    if url == Endpoint.COMPLETIONS:
        return {"object": "text_completion", "choices": [choice | {"text": text}]}
    message = {"role": "assistant", "content": text}
    return {"object": "chat.completion", "choices": [choice | {"message": message}]}
