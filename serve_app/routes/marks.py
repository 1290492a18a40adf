"""Marks on results: what people found about them."""

from typing import Annotated

from fastapi import APIRouter, Query

from jobs import marks, results
from jobs.schemas.marks import Mark, Marking, MarkKind, MarkList
from serve_app.author import Author
from serve_app.errors import responses
from serve_app.paging import Limit, Offset
from serve_app.routes.benchmarks import BenchmarkId
from serve_app.routes.datasets import Deleted
from serve_app.routes.results import RowId

router = APIRouter(prefix="/admin/benchmarks/{benchmark_id}", tags=["marks"])


@router.get("/marks", summary="Marks on a benchmark's results", responses=responses(404, 422))
def list_marks(
    benchmark_id: BenchmarkId,
    limit: Limit = 1000,
    offset: Offset = 0,
    kind: Annotated[MarkKind | None, Query(description="Only marks of this kind.")] = None,
) -> MarkList:
    """Marks in the order of the results, with who made them and when."""
    return marks.page(benchmark_id, limit, offset, kind)


@router.put("/results/{row_id}/mark", summary="Mark a result", responses=responses(404, 422))
def mark_result(benchmark_id: BenchmarkId, row_id: RowId, marking: Marking, author: Author) -> Mark:
    """Record what a person found about a result: `golden`, `fix` or `wrong`, with the response as
    it should be and a note. It replaces an earlier mark. A mark goes with the answer that it is
    for: asking failed requests again takes it from those, and from no others."""
    return results.judge(benchmark_id, row_id, marking, author)


@router.delete("/results/{row_id}/mark", summary="Unmark a result", responses=responses(404, 422))
def unmark_result(benchmark_id: BenchmarkId, row_id: RowId) -> Deleted:
    """Take the mark away, whatever its kind. Repeating it changes nothing."""
    marks.remove(benchmark_id, row_id)
    return Deleted(id=f"{benchmark_id}/{row_id}")
