"""What a JSON parser changes without a word: found by reading a line a second time, exactly.

orjson, like most parsers, keeps the last of two equal keys and turns a number that does not fit
into one that does. A dataset must come back as it was sent, so a line with either is refused.
"""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

import jiter

# What 64 bits hold, signed and unsigned: orjson reads and writes both.
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
_INTEGER_CHARACTERS = len(str(_SMALLEST))
# Fifteen significant digits always survive; the sixteenth character is the point.
_SAFE_CHARACTERS = 16
# No double has more significant digits than this, so what is longer is not exactly one.
_MOST_CHARACTERS = 800
_EXCERPT = 60


class Loss(Exception):
    """Something in the text would be lost; ``code`` names what."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def check(text: str) -> None:
    """Raise :class:`Loss` if ``text``, which is valid JSON, says more than its parsed value.

    Raises:
        Loss: a key occurs twice in one object, or a number is not kept.
        RecursionError: nested deeper than Python reads.
    """
    _DECODER.decode(text)


def kept(number: Any) -> float:
    """For orjson to write a number that jiter left as it is written, if a double keeps it.

    Raises:
        TypeError: it would be changed; :func:`check` says how.
    """
    if isinstance(number, jiter.LosslessFloat):
        value = float(number)
        if _is_kept(str(number), value):
            return value
    raise TypeError


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for index, key in enumerate(keys) if key in keys[:index])
        raise Loss(
            "duplicate_key",
            f"The key {_short(repeated)!r} occurs twice in one object; only one could be kept.",
        )
    return found


def _integer(text: str) -> int:
    # The length first: Python refuses to read thousands of digits.
    if len(text) > _INTEGER_CHARACTERS or not _SMALLEST <= (value := int(text)) <= _LARGEST:
        raise _number(text, "does not fit into 64 bits")
    return value


def _float(text: str) -> float:
    value = float(text)
    if not _is_kept(text, value):
        raise _number(text, "has more digits, or a larger exponent, than a double keeps")
    return value


def _is_kept(text: str, value: float) -> bool:
    """Whether ``value``, written with as many digits as ``text``, is the number of ``text``."""
    if len(text) <= _SAFE_CHARACTERS and "e" not in text and "E" not in text:
        return True
    if len(text) > _MOST_CHARACTERS:
        return False
    try:
        exact = Decimal(text)
        # The shortest text of a double may be one of two that are equally near to it, and the
        # rounding here takes the other.
        written = f"{value:.{len(exact.as_tuple().digits) - 1}e}", repr(value)
        return exact in map(Decimal, written)
    except InvalidOperation:  # an exponent that not even a decimal has
        return False


def _number(text: str, why: str) -> Loss:
    return Loss(
        "number_not_kept",
        f"The number {_short(text)} {why} and would be changed. Round it, or send it as a string.",
    )


def _short(text: str) -> str:
    return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…"


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float)
