"""Batches: create, list, retrieve, cancel."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from jobs import batches
from jobs.schemas.base import Id
from jobs.schemas.openai import Batch, BatchPage, CreateBatch
from serve_app import tracking
from serve_app.openai.errors import RESPONSES
from serve_app.openai.files import After

router = APIRouter(prefix="/v1/batches", tags=["openai"], responses=RESPONSES)

BatchId = Annotated[Id, Path(description="A batch's id.", examples=["batch_9d02b7c4e1a8"])]


@router.post("", summary="Create a batch")
def create_batch(asked: CreateBatch) -> Batch:
    """Run the requests of a file by the model that they name. The batch is a benchmark as well,
    and can be watched on the page."""
    created = batches.create(asked)
    tracking.wake()
    return created


@router.get("", summary="List batches")
def list_batches(
    limit: Annotated[int, Query(ge=1, le=100, description="Most batches to return.")] = 20,
    after: After = None,
) -> BatchPage:
    """Batches, newest first."""
    return batches.page(limit, after)


@router.get("/{batch_id}", summary="Get a batch")
def get_batch(batch_id: BatchId) -> Batch:
    return batches.get(batch_id)


@router.post("/{batch_id}/cancel", summary="Cancel a batch")
def cancel_batch(batch_id: BatchId) -> Batch:
    """End a batch. What is finished is in its output file; the rest is in its error file."""
    cancelled = batches.cancel(batch_id)
    tracking.wake()
    return cancelled
