"""The query parameters that say which results are meant."""

from typing import Annotated

from fastapi import Depends, Query

from jobs.analysis import Outcome, ResultFilter
from jobs.schemas.base import Id
from jobs.schemas.marks import MarkKind

_Figure = Annotated[float | None, Query(ge=0, le=1e15)]
# Tokens are counted in 64 bits.
_Tokens = Annotated[int | None, Query(ge=0, le=2**53)]
_Score = Annotated[float | None, Query(ge=0, le=1)]


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
    status_code: Annotated[
        int | None, Query(ge=0, le=999, description="Only this HTTP status.")
    ] = None,
    finish_reason: Annotated[
        str | None, Query(description="Only this finish reason.", examples=["length"])
    ] = None,
    golden: Annotated[bool | None, Query(description="Only (not) golden examples.")] = None,
    mark: Annotated[MarkKind | None, Query(description="Only what people marked so.")] = None,
    min_latency_ms: _Figure = None,
    max_latency_ms: _Figure = None,
    min_ttft_ms: _Figure = None,
    max_ttft_ms: _Figure = None,
    min_prompt_tokens: _Tokens = None,
    max_prompt_tokens: _Tokens = None,
    min_output_tokens: _Tokens = None,
    max_output_tokens: _Tokens = None,
    score: Annotated[
        Id | None,
        Query(description="Key of the scores that the next three, and `sort=score`, are about."),
    ] = None,
    min_score: _Score = None,
    max_score: _Score = None,
    graded: Annotated[
        bool | None, Query(description="Only those with a score, or only those without.")
    ] = None,
) -> ResultFilter:
    return ResultFilter(
        q=q,
        outcome=outcome,
        status_code=status_code,
        finish_reason=finish_reason,
        golden=golden,
        mark=mark,
        min_latency_ms=min_latency_ms,
        max_latency_ms=max_latency_ms,
        min_ttft_ms=min_ttft_ms,
        max_ttft_ms=max_ttft_ms,
        min_prompt_tokens=min_prompt_tokens,
        max_prompt_tokens=max_prompt_tokens,
        min_output_tokens=min_output_tokens,
        max_output_tokens=max_output_tokens,
        score=score,
        min_score=min_score,
        max_score=max_score,
        graded=graded,
    )


Filter = Annotated[ResultFilter, Depends(_filter)]
