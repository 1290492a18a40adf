"""Every value of the corpus is stored as it was sent, or its line is refused."""

import json
from typing import Any

import orjson
import pytest
from broken_json import BROKEN, DOUBTFUL, KEPT
from factories import chat, jsonl

from jobs.lines import BadLine, judge

LIMIT = 10**6


def inside(value: bytes, place: str) -> bytes:
    """A line that is right but for ``value``: in a prompt's content, or beside the body."""
    request = chat(content="@") if place == "content" else chat(metadata="@")
    return jsonl(request).rstrip().replace(b'"@"', value)


def stored(line: bytes, place: str) -> Any:
    accepted = judge(line, 2, LIMIT)
    assert accepted is not None
    if place == "content":
        return orjson.loads(accepted.body)["messages"][0]["content"]
    return orjson.loads(accepted.extra or "")["metadata"]


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types all the way down: ``1``, ``1.0`` and ``True`` are three."""
    return repr(one) == repr(other)


PLACES = pytest.mark.parametrize("place", ["content", "metadata"])


@PLACES
@pytest.mark.parametrize("name", KEPT)
def test_what_is_json_is_kept(name: str, place: str) -> None:
    assert same(stored(inside(KEPT[name], place), place), json.loads(KEPT[name]))


@PLACES
@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_json_is_refused(name: str, place: str) -> None:
    with pytest.raises(BadLine) as caught:
        judge(inside(BROKEN[name], place), 2, LIMIT)
    code, _, message = caught.value.problems[0]
    assert code in ("invalid_json", "not_utf8", "nul_byte")
    assert message


@PLACES
@pytest.mark.parametrize("name", DOUBTFUL)
def test_what_parsers_make_something_else_of_is_refused(name: str, place: str) -> None:
    line = inside(DOUBTFUL[name], place)
    with pytest.raises(BadLine) as caught:
        judge(line, 2, LIMIT)
    codes = {code for code, _, _ in caught.value.problems}
    assert codes <= {"duplicate_key", "number_not_kept", "too_deep", "invalid_json"}


@pytest.mark.parametrize("name", [*BROKEN, *KEPT, *DOUBTFUL])
def test_none_of_them_is_a_request_by_itself(name: str) -> None:
    value = {**BROKEN, **KEPT, **DOUBTFUL}[name]
    if not value.strip():
        assert judge(value, 2, LIMIT) is None
        return
    with pytest.raises(BadLine):
        judge(value, 2, LIMIT)
