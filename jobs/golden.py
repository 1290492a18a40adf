"""Golden examples: results that a person marked as worth training on. One kind of mark."""

from jobs import marks
from jobs.analysis import Golden
from jobs.schemas.marks import Marking, MarkKind


def mark(benchmark_id: str, row_id: int, author: str | None = None) -> Golden:
    """Mark a result, which the caller has seen to exist. Repeating it changes nothing; of a result
    that is marked otherwise, the edited response and the note stay."""
    before = marks.of(benchmark_id, [row_id]).get(row_id)
    if before is None or before.kind is not MarkKind.GOLDEN:
        kept = Marking(
            kind=MarkKind.GOLDEN,
            response=before.response if before else None,
            note=before.note if before else None,
        )
        marks.put(benchmark_id, row_id, kept, author)
    return Golden(benchmark_id=benchmark_id, row_id=row_id, golden=True)


def unmark(benchmark_id: str, row_id: int) -> Golden:
    """Take a mark away. Repeating it changes nothing, and other kinds of mark stay."""
    marks.remove(benchmark_id, row_id, MarkKind.GOLDEN)
    return Golden(benchmark_id=benchmark_id, row_id=row_id, golden=False)
