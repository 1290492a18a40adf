"""The registry as OpenAI lists models."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path

from jobs import registry
from jobs.errors import NotFound
from jobs.schemas.base import Id
from jobs.schemas.openai import OpenAIModel, OpenAIModels
from serve_app.openai.errors import RESPONSES

router = APIRouter(prefix="/v1/models", tags=["openai"], responses=RESPONSES)


@router.get("", summary="List models, as OpenAI does")
def list_openai_models() -> OpenAIModels:
    """Models that the lines of a batch can name."""
    return OpenAIModels(data=[_model(*one) for one in registry.added().items()])


@router.get("/{model_id:path}", summary="Get a model, as OpenAI does")
def get_openai_model(
    model_id: Annotated[
        Id, Path(description="A model's id; slashes are part of it.", examples=["org/name"])
    ],
) -> OpenAIModel:
    added = registry.added()
    if model_id not in added:
        message = f"The model '{model_id}' does not exist."
        raise NotFound("model_not_found", message, param="model")
    return _model(model_id, added[model_id])


def _model(model_id: str, added: datetime) -> OpenAIModel:
    owner, slash, _ = model_id.partition("/")
    return OpenAIModel(
        id=model_id, created=int(added.timestamp()), owned_by=owner if slash else "library"
    )
