"""What people's blind votes say about benchmarks."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import func, select

from cluster.database import session
from jobs import ballots, benchmarks, preferences
from jobs.judgement import PairStanding, Preferred, Standing, Standings, Voter
from jobs.models import BallotRow
from jobs.preferences import Duel, Preferences
from jobs.schemas.benchmarks import Benchmark

_SCORES = {
    Preferred.FIRST: 1.0,
    Preferred.SECOND: 0.0,
    Preferred.TIE: 0.5,
    Preferred.BOTH_BAD: 0.5,
}
# For two models this is where the 95 % interval of the share of votes leaves one half.
_SURE = 0.975


def standings(benchmark_ids: Sequence[str]) -> Standings:
    """Strengths of benchmarks among themselves, by all votes on two of them.

    Raises:
        InvalidRequest: these are not two benchmarks.
        NotFound: no such benchmark.
    """
    ids = ballots.ordered(benchmark_ids)
    names = _names([benchmarks.get(one) for one in ids])
    voted = ballots.among(ids) & BallotRow.choice.is_not(None)
    with session() as sql:
        rows = sql.execute(
            select(
                BallotRow.first_id, BallotRow.second_id, BallotRow.custom_id, BallotRow.choice
            ).where(voted)
        ).all()
        by_person = sql.execute(
            select(BallotRow.author, func.count(), func.max(BallotRow.voted_at))
            .where(voted)
            .group_by(BallotRow.author)
            .order_by(func.count().desc(), BallotRow.author)
        ).all()
    choices = Counter((first, second, Preferred(choice)) for first, second, _, choice in rows)
    duels = [
        Duel(ids.index(first), ids.index(second), custom_id, _SCORES[Preferred(choice)])
        for first, second, custom_id, choice in rows
    ]
    found = preferences.estimate(len(ids), duels)
    asked = list(dict.fromkeys(benchmark_ids))
    return Standings(
        standings=[_standing(one, ids.index(one), found, choices) for one in asked],
        pairs=[
            PairStanding(
                first_id=first,
                second_id=second,
                **{choice.value: choices[first, second, choice] for choice in Preferred},
            )
            for first, second in ((ids[a], ids[b]) for a, b in preferences.pairs(len(ids)))
        ],
        votes=len(rows),
        voters=[
            Voter(author=who, votes=many, last_voted_at=at)
            for who, many, at in by_person
            if at is not None  # a vote has a time; the column has not, while its ballot is open
        ],
        verdict=verdict(names, found, len(rows)),
    )


def verdict(names: Sequence[str], found: Preferences, votes: int) -> str:
    """The votes in a sentence."""
    if votes == 0:
        return "No votes yet."
    many = f"{votes:,} vote{'s' * (votes != 1)}"
    best = max(range(len(names)), key=lambda at: found.models[at].strength)
    if found.probability_best[best] < _SURE:
        return f"No preference shown by {many}."
    low, high = found.models[best].win_rate_interval
    share = f"{found.models[best].win_rate:.0%} [{100 * low:.0f}, {100 * high:.0f}]"
    others = "" if len(names) == 2 else " against the others"
    return (
        f"{names[best]} is preferred: it wins {share.replace('%', ' %')}{others} by {many}, "
        "ties counted half."
    )


def _standing(
    benchmark_id: str,
    at: int,
    found: Preferences,
    choices: Counter[tuple[str, str, Preferred]],
) -> Standing:
    model = found.models[at]
    as_first = Counter[Preferred]()
    as_second = Counter[Preferred]()
    for (first, second, choice), many in choices.items():
        if first == benchmark_id:
            as_first[choice] += many
        elif second == benchmark_id:
            as_second[choice] += many
    both = as_first + as_second
    return Standing(
        benchmark_id=benchmark_id,
        strength=model.strength,
        strength_low=model.interval[0],
        strength_high=model.interval[1],
        win_rate=model.win_rate,
        win_rate_low=model.win_rate_interval[0],
        win_rate_high=model.win_rate_interval[1],
        probability_best=found.probability_best[at],
        wins=as_first[Preferred.FIRST] + as_second[Preferred.SECOND],
        losses=as_first[Preferred.SECOND] + as_second[Preferred.FIRST],
        ties=both[Preferred.TIE],
        both_bad=both[Preferred.BOTH_BAD],
    )


def _names(found: Sequence[Benchmark]) -> list[str]:
    """Model names, told apart where two benchmarks are of one model."""
    count = Counter(one.model_name for one in found)
    return [
        one.model_name if count[one.model_name] == 1 else f"{one.model_name} ({one.benchmark_id})"
        for one in found
    ]
