"""What each grader says of an answer, and what it says when it cannot tell."""

import time
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from rapidfuzz import fuzz

from jobs.errors import InvalidRequest
from jobs.grading import Answer, compiled, normal, numbers
from jobs.schemas.results import Score
from jobs.scoring import GraderSpec

_SPEC: TypeAdapter[Any] = TypeAdapter(GraderSpec)


def graded(spec: dict[str, Any], text: str | None, status: int = 200, **line: Any) -> Score:
    return compiled(_SPEC.validate_python(spec))(Answer(text, status, line))


@pytest.mark.parametrize(
    ("spec", "text", "expected", "value"),
    [
        ({"kind": "exact"}, "Yes", "Yes", 1),
        ({"kind": "exact"}, "Yes ", "Yes", 0),
        ({"kind": "exact"}, "5", 5, 1),
        ({"kind": "exact"}, "true", True, 1),
        ({"kind": "exact"}, "b", ["a", "b"], 1),
        ({"kind": "normalized"}, " YES!\n", "yes", 1),
        ({"kind": "normalized"}, "U.S.A.", "u s a", 1),
        ({"kind": "normalized"}, "Ärger—später", "ärger später", 1),
        ({"kind": "normalized"}, "हिन्दी", "हिनदी", 0),
        ({"kind": "normalized"}, "yes, no", "yes", 0),
        ({"kind": "contains"}, "It is Paris, of course.", "PARIS", 1),
        ({"kind": "contains", "ignore_case": False}, "It is Paris.", "PARIS", 0),
        ({"kind": "regex"}, "order 4711 shipped", r"order \d{4}", 1),
        ({"kind": "regex", "pattern": "^yes"}, "yes it is", None, 1),
        ({"kind": "regex", "pattern": "^yes"}, "Yes it is", None, 0),
        ({"kind": "regex", "pattern": "^yes", "ignore_case": True}, "Yes it is", None, 1),
        ({"kind": "numeric"}, "2 + 3 makes 5.", 5, 1),
        ({"kind": "numeric", "take": "first"}, "2 + 3 makes 5.", 5, 0),
        ({"kind": "numeric", "take": "only"}, "2 + 3 makes 5.", 5, 0),
        ({"kind": "numeric", "take": "only"}, "5, I mean 5", "5", 1),
        ({"kind": "numeric"}, "That is $1,234.50", "1234.5", 1),
        ({"kind": "numeric"}, "3.14", 3.14159, 0),
        ({"kind": "numeric", "absolute": 0.01}, "3.14", 3.14159, 1),
        ({"kind": "numeric", "relative": 0.1}, "91", 100, 1),
        ({"kind": "numeric", "relative": 0.1}, "89", 100, 0),
        ({"kind": "numeric"}, "I do not know", 5, 0),
        ({"kind": "json_valid"}, '{"a": 1}', None, 1),
        ({"kind": "json_valid"}, '{"a": 1', None, 0),
        ({"kind": "json_valid"}, '```json\n{"a": 1}\n```', None, 0),
        ({"kind": "json_valid", "fenced": True}, '```json\n{"a": 1}\n```', None, 1),
        ({"kind": "similarity"}, "abc", "abc", 1),
        ({"kind": "similarity", "method": "words"}, "b a", "a b", 1),
    ],
)
def test_a_score(spec: dict[str, Any], text: str, expected: Any, value: float) -> None:
    found = graded(spec, text, expected=expected)
    assert (found.value, found.error) == (value, None)


def test_a_schema_says_where_the_answer_breaks_it() -> None:
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    spec = {"kind": "json_schema", "json_schema": schema}
    assert graded(spec, '{"age": 3}').value == 1
    wrong = graded(spec, '{"age": "three"}')
    assert wrong.value == 0
    assert wrong.note == 'age: "three" is not of type "integer"'
    assert graded(spec, "[").note is not None


