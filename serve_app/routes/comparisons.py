"""Benchmarks side by side."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from jobs import compare, comparison_export, verdicts
from jobs.analysis import Comparison, ComparisonSort, Order
from jobs.comparison_export import Format
from jobs.errors import InvalidRequest
from jobs.schemas.base import Id
from jobs.verdicts import Verdicts
from serve_app.errors import responses
from serve_app.paging import Limit, Offset

router = APIRouter(prefix="/admin/comparisons", tags=["comparisons"])


BenchmarkIds = Annotated[
    list[Id],
    Query(min_length=2, max_length=8, description="Two to eight benchmarks, in column order."),
]
Q = Annotated[
    str | None,
    Query(max_length=1000, description="Text in custom_id, prompt or any of the responses."),
]
By = Annotated[ComparisonSort, Query(description="`disagreement`: by `similarity`.")]
InOrder = Annotated[
    Order, Query(description="`asc` of `disagreement`: the most different rows first.")
]


@router.get("", summary="Compare benchmarks", responses=responses(404, 409, 422))
def compare_benchmarks(
    benchmark_id: BenchmarkIds,
    limit: Limit = 100,
    offset: Offset = 0,
    q: Q = None,
    sort: By = ComparisonSort.DISAGREEMENT,
    order: InOrder = "asc",
    diff_from: Annotated[
        int | None,
        Query(
            ge=0,
            le=7,
            description="Add to every answer how it differs, word by word, from that of the "
            "benchmark at this place, from 0.",
        ),
    ] = None,
) -> Comparison:
    """A row per custom_id with every benchmark's answer, as far as it exists, and the figures of
    each benchmark. The benchmarks may be of different datasets and may still run.

    Many answers are compared in the background the first time: until then this is refused as
    `not_ready`, and `details.progress` is the share that is done."""
    if diff_from is not None and diff_from >= len(benchmark_id):
        raise InvalidRequest("invalid_request", "`diff_from` is beyond the benchmarks compared.")
    return compare.compare(benchmark_id, limit, offset, q, sort, order, diff_from)


@router.get("/verdicts", summary="What a comparison shows", responses=responses(404, 422))
def get_verdicts(benchmark_id: BenchmarkIds) -> Verdicts:
    """Which benchmark is better by each grader and whether that is more than chance, how far
    answers agree, and how far a model agrees with itself where it was run twice."""
    return verdicts.verdicts(benchmark_id)


_MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl",
    "html": "text/html; charset=utf-8",
}


@router.get(
    "/download",
    summary="Download a comparison",
    response_class=StreamingResponse,
    responses=responses(404, 422)
    | {200: {"content": {media_type: {} for media_type in _MEDIA_TYPES.values()}}},
)
def download_comparison(
    benchmark_id: BenchmarkIds,
    format: Annotated[
        Format,
        Query(
            description="`csv` and `jsonl`: every row that matches; `html`: a report of figures, "
            "verdicts and the first rows, in one page that opens offline."
        ),
    ] = "csv",
    q: Q = None,
    sort: By = ComparisonSort.DISAGREEMENT,
    order: InOrder = "asc",
) -> StreamingResponse:
    """The comparison as a file."""
    return StreamingResponse(
        comparison_export.download(benchmark_id, format, q, sort, order),
        media_type=_MEDIA_TYPES[format],
        headers={"content-disposition": f'attachment; filename="comparison.{format}"'},
    )
