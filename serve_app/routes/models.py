"""The model registry."""

from typing import Annotated

from fastapi import APIRouter, Path

from jobs import registry
from jobs.schemas import Id, Model, ModelList
from serve_app.errors import responses

router = APIRouter(prefix="/admin/models", tags=["models"])


@router.get("", summary="List models")
def list_models() -> ModelList:
    """Models that benchmarks can run, by name."""
    return ModelList(models=registry.all_models())


@router.get("/{model_id:path}", summary="Get a model", responses=responses(404))
def get_model(
    model_id: Annotated[
        Id,
        Path(
            description="A model's id; slashes are part of it.",
            examples=["allenai/OLMo-2-1124-7B-Instruct"],
        ),
    ],
) -> Model:
    return registry.get(model_id)