def test_similarity_is_rapidfuzzs() -> None:
    found = graded({"kind": "similarity"}, "a good candidat", expected="the good candidate")
    assert found.value == pytest.approx(fuzz.ratio("a good candidat", "the good candidate") / 100)


def test_another_field_of_the_line() -> None:
    spec = {"kind": "exact", "field": "metadata.answer"}
    assert graded(spec, "x", metadata={"answer": "x"}).value == 1


@pytest.mark.parametrize(
    ("spec", "text", "status", "line", "said"),
    [
        ({"kind": "exact"}, "x", 200, {}, "The line has no `expected`."),
        ({"kind": "exact", "field": "a.b"}, "x", 200, {"a": 1}, "The line has no `a.b`."),
        ({"kind": "exact"}, "x", 200, {"expected": {"a": 1}}, '`expected` is {"a":1}'),
        ({"kind": "exact"}, "x", 200, {"expected": []}, "`expected` is []"),
        ({"kind": "exact"}, None, 200, {"expected": "x"}, "The answer has no text."),
        ({"kind": "exact"}, "too long", 400, {"expected": "x"}, "failed with status 400"),
        ({"kind": "numeric"}, "5", 200, {"expected": "many"}, "not one number"),
        ({"kind": "regex"}, "5", 200, {"expected": "("}, "not a pattern of RE2"),
        ({"kind": "similarity"}, "x" * 100_001, 200, {"expected": "x"}, "100,000 characters"),
    ],
)
def test_a_row_that_cannot_be_graded_says_why(
    spec: dict[str, Any], text: str | None, status: int, line: dict[str, Any], said: str
) -> None:
    found = graded(spec, text, status, **line)
    assert found.value is None
    assert found.error is not None
    assert said in found.error


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "regex", "pattern": "(?=x)"},
        {"kind": "regex", "pattern": "("},
        {"kind": "json_schema", "json_schema": {"type": "objekt"}},
        {"kind": "json_schema", "json_schema": {"pattern": "(?=x)"}},
        {"kind": "json_schema", "json_schema": {"$ref": "http://127.0.0.1:1/schema"}},
        {"kind": "json_schema", "json_schema": {"$ref": "file:///etc/passwd"}},
    ],
)
def test_a_grader_that_cannot_work_is_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        compiled(_SPEC.validate_python(spec))


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "unknown"},
        {"kind": "exact", "pattern": "x"},
        {"kind": "numeric", "absolute": -1},
        {"kind": "numeric", "absolute": float("nan")},
    ],
)
def test_a_specification_that_is_none(spec: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _SPEC.validate_python(spec)


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "regex", "pattern": "^(a+)+$"},
        {"kind": "json_schema", "json_schema": {"type": "string", "pattern": "^(a+)+$"}},
        {"kind": "json_schema", "json_schema": {"patternProperties": {"^(a+)+$": {}}}},
    ],
)
def test_no_pattern_takes_for_ever(spec: dict[str, Any]) -> None:
    """Python's own engine would take longer than the universe has."""
    evil = "a" * 5000 + "!"
    text = {"regex": evil, "json_schema": f'"{evil}"'}[spec["kind"]]
    if "patternProperties" in str(spec):
        text = f'{{"{evil}": 1}}'
    began = time.process_time()
    graded(spec, text)
    assert time.process_time() - began < 30


def test_numbers() -> None:
    said = "It is $1,234.50 or 3-5, -7 x9 .5 1e3 −2 10. (12) 1,2"
    assert numbers(said) == [1234.5, 3, 5, -7, 0.5, 1000, -2, 10, 12, 1, 2]
    assert numbers("9" * 5000) == []


def test_normal() -> None:
    assert normal("  The  Answer: “Yes”!\n") == "the answer yes"


def test_a_version_is_of_what_a_grader_does() -> None:
    one, same, other = (
        _SPEC.validate_python(spec)
        for spec in (
            {"kind": "contains"},
            {"kind": "contains", "ignore_case": True},
            {"kind": "contains", "ignore_case": False},
        )
    )
    assert one.version == same.version != other.version
