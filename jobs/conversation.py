"""What was asked, as messages of text: for judges and for training files. Pure."""

from typing import Any, cast

from jobs.schemas.requests import Endpoint

Message = dict[str, str]


def messages(url: str, body: dict[str, Any]) -> list[Message] | None:
    """The conversation of a request as ``role`` and ``content``; none where it holds more than
    text (images, tool calls, several prompts)."""
    if url == Endpoint.CHAT:
        found = [_message(one) for one in cast(list[Any], body.get("messages") or [])]
        return None if None in found or not found else cast(list[Message], found)
    prompt = body.get("prompt")
    return [{"role": "user", "content": prompt}] if isinstance(prompt, str) else None


def _message(message: Any) -> Message | None:
    if not isinstance(message, dict):
        return None
    given = cast(dict[str, Any], message)
    content = given.get("content")
    if given.get("tool_calls") or not isinstance(given.get("role"), str):
        return None
    if isinstance(content, list):
        pieces = cast(list[Any], content)
        texts = [one.get("text") if isinstance(one, dict) else None for one in pieces]
        if not all(isinstance(text, str) for text in texts):
            return None
        content = "\n".join(cast(list[str], texts))
    return {"role": given["role"], "content": content} if isinstance(content, str) else None
