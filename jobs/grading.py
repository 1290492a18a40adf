"""What each grader does with one answer. Pure: no storage, no Ray, no SQL."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, assert_never, cast

import jsonschema_rs
import orjson
import re2
import regex
from rapidfuzz import fuzz

from jobs.errors import InvalidRequest
from jobs.schemas.results import Score
from jobs.scoring import (
    Contains,
    Exact,
    GraderSpec,
    JsonSchema,
    JsonValid,
    Judge,
    Normalized,
    Numeric,
    Regex,
    Similarity,
)

# Our own patterns are safe in any engine; RE2's binding for Python is slow at many matches.
_NOT_WORDS = regex.compile(r"[^\p{L}\p{N}\p{M}]+")
# A sign counts where no word stands before it, so that "3-5" is 3 and 5.
_NUMBER = regex.compile(
    r"(?:^|[^\p{L}\p{N}_.])"
    r"((?:[-+−]?(?:[0-9]{1,3}(?:,[0-9]{3})++|[0-9]++)(?:\.[0-9]+)?|[-+−]?\.[0-9]+)"
    r"(?:[eE][-+]?[0-9]+)?)"
)
_FENCED = re2.compile(r"(?s)^\s*```[a-zA-Z]*\s*\n(.*?)\n?\s*```\s*$")
# rapidfuzz's time grows with the product of the lengths: 0.3 s for two of this length.
_MOST_CHARACTERS = 100_000

Line = dict[str, Any]
Grade = Callable[[str, Line], Score]
"""Grades a text, given the fields of its line beside the request itself."""


class CannotGrade(Exception):
    """This row cannot be graded, for a reason that the row's score will tell."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is graded of one result."""

    text: str | None
    status_code: int
    line: Line | None
    """The line's other fields; none when the dataset is gone."""


def compiled(spec: GraderSpec) -> Callable[[Answer], Score]:
    """The grader as a function that never raises for what an answer or a line contains.

    Raises:
        InvalidRequest: the specification has a pattern or a schema that is none.
    """
    grade = _function(spec)

    def whole(answer: Answer) -> Score:
        try:
            return grade(_text(answer), answer.line or {})
        except CannotGrade as reason:
            return Score(value=None, error=str(reason), note=None)

    return whole


def normal(text: str) -> str:
    """Lower case, with one space for whatever is no letter, digit or mark."""
    return _NOT_WORDS.sub(" ", text.lower()).strip()


def numbers(text: str) -> list[float]:
    """The numbers in a text, in order; thousands may be parted by commas."""
    found = [float(one.replace(",", "").replace("−", "-")) for one in _NUMBER.findall(text)]
    return [one for one in found if math.isfinite(one)]


def _function(spec: GraderSpec) -> Grade:
    match spec:
        case Exact():
            return lambda text, line: _right(text in _texts(line, spec.field))
        case Normalized():
            return lambda text, line: _right(
                normal(text) in [normal(one) for one in _texts(line, spec.field)]
            )
        case Contains():
            return _contains(spec)
        case Regex():
            return _regex(spec)
        case Numeric():
            return _numeric(spec)
        case JsonValid():
            return lambda text, _: _json_score(text, spec.fenced, lambda _: None)
        case JsonSchema():
            conforms = _conforms(spec.json_schema)
            return lambda text, _: _json_score(text, spec.fenced, conforms)
        case Similarity():
            return _similarity(spec)
        case Judge():
            raise TypeError("a judge is run as a benchmark, see jobs.judges")
        case _:
            assert_never(spec)


def _contains(spec: Contains) -> Grade:
    def grade(text: str, line: Line) -> Score:
        expected = _texts(line, spec.field)
        if spec.ignore_case:
            text, expected = text.lower(), [one.lower() for one in expected]
        return _right(any(one in text for one in expected))

    return grade


def _regex(spec: Regex) -> Grade:
    if spec.pattern is not None:
        try:
            fixed = _pattern(spec.pattern, spec.ignore_case)
        except CannotGrade as reason:
            raise InvalidRequest("invalid_pattern", str(reason)) from None
        return lambda text, _: _right(fixed.search(text) is not None)

    def grade(text: str, line: Line) -> Score:
        patterns = [_pattern(one, spec.ignore_case) for one in _texts(line, spec.field)]
        return _right(any(one.search(text) is not None for one in patterns))

    return grade


