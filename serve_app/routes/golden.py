"""Golden examples as training files."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from jobs import training
from jobs.schemas.base import Id
from jobs.training import Format
from serve_app.errors import responses

router = APIRouter(prefix="/admin/golden", tags=["results"])

_LINES, _PARQUET = "application/jsonl", "application/vnd.apache.parquet"


@router.get(
    "/download",
    summary="Download golden examples",
    response_class=StreamingResponse,
    responses=responses(404, 422) | {200: {"content": {_LINES: {}, _PARQUET: {}}}},
)
def download_golden(
    format: Annotated[
        Format,
        Query(
            description="`messages`: chat fine-tuning, JSON lines; `preferences`: prompt, chosen "
            "and rejected, JSON lines; `parquet`: as `messages`."
        ),
    ] = "messages",
    benchmark_id: Annotated[
        list[Id] | None, Query(max_length=100, description="Of these benchmarks.")
    ] = None,
    dataset_id: Annotated[
        Id | None, Query(description="Of all benchmarks over this dataset.")
    ] = None,
) -> StreamingResponse:
    """Golden examples with where each comes from: model, revision, sampling, dataset and its
    digest. They load in `datasets` and TRL as they are."""
    parquet = format == "parquet"
    name = f"golden-{format}.{'parquet' if parquet else 'jsonl'}".replace("-parquet", "")
    return StreamingResponse(
        training.download(format, benchmark_id or (), dataset_id),
        media_type=_PARQUET if parquet else _LINES,
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )
