"""The body of what the API refuses or cannot do."""

from typing import Any

from pydantic import BaseModel, Field


class Problem(BaseModel):
    """What went wrong."""

    code: str = Field(description="Stable name for programs.", examples=["dataset_not_found"])
    message: str = Field(description="What was wrong and what to do, for people.")
    details: dict[str, Any] = Field(
        default_factory=dict,
        description="More, by code: `errors` (line or field by line) and `total_errors`.",
    )


class ErrorResponse(BaseModel):
    """The body of every response that is not a success."""

    error: Problem
