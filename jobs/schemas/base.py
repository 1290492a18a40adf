"""What records are made of: text as clients give it, and the base of those that are read."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
"""Text of a client. PostgreSQL refuses a NUL, so it is refused at the door."""

Id = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=500)]
"""An id as a client gives it. PostgreSQL refuses a NUL, so it is refused at the door."""

LARGEST_COUNT = 2**31 - 1
"""vLLM's counts have 32 bits."""


class Strict(BaseModel):
    """A record read from a file or a user: an unknown field is an error, not silently dropped."""

    model_config = ConfigDict(extra="forbid")
