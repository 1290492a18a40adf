"""Results of a benchmark, also while it runs."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from jobs import results
from jobs.results import Format
from jobs.schemas import ResultPage
from serve_app.errors import responses
from serve_app.paging import Limit, Offset
from serve_app.routes.benchmarks import BenchmarkId

router = APIRouter(prefix="/admin/benchmarks/{benchmark_id}/results", tags=["results"])

_MEDIA_TYPES: dict[Format, str] = {"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8"}


@router.get("", summary="Results of a benchmark", responses=responses(404, 422))
def list_results(benchmark_id: BenchmarkId, limit: Limit = 1000, offset: Offset = 0) -> ResultPage:
    """Results in the dataset's order; while the benchmark runs, those that exist so far."""
    return results.page(benchmark_id, limit, offset)


@router.get(
    "/download",
    summary="Download all results",
    response_class=StreamingResponse,
    responses=responses(404, 422)
    | {200: {"content": {media_type: {} for media_type in _MEDIA_TYPES.values()}}},
)
def download_results(
    benchmark_id: BenchmarkId,
    format: Annotated[
        Format, Query(description="`jsonl`: OpenAI's batch output; `csv`: for spreadsheets.")
    ] = "jsonl",
) -> StreamingResponse:
    """Every result that exists, as a file, in the dataset's order."""
    return StreamingResponse(
        results.download(benchmark_id, format),
        media_type=_MEDIA_TYPES[format],
        headers={"content-disposition": f'attachment; filename="{benchmark_id}.{format}"'},
    )
