"""What holds of any bytes: judging them never crashes."""

from typing import Any
from unittest.mock import patch

import orjson
import pytest
from factories import chat, jsonl
from hypothesis import given
from hypothesis import strategies as st

from jobs import lines
from jobs.lines import Accepted, BadLine, judge
from jobs.schemas.requests import LineError

NO_LIMIT = 10**9
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
FIELDS = ("custom_id", "method", "url", "body", "messages", "prompt", "input", "expected")


def judged(line: bytes, number: int = 1) -> Accepted | None:
    """Any error other than :class:`BadLine` fails the test that calls this."""
    try:
        return judge(line, number, NO_LIMIT)
    except BadLine:
        return None


def judgement(line: bytes, number: int) -> Accepted | list[LineError] | None:
    try:
        return judge(line, number, NO_LIMIT)
    except BadLine as bad:
        return bad.errors(number, line)


@given(st.binary(), st.integers(1, 3))
def test_arbitrary_bytes_never_crash_the_judge(line: bytes, number: int) -> None:
    judged(line, number)


@given(json_values)
def test_arbitrary_json_never_crashes_the_judge(value: Any) -> None:
    judged(dumped(value))


@given(st.dictionaries(st.sampled_from(FIELDS), json_values))
def test_arbitrary_fields_never_crash_the_judge(record: dict[str, Any]) -> None:
    judged(dumped(record))


@given(st.fixed_dictionaries({"role": st.text()}, optional={"content": json_values}))
def test_any_message_is_accepted_and_comes_back_the_same(message: dict[str, Any]) -> None:
    line = dumped(chat(body={"messages": [message]}))
    accepted = judged(line)
    if accepted is not None:
        assert orjson.loads(accepted.body) == orjson.loads(line)["body"]


oddities = st.none() | st.integers() | st.floats(allow_nan=False) | st.just([]) | st.just({})
odd_texts = st.text(max_size=5) | st.sampled_from(["x" * 600, " ", "\u200b"])


def mostly(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """So that requests are often right as a whole, and often wrong in one place."""
    odd = odd_texts | oddities
    return st.integers(0, 20).flatmap(lambda drawn: odd if drawn == 0 else right)


texts = mostly(st.sampled_from(["user", "How are you?", "ça va", 'say "hi"\n']))
messages = st.fixed_dictionaries({"role": texts, "content": texts})
bodies = st.fixed_dictionaries(
    {
        "messages": mostly(st.lists(messages, min_size=1, max_size=3)),
        "prompt": texts,
        "input": texts,
    },
    optional={"model": texts, "temperature": mostly(st.floats(0, 2)), "seed": st.integers()},
)
urls = ["/v1/chat/completions", "/v1/completions", "/v1/embeddings"]
requests = st.fixed_dictionaries(
    {
        "custom_id": texts,
        "method": mostly(st.just("POST")),
        "url": mostly(st.sampled_from(urls)),
        "body": mostly(bodies),
    },
    optional={"expected": texts, "metadata": json_values},
)


@given(requests, st.sampled_from([b"", b" ", b"\r", b",", b"}"]), st.integers(1, 2))
def test_both_parsers_say_the_same_of_a_line(
    request: dict[str, Any], end: bytes, number: int
) -> None:
    line = dumped(request) + end
    at_once = judgement(line, number)
    with patch.object(lines, "_read", side_effect=ValueError):
        assert judgement(line, number) == at_once


@pytest.mark.parametrize("depth", [200, 300, 1000, 2000, 100_000])
@pytest.mark.parametrize("field", ["custom_id", "method", "url", "body", "metadata"])
def test_deep_nesting_never_crashes_the_judge(field: str, depth: int) -> None:
    deep = b"[" * depth + b"]" * depth
    value = b'{"messages":[{"role":"user","content":' + deep + b"}]}" if field == "body" else deep
    judged(jsonl(chat(**{field: "@"})).replace(b'"@"', value))


def dumped(value: Any) -> bytes:
    """As JSON, or as bytes that are none where Python's value has no JSON."""
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return repr(value).encode("utf-8", "surrogatepass")
