"""Marks: what people found about results."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from jobs.schemas.base import Strict

Words = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=1_000_000)]
"""Text that a person wrote, to be kept in SQL."""


class MarkKind(StrEnum):
    """What a person found about a result."""

    GOLDEN = "golden"
    """Worth training on, as it is or as edited."""
    FIX = "fix"
    """Not right as it is; the edited response says how it should be."""
    WRONG = "wrong"
    """Not to be used."""


class Marking(Strict):
    """A judgement on a result. It replaces an earlier one."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"kind": "fix", "response": "Yes.", "note": "Should be one word."}]
        },
    )

    kind: MarkKind
    response: Words | None = Field(
        default=None, description="The response as it should be. A `fix` needs one."
    )
    note: Words | None = Field(default=None, description="Why, for other people.")

    @model_validator(mode="after")
    def _fix_has_response(self) -> "Marking":
        if self.kind is MarkKind.FIX and not self.response:
            raise ValueError("a fix needs `response`: what the answer should have been")
        return self


class Mark(BaseModel):
    """A judgement on a result, as recorded."""

    benchmark_id: str
    row_id: int
    kind: MarkKind
    response: str | None = Field(description="The response as edited; none: as the model gave it.")
    note: str | None
    author: str | None = Field(description="Who marked it last, by the name that they gave.")
    created_at: datetime
    updated_at: datetime


class MarkList(BaseModel):
    marks: list[Mark]
    total: int
