"""Results of a benchmark, also while it runs."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse

from jobs import export, golden, performance, results, statistics
from jobs.analysis import Golden, Limits, Order, Performance, ResultDetail, Sort, Statistics
from jobs.export import Format
from jobs.schemas.results import ResultPage
from serve_app.author import Author
from serve_app.errors import responses
from serve_app.filters import Filter
from serve_app.paging import Limit, Offset
from serve_app.routes.benchmarks import BenchmarkId

router = APIRouter(prefix="/admin/benchmarks/{benchmark_id}", tags=["results"])

RowId = Annotated[
    int, Path(ge=0, le=2**53, description="Position of the request in the dataset, from 0.")
]

_MEDIA_TYPES: dict[Format, str] = {
    "jsonl": "application/jsonl",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
By = Annotated[Sort, Query(description="What to sort by; ties in row order.")]
InOrder = Annotated[Order, Query(description="Results without the figure come last either way.")]

MaxMs = Annotated[
    float | None,
    Query(ge=0, le=1e12, description="Limit that a good request keeps; none: no matter."),
]


@router.get("/results", summary="Results of a benchmark", responses=responses(404, 422))
def list_results(
    benchmark_id: BenchmarkId,
    only: Filter,
    limit: Limit = 1000,
    offset: Offset = 0,
    sort: By = Sort.ROW_ID,
    order: InOrder = "asc",
    cursor: Annotated[
        str | None,
        Query(
            max_length=4096,
            description="`next_cursor` of the page before, with the same filter, sort and order. "
            "What comes in while the benchmark runs then moves no page.",
        ),
    ] = None,
) -> ResultPage:
    """Results, filtered and sorted; without parameters all in the dataset's order. While the
    benchmark runs, those that exist so far."""
    return results.page(benchmark_id, limit, offset, only, sort, order, cursor)


@router.get(
    "/results/download",
    summary="Download results",
    response_class=StreamingResponse,
    responses=responses(404, 422)
    | {200: {"content": {media_type: {} for media_type in _MEDIA_TYPES.values()}}},
)
def download_results(
    benchmark_id: BenchmarkId,
    only: Filter,
    format: Annotated[
        Format,
        Query(
            description="`jsonl`: OpenAI's batch output; `csv`, for spreadsheets, and `parquet`: "
            "a row per result with figures, prompt and scores."
        ),
    ] = "jsonl",
    sort: By = Sort.ROW_ID,
    order: InOrder = "asc",
) -> StreamingResponse:
    """Every result that exists and matches, as a file, in the order asked for."""
    return StreamingResponse(
        export.download(benchmark_id, format, only, sort, order),
        media_type=_MEDIA_TYPES[format],
        headers={"content-disposition": f'attachment; filename="{benchmark_id}.{format}"'},
    )


@router.get("/results/{row_id}", summary="Get a result", responses=responses(404, 422))
def get_result(benchmark_id: BenchmarkId, row_id: RowId) -> ResultDetail:
    """One result with the whole request that it answers."""
    return results.get(benchmark_id, row_id)


@router.put(
    "/results/{row_id}/golden", summary="Mark as golden example", responses=responses(404, 422)
)
def mark_golden(benchmark_id: BenchmarkId, row_id: RowId, author: Author) -> Golden:
    """Mark a result as worth training on. Repeating it changes nothing."""
    return results.mark(benchmark_id, row_id, author)


@router.delete(
    "/results/{row_id}/golden", summary="Unmark a golden example", responses=responses(404, 422)
)
def unmark_golden(benchmark_id: BenchmarkId, row_id: RowId) -> Golden:
    """Take the mark away. Repeating it changes nothing."""
    return golden.unmark(benchmark_id, row_id)


@router.get("/statistics", summary="Statistics of results", responses=responses(404, 422))
def get_statistics(benchmark_id: BenchmarkId, only: Filter) -> Statistics:
    """Counts, percentiles and histograms of the results that match, as far as they exist."""
    return statistics.statistics(benchmark_id, only)


@router.get("/performance", summary="How fast results came", responses=responses(404, 422))
def get_performance(
    benchmark_id: BenchmarkId,
    max_ttft_ms: MaxMs = None,
    max_itl_ms: MaxMs = None,
    max_latency_ms: MaxMs = None,
) -> Performance:
    """Requests and tokens per second, over all and over time, and the goodput: requests that kept
    the given limits. As far as results exist."""
    limits = Limits(max_ttft_ms=max_ttft_ms, max_itl_ms=max_itl_ms, max_latency_ms=max_latency_ms)
    return performance.performance(benchmark_id, limits)
