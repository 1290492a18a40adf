"""Values that a parser changes silently are found; all others come back as they were."""

import json
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobs import losses
from jobs.losses import Loss


def code(text: str) -> str | None:
    try:
        losses.check(text)
    except Loss as loss:
        return loss.code
    return None


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        '{"a":1,"a":1}',
        r'{"a":1,"\u0061":2}',
        '[{"b":{"a":1,"c":2,"a":3}}]',
        '{"":1,"":2}',
    ],
)
def test_a_repeated_key_is_found_at_any_depth(text: str) -> None:
    assert code(text) == "duplicate_key"


@pytest.mark.parametrize("text", ['{"a":1,"A":2}', '[{"a":1},{"a":2}]', '{"é":1,"e\u0301":2}'])
def test_keys_that_only_look_alike_are_two(text: str) -> None:
    assert code(text) is None


@pytest.mark.parametrize(
    "number",
    [
        str(2**64),
        str(-(2**63) - 1),
        "123456789012345678901234567890",
        "9" * 100_000,
        "-" + "9" * 5000,
        "0.1000000000000000055511151231257899",
        "3.14159265358979323846",
        "1e-400",
        "1e-99999999999999999999",
        "2.5e-324",
        "12345678901234567.8",
        "0." + "1" * 5000,
        "10000000000000000000000000",
    ],
)
def test_a_number_that_would_be_changed_is_found(number: str) -> None:
    assert code(f'{{"a":[{number}]}}') == "number_not_kept"


@pytest.mark.parametrize(
    "number",
    [
        *("0", "-0", "1", "-1", str(2**64 - 1), str(-(2**63))),
        *("0.7", "1.0", "1.10", "-0.0", "1e5", "1E+05"),
        *("5e-324", "4.9e-324", "1.7976931348623157e308"),
        *("0.1", "0.30000000000000004", "0.10000000000000001", "0.5000000000000000000000000000"),
        "0.1000000000000000055511151231257827",  # the double that is nearest to 0.1, in full
        *("1e22", "0e999", "3.141592653589793", "100.000000000000000000"),
    ],
)
def test_a_number_that_is_kept_is_accepted(number: str) -> None:
    assert code(f"[{number}]") is None


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(2.0**-24)
def test_every_double_is_accepted_as_usual_writers_write_it(value: float) -> None:
    for text in (repr(value), f"{value:.17g}", json.dumps(value), orjson.dumps(value).decode()):
        assert code(f"[{text}]") is None


@given(st.integers())
def test_an_integer_is_accepted_if_orjson_keeps_it(value: int) -> None:
    kept = orjson.loads(str(value))
    assert (code(str(value)) is None) == (kept == value and isinstance(kept, int))


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=None).map(str)
    | st.from_regex(r"-?(0|[1-9][0-9]{0,30})\.[0-9]{1,30}([eE][+-]?[0-9]{1,3})?", fullmatch=True)
)
def test_what_is_accepted_denotes_its_double(text: str) -> None:
    """It is the number that the double gives with as many digits, or in its shortest text."""
    try:
        parsed: Any = orjson.loads(text)
    except orjson.JSONDecodeError:  # beyond every double: refused as no JSON
        return
    if code(text) is None:
        digits = len(Decimal(text).as_tuple().digits)
        written = f"{parsed:.{digits - 1}e}", repr(parsed)
        assert Decimal(text) in map(Decimal, written)
