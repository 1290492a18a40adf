"""Golden examples: results that a person marked as worth training on."""

from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from cluster.database import session
from jobs import benchmarks
from jobs.analysis import Golden
from jobs.models import GoldenRow


def rows(benchmark_id: str) -> set[int]:
    """Row ids of a benchmark's golden examples."""
    with session() as sql:
        marked = select(GoldenRow.row_id).where(GoldenRow.benchmark_id == benchmark_id)
        return set(sql.scalars(marked))


def mark(benchmark_id: str, row_id: int) -> Golden:
    """Mark a result, which the caller has seen to exist. Repeating it changes nothing."""
    try:
        with session() as sql:
            benchmarks.row(sql, benchmark_id)
            if sql.get(GoldenRow, (benchmark_id, row_id)) is None:
                now = datetime.now(UTC)
                sql.add(GoldenRow(benchmark_id=benchmark_id, row_id=row_id, created_at=now))
    except IntegrityError:
        with session() as sql:
            # Somebody else marked it just now, or the benchmark was deleted, which this says.
            benchmarks.row(sql, benchmark_id)
    return Golden(benchmark_id=benchmark_id, row_id=row_id, golden=True)


def unmark(benchmark_id: str, row_id: int) -> Golden:
    """Take a mark away. Repeating it changes nothing."""
    with session() as sql:
        benchmarks.row(sql, benchmark_id)
        sql.execute(
            delete(GoldenRow).where(
                GoldenRow.benchmark_id == benchmark_id, GoldenRow.row_id == row_id
            )
        )
    return Golden(benchmark_id=benchmark_id, row_id=row_id, golden=False)
