"""Lists of the OpenAI API: pages by the id of the last item seen, and bounds of parameters."""

from typing import Any, Literal, TypeVar

from sqlalchemy import Select, and_, or_
from sqlalchemy.orm import Session

from jobs.errors import InvalidParameter
from jobs.models import BatchRow, FileRow

RowT = TypeVar("RowT", FileRow, BatchRow)
Order = Literal["asc", "desc"]


def cut(
    sql: Session,
    query: Select[RowT],
    table: type[RowT],
    limit: int,
    after: str | None,
    order: Order = "desc",
) -> tuple[list[RowT], bool]:
    """The page of ``query`` that begins after the item ``after``, and whether others follow.

    Items are in the order of their creation, and of their ids where that is the same.

    Raises:
        InvalidParameter: there never was an item ``after``.
    """
    if after is not None:
        last = sql.get(table, after)
        if last is None:
            raise InvalidParameter("invalid_value", f"No such object: {after!r}.", "after")
        query = query.where(_beyond(table, last, order))
    columns = (table.created_at, table.id)
    ordered = [column.asc() if order == "asc" else column.desc() for column in columns]
    rows = sql.scalars(query.order_by(*ordered).limit(limit + 1)).all()
    return list(rows[:limit]), len(rows) > limit


def _beyond(table: type[RowT], last: RowT, order: Order) -> Any:
    same = table.created_at == last.created_at
    if order == "asc":
        return or_(table.created_at > last.created_at, and_(same, table.id > last.id))
    return or_(table.created_at < last.created_at, and_(same, table.id < last.id))


def ends(ids: list[str]) -> tuple[str | None, str | None]:
    """The first and the last id of a page."""
    return (ids[0], ids[-1]) if ids else (None, None)


def check_bounds(param: str, value: int, low: int, high: int) -> None:
    """Raise :class:`InvalidParameter` for an integer out of bounds, as OpenAI says it."""
    if value < low:
        code, which, sign, bound = "integer_below_min_value", "below minimum", ">=", low
    elif value > high:
        code, which, sign, bound = "integer_above_max_value", "above maximum", "<=", high
    else:
        return
    message = (
        f"Invalid '{param}': integer {which} value. "
        f"Expected a value {sign} {bound}, but got {value} instead."
    )
    raise InvalidParameter(code, message, param)
