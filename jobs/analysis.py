"""The records of reading results: what to show, what the figures say, how benchmarks compare.

Neither Ray nor SQL is imported here.
"""

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from jobs.agreement import Agreement, Change
from jobs.schemas.benchmarks import Benchmark
from jobs.schemas.marks import MarkKind
from jobs.schemas.requests import Request
from jobs.schemas.results import Result, Score
from jobs.scoring import ScoreColumn

Order = Literal["asc", "desc"]


class Outcome(StrEnum):
    """How a request ended."""

    SUCCEEDED = "succeeded"
    """Answered with a 2xx status."""
    FAILED = "failed"


class Sort(StrEnum):
    """What results can be sorted by. A value is a column of the results, or ``score``."""

    ROW_ID = "row_id"
    LATENCY_MS = "latency_ms"
    TTFT_MS = "ttft_ms"
    OUTPUT_TOKENS = "output_tokens"
    PROMPT_TOKENS = "prompt_tokens"
    CUSTOM_ID = "custom_id"
    SCORE = "score"


class ResultFilter(BaseModel):
    """Which results are meant; fields that are none do not narrow."""

    model_config = ConfigDict(frozen=True)

    q: str | None = None
    """Text that occurs in ``custom_id``, in any message of the prompt or in the response."""
    outcome: Outcome | None = None
    status_code: int | None = None
    finish_reason: str | None = None
    golden: bool | None = None
    mark: MarkKind | None = None
    min_latency_ms: float | None = None
    max_latency_ms: float | None = None
    min_ttft_ms: float | None = None
    max_ttft_ms: float | None = None
    min_prompt_tokens: int | None = None
    max_prompt_tokens: int | None = None
    min_output_tokens: int | None = None
    max_output_tokens: int | None = None
    score: str | None = None
    """Key of the column of scores that the fields below, and sorting by score, are about."""
    min_score: float | None = None
    max_score: float | None = None
    graded: bool | None = None
    """Has a score (or has none: it was not graded yet, or the grader failed on it)."""

    @property
    def is_of_scores(self) -> bool:
        return (self.min_score, self.max_score, self.graded) != (None,) * 3

    @property
    def besides_scores(self) -> "ResultFilter":
        """What of it is about the results themselves."""
        return self.model_copy(
            update=dict.fromkeys(("score", "min_score", "max_score", "graded"))
            | {"q": self.q or None}
        )

    @property
    def is_empty(self) -> bool:
        return not self.is_of_scores and self.besides_scores == ResultFilter()


class ResultDetail(BaseModel):
    """A result with the request that it answers."""

    request: Request | None = Field(description="None when the dataset has been deleted.")
    result: Result
    earlier: list[Result] = Field(
        description="Failures of the same request that were asked again, oldest first."
    )


class Golden(BaseModel):
    """Whether a result is marked as an example worth training on."""

    benchmark_id: str
    row_id: int
    golden: bool


# --- statistics -----------------------------------------------------------------------------------


class Bin(BaseModel):
    """One bar of a histogram: values from `from_` up to, not including, `to` (the last bin's `to`
    is the largest value, and included)."""

    from_: float
    to: float
    count: int


class Distribution(BaseModel):
    """How a figure is distributed. Percentiles are interpolated linearly between the two values
    that they fall between."""

    min: float
    max: float
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    histogram: list[Bin] = Field(
        description="20 bins of equal width from `min` to `max`; one bin where all are equal."
    )


class Statistics(BaseModel):
    """Figures of a set of results.

    Distributions are of succeeded results, because the time of a refused request says nothing of
    the model; where only failed ones are asked for, of those. None where no result has the figure.
    """

    count: int
    succeeded: int
    failed: int
    finish_reasons: dict[str, int] = Field(
        description="Results by finish reason, most frequent first; those without are left out."
    )
    latency_ms: Distribution | None
    ttft_ms: Distribution | None
    itl_ms: Distribution | None
    queue_ms: Distribution | None
    output_tokens: Distribution | None
    prompt_tokens: Distribution | None


# --- performance ----------------------------------------------------------------------------------


class Limits(BaseModel):
    """What a request must keep to be good; none: that figure does not matter."""

    max_ttft_ms: float | None = Field(default=None, ge=0)
    max_itl_ms: float | None = Field(default=None, ge=0)
    max_latency_ms: float | None = Field(default=None, ge=0)


class Goodput(BaseModel):
    """Requests that kept every limit. Failed ones never do, and neither do those without a figure
    that is limited, except for the time between tokens of answers of a single token."""

    limits: Limits
    good: int
    share: float = Field(ge=0, le=1, description="Of all results.")
    requests_per_second: float


class Interval(BaseModel):
    """Rates in a stretch of time."""

    start_seconds: float = Field(description="Since the first request was handed to an engine.")
    end_seconds: float
    requests_per_second: float = Field(description="Requests that finished in it.")
    prompt_tokens_per_second: float = Field(
        description="A prompt's tokens count evenly from the end of its wait in the queue to its "
        "first token."
    )
    output_tokens_per_second: float = Field(
        description="Tokens count evenly from the first of their request to its last."
    )
    total_tokens_per_second: float


class Performance(BaseModel):
    """How fast the results came. All figures are of succeeded requests."""

    seconds: float = Field(
        description="From the first request handed to an engine to the last result."
    )
    requests_per_second: float
    prompt_tokens_per_second: float
    output_tokens_per_second: float
    total_tokens_per_second: float
    over_time: list[Interval] = Field(description="60 intervals of equal length, in order.")
    goodput: Goodput


# --- comparison -----------------------------------------------------------------------------------


class ComparisonSort(StrEnum):
    """What the rows of a comparison can be sorted by."""

    DISAGREEMENT = "disagreement"
    ROW_ID = "row_id"


class ComparedBenchmark(BaseModel):
    benchmark: Benchmark
    statistics: Statistics = Field(description="Over all its results, whatever `q` says.")
    scores: list[ScoreColumn] = Field(description="What its graders' scores amount to.")


class ComparedResult(BaseModel):
    """One benchmark's answer in a row of a comparison."""

    row_id: int = Field(description="Position in the benchmark's own dataset.")
    benchmark_id: str
    status_code: int
    text: str | None
    finish_reason: str | None
    output_tokens: int | None
    latency_ms: float | None
    golden: bool
    scores: dict[str, Score] = Field(description="By the key of a column of `…/scores`.")
    diff: list[Change] | None = Field(
        description="How to come from the base's answer to this one, word by word, if it was asked "
        "for and both have answered."
    )
    mark: MarkKind | None


class ComparisonRow(BaseModel):
    """What the benchmarks answered to one request."""

    row_id: int = Field(description="Position in the dataset of the first benchmark that has it.")
    custom_id: str
    prompt: str
    expected: Any = Field(description="`expected` of the dataset's line, if it has one.")
    similarity: float = Field(
        ge=0, le=1, description="1: all texts are the same; smaller: they differ more."
    )
    agreement: Agreement
    results: list[ComparedResult | None] = Field(
        description="In the order of `benchmarks`; none where a benchmark has no result (yet)."
    )


class Comparison(BaseModel):
    """Benchmarks side by side, joined on `custom_id`."""

    benchmarks: list[ComparedBenchmark]
    rows: list[ComparisonRow]
    total: int = Field(description="Rows that match `q`.")
    unmatched: int = Field(description="custom_ids that not all benchmarks have, whatever `q`.")
    limit: int
    offset: int
