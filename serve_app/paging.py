"""``limit`` and ``offset`` of every list."""

from typing import Annotated

from fastapi import Query

Limit = Annotated[int, Query(ge=1, le=1000, description="Most items to return.")]
# Arrow and SQL count in 64 bits; a larger offset is past the end all the same.
Offset = Annotated[int, Query(ge=0, le=2**53, description="Items to skip.")]
