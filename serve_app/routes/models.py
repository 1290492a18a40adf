"""The model registry."""

from typing import Annotated

from fastapi import APIRouter, Path

from jobs import added_models, registry
from jobs.schemas.base import Id
from jobs.schemas.models import AddModelRequest, Model, ModelList
from serve_app.errors import responses
from serve_app.routes.datasets import Deleted

router = APIRouter(prefix="/admin/models", tags=["models"])

ModelId = Annotated[
    Id,
    Path(
        description="A model's id; slashes are part of it.",
        examples=["allenai/OLMo-2-1124-7B-Instruct"],
    ),
]


@router.get("", summary="List models")
def list_models() -> ModelList:
    """Models that benchmarks can run, by name."""
    return ModelList(models=registry.all_models())


@router.post("", summary="Add a model", responses=responses(409, 422))
def add_model(request: AddModelRequest) -> Model:
    """Put a model into the registry, from the hub or a folder. Its config and the headers of its
    weights are read, and vLLM has to know its architecture; that it does not fit this cluster is
    said in `fit`, and refused when it is run."""
    return added_models.add(request)


@router.post("/check", summary="Check a model", responses=responses(422))
def check_model(request: AddModelRequest) -> Model:
    """What adding a model would make of it, with the verdict on its size. Nothing is kept."""
    return added_models.check(request)


@router.get("/{model_id:path}", summary="Get a model", responses=responses(404))
def get_model(model_id: ModelId) -> Model:
    return registry.get(model_id)


@router.delete("/{model_id:path}", summary="Remove a model", responses=responses(404, 409))
def remove_model(model_id: ModelId) -> Deleted:
    """Only one that was added through the API. Its benchmarks stay."""
    added_models.remove(model_id)
    return Deleted(id=model_id)
