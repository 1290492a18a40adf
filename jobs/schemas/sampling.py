"""Sampling: what a benchmark may set in every request."""

from typing import Annotated

from pydantic import Field, PositiveInt, StringConstraints

from jobs.schemas.base import LARGEST_COUNT, Strict

StopText = Annotated[str, StringConstraints(pattern=r"^[^\x00]+$", max_length=1000)]
"""A pattern makes pydantic read the text as Unicode, so that half a surrogate pair, which no
response could carry, is refused as well."""


class Sampling(Strict):
    """Sampling overrides: each field that is set replaces that field in every request's body."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=-1, le=LARGEST_COUNT)
    min_p: float | None = Field(default=None, ge=0, le=1)
    max_tokens: PositiveInt | None = Field(
        default=None, le=LARGEST_COUNT, description="Most tokens to generate."
    )
    seed: int | None = Field(default=None, ge=-(2**63), le=2**63 - 1)
    stop: list[StopText] | None = Field(default=None, max_length=16)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    repetition_penalty: float | None = Field(default=None, gt=0, le=2)
