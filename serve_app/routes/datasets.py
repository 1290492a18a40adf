"""Datasets: upload, list, look into, download, delete."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel

from jobs import datasets
from jobs.schemas.base import Id
from jobs.schemas.datasets import Dataset, DatasetList, DatasetUploaded
from jobs.schemas.requests import RequestPage
from serve_app import multipart
from serve_app.errors import responses
from serve_app.paging import Limit, Offset
from serve_app.stored_file import stored_file

router = APIRouter(prefix="/admin/datasets", tags=["datasets"])

DatasetId = Annotated[Id, Path(description="A dataset's id.", examples=["ds_4f1c0a9be27d"])]


def upload_body(description: str) -> dict[str, Any]:
    """What OpenAPI says of a route that takes a file."""
    file = {"type": "string", "format": "binary", "description": description}
    form = {"type": "object", "required": ["file"], "properties": {"file": file}}
    content = {"multipart/form-data": {"schema": form}}
    return {"requestBody": {"required": True, "content": content}}


class Deleted(BaseModel):
    """Answer to a deletion."""

    id: str
    deleted: bool = True


@router.post(
    "/upload",
    summary="Upload a dataset",
    openapi_extra=upload_body("JSONL in OpenAI's batch format, UTF-8."),
    responses=responses(400, 408, 413, 415, 422, 507),
)
async def upload_dataset(request: Request) -> DatasetUploaded:
    """Store a JSONL file, validating it on the way in.

    All or nothing: a file with any malformed line is refused with `invalid_dataset`, and
    `details.errors` says for the first 100 errors what is wrong on which line.
    """
    stored = await multipart.receive(request)
    return DatasetUploaded(
        dataset_id=stored.id, name=stored.name, count=stored.count, uploaded_at=stored.uploaded_at
    )


@router.get("", summary="List datasets", responses=responses(422))
def list_datasets(limit: Limit = 1000, offset: Offset = 0) -> DatasetList:
    """Datasets, newest first."""
    found, total = datasets.all_datasets(limit, offset)
    return DatasetList(datasets=found, total=total)


@router.get("/{dataset_id}", summary="Get a dataset", responses=responses(404))
def get_dataset(dataset_id: DatasetId) -> Dataset:
    return datasets.get(dataset_id)


@router.get(
    "/{dataset_id}/requests", summary="Requests of a dataset", responses=responses(404, 422)
)
def list_requests(dataset_id: DatasetId, limit: Limit = 20, offset: Offset = 0) -> RequestPage:
    """Requests in the order of the file."""
    return datasets.page(dataset_id, limit, offset)


@router.get(
    "/{dataset_id}/download",
    summary="Download the uploaded file",
    response_class=FileResponse,
    responses=responses(404) | {200: {"content": {"application/jsonl": {}}}},
)
def download_dataset(dataset_id: DatasetId) -> Response:
    dataset = datasets.get(dataset_id)
    return stored_file(datasets.original_key(dataset_id), dataset.name, "application/jsonl")


@router.delete("/{dataset_id}", summary="Delete a dataset", responses=responses(404, 409))
def delete_dataset(dataset_id: DatasetId) -> Deleted:
    """Delete a dataset with its files. Refused while a queued or running benchmark uses it;
    results of finished benchmarks stay."""
    datasets.delete(dataset_id)
    return Deleted(id=dataset_id)
