"""Files: upload, list, retrieve, read, delete."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse, Response

from jobs import files
from jobs.cursors import Order
from jobs.errors import InvalidParameter
from jobs.schemas.base import Id
from jobs.schemas.openai import DeletedFile, ExpiresAfter, File, FilePage, Purpose
from jobs.uploads import Upload
from serve_app import multipart
from serve_app.multipart import Fields
from serve_app.openai.errors import RESPONSES
from serve_app.stored_file import stored_file

router = APIRouter(prefix="/v1/files", tags=["openai"], responses=RESPONSES)

FileId = Annotated[Id, Path(description="A file's id.", examples=["file-4f1c0a9be27d"])]
After = Annotated[
    Id | None, Query(description="Begin after the item with this id: the last one seen.")
]

_ANCHOR, _SECONDS = "expires_after[anchor]", "expires_after[seconds]"
_UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "purpose"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "purpose": {"type": "string", "enum": [Purpose.BATCH.value]},
                        _ANCHOR: {"type": "string", "enum": ["created_at"]},
                        _SECONDS: {"type": "integer"},
                    },
                }
            }
        },
    }
}


@router.post("", summary="Upload a file", openapi_extra=_UPLOAD_BODY)
async def upload_file(request: Request) -> File:
    """Store the input file of a batch. Its lines are judged when a batch is made of it; where all
    are right it is a dataset of the page as well."""
    fields = ("purpose", _ANCHOR, _SECONDS)
    return await multipart.read(request, files.upload, fields, _store)


def _store(upload: Upload, fields: Fields) -> File:
    purpose = fields.get("purpose")
    if purpose is None:
        message = "Missing required parameter: 'purpose'."
        raise InvalidParameter("missing_required_parameter", message, "purpose")
    if purpose != Purpose.BATCH.value:
        message = f"Invalid value: '{purpose}'. Supported values are: 'batch'."
        raise InvalidParameter("invalid_value", message, "purpose")
    return files.store(upload, _expiry(fields))


def _expiry(fields: Fields) -> ExpiresAfter | None:
    anchor, seconds = fields.get(_ANCHOR), fields.get(_SECONDS)
    if anchor is None and seconds is None:
        return None
    if anchor != "created_at":
        message = f"Invalid value: '{anchor}'. Supported values are: 'created_at'."
        raise InvalidParameter("invalid_value", message, "expires_after.anchor")
    try:
        return ExpiresAfter(anchor="created_at", seconds=int(seconds or ""))
    except ValueError:
        message = "Invalid type for 'expires_after.seconds': expected an integer."
        raise InvalidParameter("invalid_type", message, "expires_after.seconds") from None


@router.get("", summary="List files")
def list_files(
    purpose: Annotated[Id | None, Query(description="Only of this purpose.")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="Most files to return.")] = 10_000,
    order: Annotated[Order, Query(description="By the time of creation.")] = "desc",
    after: After = None,
) -> FilePage:
    return files.page(limit, after, order, purpose)


@router.get("/{file_id}", summary="Get a file")
def get_file(file_id: FileId) -> File:
    return files.get(file_id)


@router.get(
    "/{file_id}/content",
    summary="Content of a file",
    response_class=FileResponse,
    responses={200: {"content": {"application/jsonl": {}}}},
)
def get_file_content(file_id: FileId) -> Response:
    file = files.get(file_id)
    return stored_file(files.key(file_id), file.filename, "application/jsonl")


@router.delete("/{file_id}", summary="Delete a file")
def delete_file(file_id: FileId) -> DeletedFile:
    """Delete a file, and the dataset that it is. Refused with 409 while a live batch or benchmark
    uses it."""
    files.delete(file_id)
    return DeletedFile(id=file_id)
