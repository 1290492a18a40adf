"""Requests: the lines of a dataset, and what can be wrong with one."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field


class Endpoint(StrEnum):
    """The request URLs that a dataset may use."""

    CHAT = "/v1/chat/completions"
    COMPLETIONS = "/v1/completions"
    EMBEDDINGS = "/v1/embeddings"


class LineError(BaseModel):
    """One thing that is wrong with one line of an uploaded file."""

    line: int = Field(description="Line number in the uploaded file, from 1.")
    code: str = Field(description="Stable name of the error.", examples=["missing_custom_id"])
    field: str | None = Field(default=None, description="The field at fault, if it is one.")
    message: str = Field(description="What is wrong and what to do.")
    text: str = Field(default="", description="The beginning of the offending line.")


class Request(BaseModel):
    """One request of a dataset, as a preview shows it."""

    row_id: int = Field(description="Position in the dataset, from 0.")
    custom_id: str
    url: Endpoint
    body: dict[str, Any]
    extra: dict[str, Any] | None = Field(
        description="Other top-level fields of the line (`expected`, `metadata`, …)."
    )


class RequestPage(BaseModel):
    dataset_id: str
    requests: list[Request]
    total: int
    limit: int
    offset: int
