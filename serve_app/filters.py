"""The query parameters that say which results are meant."""

from typing import Annotated

from fastapi import Depends, Query

from jobs.analysis import Outcome, ResultFilter
from jobs.schemas import MarkKind


def _filter(
    q: Annotated[
        str | None,
        Query(
            max_length=1000,
            description="Text in custom_id, prompt or response; its case does not matter, and "
            "`%` and `_` stand for themselves.",
        ),
    ] = None,
    outcome: Annotated[Outcome | None, Query(description="How the request ended.")] = None,
    finish_reason: Annotated[
        str | None, Query(description="Only this finish reason.", examples=["length"])
    ] = None,
    golden: Annotated[bool | None, Query(description="Only (not) golden examples.")] = None,
    mark: Annotated[MarkKind | None, Query(description="Only what people marked so.")] = None,
) -> ResultFilter:
    return ResultFilter(q=q, outcome=outcome, finish_reason=finish_reason, golden=golden, mark=mark)


Filter = Annotated[ResultFilter, Depends(_filter)]
