"""Cursors: where a page of results ended, so that the next begins there whatever came meanwhile.

Clients take them as opaque. One holds the sort key and the row id of the last result, and a digest
of what was asked, so that it cannot go on in another list.
"""

import base64
import hashlib
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jobs.analysis import Order, ResultFilter, Sort
from jobs.errors import InvalidRequest


class Cursor(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    of: str
    key: int | float | str | None
    row_id: int = Field(ge=0, le=2**53)


def encode(cursor: Cursor) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(cursor.model_dump())).decode().rstrip("=")


def decode(text: str, of: str, sort: Sort) -> Cursor:
    """The cursor in ``text``, which must be of the list ``of``.

    Raises:
        InvalidRequest: it is none, or of another list.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        cursor = Cursor.model_validate_json(data)
        if cursor.key is not None and isinstance(cursor.key, str) != (sort is Sort.CUSTOM_ID):
            raise ValueError("the key is of another type than the column")
    except (ValueError, ValidationError):
        raise InvalidRequest(
            "invalid_cursor", "`cursor` is not one: take it from `next_cursor` as it is."
        ) from None
    if cursor.of != of:
        raise InvalidRequest(
            "invalid_cursor",
            "`cursor` is of another list: keep filter, sort and order, or begin without a cursor.",
        )
    return cursor


def digest(benchmark_id: str, only: ResultFilter, sort: Sort, order: Order) -> str:
    """Names a list of results."""
    asked = orjson.dumps([benchmark_id, only.model_dump(), sort, order])
    return hashlib.sha256(asked).hexdigest()[:16]


def after(cursor: Cursor, sort: str, order: Order) -> tuple[str, dict[str, Any]]:
    """What comes after it in the order of a page: by ``sort``, nulls last, then by row id."""
    if cursor.key is None:
        return f"{sort} IS NULL AND row_id > $after_row", {"after_row": cursor.row_id}
    beyond = ">" if order == "asc" else "<"
    condition = (
        f"({sort} {beyond} $after_key OR {sort} IS NULL "
        f"OR ({sort} = $after_key AND row_id > $after_row))"
    )
    return condition, {"after_key": cursor.key, "after_row": cursor.row_id}
