"""Results from elsewhere, as a benchmark."""

from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from pydantic import StringConstraints

from jobs import datasets
from jobs.imports import Import
from jobs.schemas.imports import ResultsImported
from serve_app import multipart
from serve_app.errors import responses
from serve_app.routes.datasets import DatasetId, upload_body

router = APIRouter(prefix="/admin/datasets/{dataset_id}", tags=["datasets"])

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]*$"),
    Query(description="What the results are of, as people know it.", examples=["Current system"]),
]


@router.post(
    "/results/upload",
    summary="Import results",
    openapi_extra=upload_body("OpenAI's batch output (JSONL), or CSV: custom_id, response."),
    responses=responses(400, 404, 408, 413, 415, 422, 507),
)
async def import_results(dataset_id: DatasetId, name: Name, request: Request) -> ResultsImported:
    """Store results of another system over this dataset as a finished benchmark, to compare with.

    All or nothing: a file with a malformed line, or two results of one `custom_id`, is refused with
    `invalid_results`, and `details.errors` says what is wrong on which line. Results for no request
    of the dataset are left out and reported; requests without a result count as failed.
    """
    await to_thread.run_sync(datasets.get, dataset_id)  # before the file is sent for nothing
    begin = partial(Import, dataset_id, name)
    return await multipart.read(request, begin, (), lambda taken, _fields: taken.finish())
