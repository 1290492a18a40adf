"""Marks: what people found about results, with an edited response and a note. One a result."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from cluster.database import session
from jobs import benchmarks
from jobs.models import MarkRow
from jobs.schemas.marks import Mark, Marking, MarkKind, MarkList


def kinds(benchmark_id: str) -> dict[int, MarkKind]:
    """The kind of each mark on a benchmark's results, by row id, in their order."""
    query = select(MarkRow.row_id, MarkRow.kind).where(MarkRow.benchmark_id == benchmark_id)
    with session() as sql:
        found = sql.execute(query.order_by(MarkRow.row_id)).all()
    return {row_id: MarkKind(kind) for row_id, kind in found}


def of(benchmark_id: str, row_ids: Iterable[int]) -> dict[int, Mark]:
    """The marks on some results, by row id."""
    if not (wanted := list(row_ids)):
        return {}
    query = select(MarkRow).where(MarkRow.benchmark_id == benchmark_id)
    with session() as sql:
        found = sql.scalars(query.where(MarkRow.row_id.in_(wanted))).all()
    return {row.row_id: _record(row) for row in found}


def page(benchmark_id: str, limit: int, offset: int, kind: MarkKind | None = None) -> MarkList:
    """Marks on a benchmark's results in their order.

    Raises:
        NotFound: no such benchmark.
    """
    query = select(MarkRow).where(MarkRow.benchmark_id == benchmark_id)
    if kind is not None:
        query = query.where(MarkRow.kind == kind.value)
    with session() as sql:
        benchmarks.row(sql, benchmark_id)
        found = sql.scalars(query.order_by(MarkRow.row_id).limit(limit).offset(offset)).all()
        total = sql.scalar(select(func.count()).select_from(query.subquery()))
    return MarkList(marks=[_record(row) for row in found], total=total or 0)


def put(benchmark_id: str, row_id: int, marking: Marking, author: str | None) -> Mark:
    """Mark a result, which the caller has seen to exist, in place of an earlier mark.

    Raises:
        NotFound: no such benchmark.
    """
    try:
        return _put(benchmark_id, row_id, marking, author)
    except IntegrityError:
        # Somebody else marked it in this moment; the later of the two stays. Or the benchmark was
        # deleted, and this says so.
        return _put(benchmark_id, row_id, marking, author)


def _put(benchmark_id: str, row_id: int, marking: Marking, author: str | None) -> Mark:
    now = datetime.now(UTC)
    with session() as sql:
        benchmarks.row(sql, benchmark_id)
        row = sql.get(MarkRow, (benchmark_id, row_id))
        if row is None:
            row = MarkRow(benchmark_id=benchmark_id, row_id=row_id, created_at=now)
            sql.add(row)
        row.kind = marking.kind.value
        row.response, row.note = marking.response or None, marking.note or None
        row.author, row.updated_at = author, now
    return _record(row)


def remove(benchmark_id: str, row_id: int, kind: MarkKind | None = None) -> None:
    """Take a mark away, or only one of ``kind``. Repeating it changes nothing.

    Raises:
        NotFound: no such benchmark.
    """
    query = delete(MarkRow).where(MarkRow.benchmark_id == benchmark_id, MarkRow.row_id == row_id)
    if kind is not None:
        query = query.where(MarkRow.kind == kind.value)
    with session() as sql:
        benchmarks.row(sql, benchmark_id)
        sql.execute(query)


def _record(row: MarkRow) -> Mark:
    return Mark(
        benchmark_id=row.benchmark_id,
        row_id=row.row_id,
        kind=MarkKind(row.kind),
        response=row.response,
        note=row.note,
        author=row.author,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
