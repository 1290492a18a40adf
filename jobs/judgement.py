"""The records of blind votes: what is dealt, what is said, and what comes of it.

Neither Ray nor SQL is imported here.
"""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from jobs.schemas.base import Strict
from jobs.schemas.requests import Request


class Choice(StrEnum):
    """What a person says about the two answers before them."""

    LEFT = "left"
    RIGHT = "right"
    TIE = "tie"
    BOTH_BAD = "both_bad"


class Preferred(StrEnum):
    """The same about two benchmarks, in the order of their ids."""

    FIRST = "first"
    SECOND = "second"
    TIE = "tie"
    BOTH_BAD = "both_bad"


class Ballot(BaseModel):
    """Two answers to one request. Whose they are is not said, and which is left is random."""

    ballot_id: str
    custom_id: str
    request: Request | None = Field(description="None when the dataset has been deleted.")
    left: str
    right: str


class Deal(BaseModel):
    """Ballots for one person, who may ask for more at any time."""

    ballots: list[Ballot] = Field(
        description="Open ones that were dealt before come first, as they were dealt."
    )
    voted: int = Field(description="Votes of this person on these benchmarks so far.")
    remaining: int = Field(
        description="Pairs of answers that this person has not voted on, those dealt included; "
        "beyond 50,000 requests an estimate."
    )
    goal: int = Field(
        description="A sensible number of votes: 50 per pair of benchmarks, which tell a share of "
        "half from one of two thirds, or all that there are."
    )


class VoteRequest(Strict):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"choice": "left"}]})

    choice: Choice


class Vote(BaseModel):
    """A ballot's state."""

    ballot_id: str
    choice: Choice | None = Field(description="None: open, or taken back.")
    author: str
    voted_at: datetime | None


class Standing(BaseModel):
    """How one benchmark fares in the votes."""

    benchmark_id: str
    strength: float = Field(
        description="Bradley–Terry log-odds of being preferred, relative to the mean."
    )
    strength_low: float
    strength_high: float
    win_rate: float = Field(
        description="Expected share of votes won against the others, ties counted half."
    )
    win_rate_low: float
    win_rate_high: float
    probability_best: float = Field(description="That it is the strongest of those compared.")
    wins: int
    losses: int
    ties: int
    both_bad: int


class PairStanding(BaseModel):
    """The votes on two benchmarks."""

    first_id: str
    second_id: str
    first: int = Field(description="Votes for the first.")
    second: int
    tie: int
    both_bad: int


class Voter(BaseModel):
    author: str
    votes: int
    last_voted_at: datetime


class Standings(BaseModel):
    """What people's votes say about benchmarks. Intervals are of 95 %."""

    standings: list[Standing] = Field(description="In the order asked for.")
    pairs: list[PairStanding]
    votes: int
    voters: list[Voter] = Field(description="Most votes first.")
    verdict: str = Field(
        examples=["Qwen 3 4B is preferred: it wins 68 % [58, 77] of 92 votes, ties counted half."]
    )