def _pattern(pattern: str, ignore_case: bool) -> Any:
    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        why = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise CannotGrade(f"{pattern!r} is not a pattern of RE2: {why}.") from None


def _numeric(spec: Numeric) -> Grade:
    def grade(text: str, line: Line) -> Score:
        expected = [_number(one, spec.field) for one in _texts(line, spec.field)]
        found = numbers(text)
        if not found:
            return Score(value=0.0, error=None, note="no number in the answer")
        if spec.take == "only" and len(set(found)) > 1:
            return Score(value=0.0, error=None, note="several numbers in the answer")
        taken = found[0] if spec.take == "first" else found[-1]
        close = (
            math.isclose(taken, one, abs_tol=spec.absolute, rel_tol=0)
            or abs(taken - one) <= spec.relative * abs(one)
            for one in expected
        )
        return Score(value=float(any(close)), error=None, note=f"{taken:g}")

    return grade


def _number(text: str, field: str) -> float:
    found = numbers(text)
    if len(found) != 1:
        raise CannotGrade(f"The line's `{field}` is {_short(text)}, which is not one number.")
    return found[0]


def _json_score(text: str, fenced: bool, problem: Callable[[Any], str | None]) -> Score:
    inside = _FENCED.search(text) if fenced else None
    try:
        value = orjson.loads(text if inside is None else str(inside.group(1)))
    except orjson.JSONDecodeError as error:
        return Score(value=0.0, error=None, note=f"not JSON: {error}")
    wrong = problem(value)
    return Score(value=float(wrong is None), error=None, note=wrong)


def _conforms(schema: dict[str, Any]) -> Callable[[Any], str | None]:
    try:
        validator: Any = jsonschema_rs.validator_for(
            schema, pattern_options=jsonschema_rs.RegexOptions(), offline=True
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        why = str(error).partition("\n")[0]
        raise InvalidRequest("invalid_json_schema", f"Not a JSON Schema: {why}") from None

    def problem(value: Any) -> str | None:
        first = next(validator.iter_errors(value), None)
        if first is None:
            return None
        where = "/".join(str(step) for step in first.instance_path)
        return f"{where}: {first.message}"[:500] if where else first.message[:500]

    return problem


_RATIOS: dict[str, Callable[[str, str], float]] = {
    "characters": fuzz.ratio,
    "words": fuzz.token_sort_ratio,
    "word_set": fuzz.token_set_ratio,
}


def _similarity(spec: Similarity) -> Grade:
    ratio = _RATIOS[spec.method]

    def grade(text: str, line: Line) -> Score:
        expected = _texts(line, spec.field)
        if max(map(len, [text, *expected])) > _MOST_CHARACTERS:
            raise CannotGrade(f"Texts beyond {_MOST_CHARACTERS:,} characters are not compared.")
        return Score(value=max(ratio(text, one) for one in expected) / 100, error=None, note=None)

    return grade


def _right(it_is: bool) -> Score:
    return Score(value=float(it_is), error=None, note=None)


def _text(answer: Answer) -> str:
    if not 200 <= answer.status_code < 300:
        raise CannotGrade(f"The request failed with status {answer.status_code}.")
    if answer.text is None:
        raise CannotGrade("The answer has no text.")
    return answer.text


def _texts(line: Line, field: str) -> list[str]:
    """The values at ``field`` as texts: a list means that any of its members is right."""
    value: Any = line
    for step in field.split("."):
        if not isinstance(value, dict) or step not in value:
            raise CannotGrade(f"The line has no `{field}`.")
        value = cast(Line, value)[step]
    members: list[Any] = cast(list[Any], value) if isinstance(value, list) else [value]
    if not members or any(one is None or isinstance(one, dict | list) for one in members):
        raise CannotGrade(
            f"The line's `{field}` is {_short(value)}; it must be a text, a number, true or false, "
            "or a list of these."
        )
    return [one if isinstance(one, str) else orjson.dumps(one).decode() for one in members]


def _short(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 80 else f"{text[:80]}…"
