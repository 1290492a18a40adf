"""Blind pairwise votes."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from jobs import ballots, standings
from jobs.judgement import Deal, Standings, Vote, VoteRequest
from jobs.schemas.base import Id
from serve_app.author import Author
from serve_app.errors import responses

router = APIRouter(prefix="/admin/votes", tags=["votes"])

BenchmarkIds = Annotated[
    list[Id], Query(alias="benchmark_id", min_length=2, max_length=8, description="Two to eight.")
]
BallotId = Annotated[Id, Path(description="A ballot's id.")]


@router.post("/ballots", summary="Deal ballots", responses=responses(404, 422))
def deal_ballots(
    benchmark_ids: BenchmarkIds,
    author: Author,
    count: Annotated[
        int, Query(ge=1, le=50, description="Open ballots that the person then has.")
    ] = 10,
) -> Deal:
    """Pairs of answers to vote on, without saying whose they are; `x-author` says who votes. Open
    ballots that were dealt before come first, so asking again while some are left gives those and
    more."""
    return ballots.deal(benchmark_ids, author, count)


@router.put("/ballots/{ballot_id}", summary="Vote", responses=responses(404, 422))
def vote(ballot_id: BallotId, asked: VoteRequest) -> Vote:
    """Say which answer is better. A later vote on the same ballot replaces an earlier one."""
    return ballots.vote(ballot_id, asked.choice)


@router.delete("/ballots/{ballot_id}", summary="Take a vote back", responses=responses(404))
def take_vote_back(ballot_id: BallotId) -> Vote:
    """Open the ballot again. Repeating it changes nothing."""
    return ballots.take_back(ballot_id)


@router.get("/standings", summary="What the votes say", responses=responses(404, 422))
def get_standings(benchmark_ids: BenchmarkIds) -> Standings:
    """Bradley–Terry strengths of benchmarks by the votes on any two of them, with intervals."""
    return standings.standings(benchmark_ids)
