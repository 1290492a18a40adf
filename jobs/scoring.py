"""The records of scoring: how an answer is graded, and what came of it.

A grader is data: a member of :data:`GraderSpec`. :mod:`jobs.grading` says what each does.
Neither Ray nor SQL is imported here.
"""

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, StringConstraints, model_validator

from jobs.schemas.base import Id, Strict
from jobs.schemas.sampling import Sampling

# Part of a score's version: raise it when a grader judges otherwise than before, and every score is
# computed anew.
_GRADING = 1


class _Spec(Strict):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @property
    def is_binary(self) -> bool:
        """Scores are 0 or 1 only."""
        return True

    @property
    def version(self) -> str:
        """Changes when the specification or the code of grading does."""
        said = orjson.dumps([_GRADING, self.model_dump(mode="json", by_alias=True)])
        return hashlib.sha256(said).hexdigest()[:12]


class _Against(_Spec):
    """A grader that compares with a value of the dataset's line."""

    field: str = Field(
        default="expected",
        min_length=1,
        max_length=200,
        description="Where in the line the expected value is; dots lead into objects "
        "(`metadata.answer`). Of a list, any member is right.",
    )


class Exact(_Against):
    """The answer is the expected text, character for character."""

    kind: Literal["exact"]


class Normalized(_Against):
    """The same, but letters' case, punctuation and spaces do not matter."""

    kind: Literal["normalized"]


class Contains(_Against):
    """The expected text occurs in the answer."""

    kind: Literal["contains"]
    ignore_case: bool = True


class Regex(_Against):
    """A pattern occurs in the answer."""

    kind: Literal["regex"]
    pattern: str | None = Field(
        default=None,
        max_length=10_000,
        description="RE2 syntax (no look-around, no back-references), so that no pattern can take "
        "longer than a scan. None: the line's expected value is the pattern.",
    )
    ignore_case: bool = False


class Numeric(_Against):
    """A number in the answer equals the expected one, within a tolerance."""

    kind: Literal["numeric"]
    take: Literal["first", "last", "only"] = Field(
        default="last",
        description="Which number of the answer counts; `only`: an answer with several is wrong.",
    )
    absolute: float = Field(
        default=1e-9, ge=0, allow_inf_nan=False, description="Largest allowed difference."
    )
    relative: float = Field(
        default=0.0,
        ge=0,
        allow_inf_nan=False,
        description="Or as a part of the expected number; the more generous of the two counts.",
    )


class JsonValid(_Spec):
    """The answer is JSON."""

    kind: Literal["json_valid"]
    fenced: bool = Field(
        default=False, description="Also accept JSON inside one Markdown code fence."
    )


class JsonSchema(_Spec):
    """The answer is JSON that conforms to a JSON Schema."""

    kind: Literal["json_schema"]
    json_schema: dict[str, Any] = Field(
        description="The schema. Its patterns are matched in linear time; a `$ref` to another "
        "document is refused."
    )
    fenced: bool = Field(
        default=False, description="Also accept JSON inside one Markdown code fence."
    )


class Similarity(_Against):
    """How alike the answer and the expected text are, 0 to 1."""

    kind: Literal["similarity"]
    method: Literal["characters", "words", "word_set"] = Field(
        default="characters",
        description="rapidfuzz's `ratio`, `token_sort_ratio` or `token_set_ratio`, divided by 100.",
    )

    @property
    def is_binary(self) -> bool:
        return False


class Judge(_Spec):
    """A model of the registry judges answers, in a benchmark of its own. Started by request.

    `pointwise`: it gives each answer a level from 1 to `levels`; the score is 0 for the lowest and
    1 for the highest. `pairwise`: it says which of two benchmarks' answers is better, asked twice
    with the sides swapped; the score is the part of the two that the answer has won, a tie being
    half of one.
    """

    kind: Literal["judge"]
    model_id: Id = Field(description="A model of the registry.")
    mode: Literal["pointwise", "pairwise"] = "pointwise"
    instructions: str = Field(
        default="Judge how correct, complete and helpful the answer is.",
        min_length=1,
        max_length=20_000,
        description="What to judge by, in plain words.",
    )
    levels: int = Field(default=5, ge=2, le=10, description="Levels of a pointwise verdict.")
    reason: bool = Field(
        default=True, description="Ask for a sentence of reason before the verdict."
    )
    most_rows: PositiveInt = Field(
        default=1000,
        le=1_000_000,
        description="Judge at most so many rows, the same ones for every benchmark of a dataset.",
    )
    sampling: Sampling = Field(default_factory=lambda: Sampling(temperature=0, max_tokens=256))

    @property
    def is_binary(self) -> bool:
        return False


GraderSpec = Annotated[
    Exact | Normalized | Contains | Regex | Numeric | JsonValid | JsonSchema | Similarity | Judge,
    Field(discriminator="kind"),
]


class GraderDraft(Strict):
    """A grader to be made: of a dataset, and so of each benchmark over it, or of one benchmark."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"name": "right", "dataset_id": "ds_4f1c0a9be27d", "spec": {"kind": "normalized"}}
            ]
        },
    )

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)] = (
        Field(pattern=r"^[^\x00-\x1f]*$", description="Heads the column of its scores.")
    )
    dataset_id: Id | None = None
    benchmark_id: Id | None = None
    spec: GraderSpec

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.dataset_id is None) == (self.benchmark_id is None):
            raise ValueError("give either dataset_id or benchmark_id")
        return self


class GraderChange(Strict):
    """What a grader is to do from now on."""

    spec: GraderSpec


class JudgeRequest(Strict):
    """Have a benchmark's answers judged by a grader's model."""

    grader_id: Id = Field(description="A grader of kind `judge`.")
    against_id: Id | None = Field(
        default=None, description="The other benchmark, for a pairwise judge."
    )


class Grader(BaseModel):
    """A grader, and what it grades."""

    grader_id: str = Field(examples=["gr_7c0d81f2ab34"])
    name: str
    dataset_id: str | None
    benchmark_id: str | None
    spec: GraderSpec
    version: str = Field(description="Changes with the specification and the code of grading.")
    revision: int = Field(description="Times that its scores were asked to be computed.")
    created_at: datetime


class GraderList(BaseModel):
    graders: list[Grader]
    total: int


class ScoreState(StrEnum):
    """How far a benchmark's scores are."""

    PENDING = "pending"
    """Some results have no score yet."""
    COMPLETE = "complete"
    """The benchmark has ended and every result has been graded."""
    FAILED = "failed"
    """The judge's own benchmark failed or was cancelled before it judged anything."""


class Interval(BaseModel):
    """An interval that covers the truth in at least 95 % of cases, unless it says otherwise."""

    low: float
    high: float
    confidence: float = 0.95


class ScoreColumn(BaseModel):
    """The scores of one benchmark by one grader, and what they amount to."""

    key: str = Field(
        description="Names the column in results, filters and sorting: the grader's id, and for a "
        "pairwise judge after a colon the benchmark that was compared with."
    )
    grader: Grader
    benchmark_id: str
    against_id: str | None = Field(description="The other benchmark of a pairwise judge.")
    judge_id: str | None = Field(description="The judge's own benchmark.")
    state: ScoreState
    scored: int = Field(description="Results with a score.")
    errors: int = Field(description="Results that the grader could not grade; each says why.")
    mean: float | None
    interval: Interval | None = Field(description="95 % interval of the mean.")


class ScoreColumns(BaseModel):
    benchmark_id: str
    columns: list[ScoreColumn]
