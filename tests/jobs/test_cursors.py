"""Pages of lists by the last item seen."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from cluster.database import session
from jobs import cursors
from jobs.cursors import Order
from jobs.errors import InvalidParameter
from jobs.models import FileRow

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def ids(database: str) -> list[str]:
    """Ids of files, oldest first; three were created in the same moment."""
    made = [("c", 0), ("a", 1), ("b", 1), ("d", 1), ("e", 2)]
    with session() as sql:
        for name, second in made:
            sql.add(
                FileRow(
                    id=name,
                    purpose="batch",
                    filename="f",
                    bytes=1,
                    created_at=NOW + timedelta(seconds=second),
                    key="k",
                )
            )
    return [name for name, _ in made]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_follow_one_another(ids: list[str], limit: int, order: Order) -> None:
    seen: list[str] = []
    more = True
    while more:
        with session() as sql:
            after = seen[-1] if seen else None
            rows, more = cursors.cut(sql, select(FileRow), FileRow, limit, after, order)
        assert 0 < len(rows) <= limit
        seen += [row.id for row in rows]
    assert seen == (ids if order == "asc" else ids[::-1])


def test_after_the_last_there_is_nothing(ids: list[str]) -> None:
    with session() as sql:
        assert cursors.cut(sql, select(FileRow), FileRow, 5, "c") == ([], False)


def test_an_item_that_never_was(ids: list[str]) -> None:
    with session() as sql, pytest.raises(InvalidParameter) as caught:
        cursors.cut(sql, select(FileRow), FileRow, 5, "none")
    assert caught.value.details == {"param": "after"}


@pytest.mark.parametrize(
    ("value", "code"), [(0, "integer_below_min_value"), (11, "integer_above_max_value")]
)
def test_a_value_out_of_bounds(value: int, code: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        cursors.check_bounds("limit", value, 1, 10)
    assert (caught.value.code, caught.value.status) == (code, 400)


@pytest.mark.parametrize("value", [1, 10])
def test_a_value_within_bounds(value: int) -> None:
    cursors.check_bounds("limit", value, 1, 10)
