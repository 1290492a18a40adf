"""Results: what became of each request."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from jobs.schemas.benchmarks import Status
from jobs.schemas.marks import Mark


class ResponseBody(BaseModel):
    status_code: int = Field(examples=[200])
    request_id: str
    body: dict[str, Any] = Field(description="The engine's response, OpenAI format.")


class ResultError(BaseModel):
    code: str
    message: str


class Score(BaseModel):
    """What a grader says of one result."""

    value: float | None = Field(description="0 to 1, the larger the better.")
    error: str | None = Field(description="Why the grader could not grade this row.")
    note: str | None = Field(description="What led to the score, where it is not plain.")


class Result(BaseModel):
    """One request's outcome in the shape of a line of OpenAI's batch output, with its figures."""

    id: str
    custom_id: str
    response: ResponseBody | None
    error: ResultError | None = Field(
        description="Set when the engine gave no answer at all; an answer with an error status "
        "is in `response`, as OpenAI does it."
    )
    row_id: int
    status_code: int
    prompt: str = Field(
        description="The beginning of what was asked; empty when the dataset has been deleted."
    )
    text: str | None = Field(
        description="The first choice's text; of a failed request, what the error says."
    )
    golden: bool = Field(description="A person marked it as an example worth training on.")
    mark: Mark | None = Field(description="What a person found about it.")
    finish_reason: str | None
    prompt_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    latency_ms: float | None = Field(
        description="From hand-over to the engine until the last token; not known of imported "
        "results."
    )
    ttft_ms: float | None = Field(
        description="From hand-over to the engine until the first token: waiting included."
    )
    itl_ms: float | None = Field(description="Mean time between output tokens.")
    queue_ms: float | None = Field(description="Waiting in the engine's queue.")
    finished_at: datetime
    scores: dict[str, Score] = Field(
        default_factory=dict,
        description="By the key of a column of `…/scores`; columns that have none of it yet are "
        "left out.",
    )


class ResultPage(BaseModel):
    benchmark_id: str
    model_name: str
    dataset_name: str
    status: Status
    total_time_seconds: float | None
    throughput: float
    results: list[Result]
    total: int = Field(
        description="Results that match the filter; without one, those that exist now: all "
        "requests once completed."
    )
    limit: int
    offset: int
    next_cursor: str | None = Field(
        description="Give it as `cursor` for the page after this one; none: there is none (yet)."
    )
