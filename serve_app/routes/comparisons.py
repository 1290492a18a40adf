"""Benchmarks side by side."""

from typing import Annotated

from fastapi import APIRouter, Query

from jobs import compare
from jobs.analysis import Comparison, ComparisonSort, Order
from jobs.schemas import Id
from serve_app.errors import responses
from serve_app.paging import Limit, Offset

router = APIRouter(prefix="/admin/comparisons", tags=["comparisons"])


@router.get("", summary="Compare benchmarks", responses=responses(404, 422))
def compare_benchmarks(
    benchmark_id: Annotated[
        list[Id],
        Query(min_length=2, max_length=8, description="Two to eight benchmarks, in column order."),
    ],
    limit: Limit = 100,
    offset: Offset = 0,
    q: Annotated[
        str | None,
        Query(max_length=1000, description="Text in custom_id, prompt or any of the responses."),
    ] = None,
    sort: Annotated[
        ComparisonSort, Query(description="`disagreement`: by `similarity`.")
    ] = ComparisonSort.DISAGREEMENT,
    order: Annotated[
        Order, Query(description="`asc` of `disagreement`: the most different rows first.")
    ] = "asc",
) -> Comparison:
    """A row per custom_id with every benchmark's answer, as far as it exists, and the figures of
    each benchmark. The benchmarks may be of different datasets and may still run."""
    return compare.compare(benchmark_id, limit, offset, q, sort, order)
