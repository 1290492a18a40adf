"""Blind pairwise voting: dealing ballots and taking votes.

A ballot is a row in SQL before its texts leave the server, and its random id is all that the client
learns of whose answers they are. A person gets each pair of answers to a request once, rows at
random, pairs of benchmarks so that all get equally many votes. Answers that are the same are not
dealt, since nothing could be said about them.
"""

import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import IntegrityError

from cluster.database import session
from jobs import benchmarks, parts, preferences, queries, results
from jobs.errors import InvalidRequest, NotFound
from jobs.judgement import Ballot, Choice, Deal, Preferred, Vote
from jobs.models import BallotRow
from jobs.queries import Source

_GOAL_PER_PAIR = 50
# Of larger benchmarks a random part is looked at, so that a deal takes a second at any size
# (measured on 2 cores: 1.2 s for all of 2 x 100,000 results).
_MOST_ROWS = 50_000

Pair = tuple[str, str]
"""Two benchmarks in the order of their ids."""


@dataclass(frozen=True, slots=True)
class _Found:
    """Two answers to one request that differ."""

    pair: Pair
    custom_id: str
    rows: tuple[int, int]


@queries.repeated
def deal(benchmark_ids: Sequence[str], author: str | None, count: int) -> Deal:
    """Give a person ballots until they have ``count`` open ones, as far as there are.

    Raises:
        InvalidRequest: they have no name, or these are not two benchmarks.
        NotFound: no such benchmark.
    """
    if author is None:
        raise InvalidRequest("missing_author", "Say who votes: send a name in `x-author`.")
    ids = ordered(benchmark_ids)
    try:
        return _deal(ids, author, count)
    except IntegrityError:
        # The same person was dealt the same answers in another window just now; they are open
        # ballots from here on. Or a benchmark was deleted, and this says so.
        return _deal(ids, author, count)


def ordered(benchmark_ids: Iterable[str]) -> list[str]:
    """Benchmarks in the order in which their votes are kept, each once.

    Raises:
        InvalidRequest: fewer than two.
    """
    ids = sorted(set(benchmark_ids))
    if len(ids) < 2:
        raise InvalidRequest("one_benchmark", "Votes are on two or more benchmarks.")
    return ids


def vote(ballot_id: str, choice: Choice) -> Vote:
    """Say which answer is better. A later vote on the same ballot replaces an earlier one.

    Raises:
        NotFound: no such ballot.
    """
    with session() as sql:
        row = _get(sql.get(BallotRow, ballot_id), ballot_id)
        row.choice = _preferred(choice, swapped=row.swapped).value
        row.voted_at = datetime.now(UTC)
    return _vote(row)


def take_back(ballot_id: str) -> Vote:
    """Open a ballot again. Repeating it changes nothing.

    Raises:
        NotFound: no such ballot.
    """
    with session() as sql:
        row = _get(sql.get(BallotRow, ballot_id), ballot_id)
        row.choice = row.voted_at = None
    return _vote(row)


def among(ids: Sequence[str]) -> ColumnElement[bool]:
    """The condition that a ballot is on two of ``ids``."""
    return BallotRow.first_id.in_(ids) & BallotRow.second_id.in_(ids)


def _deal(ids: list[str], author: str, count: int) -> Deal:
    mine = among(ids) & (BallotRow.author == author)
    with session() as sql:
        for one in ids:
            benchmarks.row(sql, one)
        dealt = sql.scalars(select(BallotRow).where(mine).order_by(BallotRow.created_at)).all()
        per_pair = (
            select(BallotRow.first_id, BallotRow.second_id, func.count())
            .where(among(ids), BallotRow.choice.is_not(None))
            .group_by(BallotRow.first_id, BallotRow.second_id)
        )
        votes = Counter({(first, second): n for first, second, n in sql.execute(per_pair)})
    opened = [row for row in dealt if row.choice is None]
    with queries.connect() as db:
        sources = [queries.source(db, one, f"results_{at}") for at, one in enumerate(ids)]
        share = _differing(db, sources)
        _take_away(db, dealt)
        left = Counter(dict(_left(db)))
        found = _sample(db, _spread(left, votes, count - len(opened)))
        made = [_row(one, author) for one in found]
        with session() as sql:
            sql.add_all(made)
        shown = _shown(db, sources, [*opened[:count], *made])
    voted = len(dealt) - len(opened)
    remaining = round(left.total() / share) + len(opened)
    goal = min(voted + remaining, _GOAL_PER_PAIR * len(preferences.pairs(len(ids))))
    return Deal(ballots=shown, voted=voted, remaining=remaining, goal=goal)


def _differing(db: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> float:
    """Make ``differing``: a narrow row per pair of benchmarks and request that both have answered,
    differently. Returns the share of the results that were looked at."""
    chunks, share = _looked_at(sources)
    for at, of in enumerate(sources):
        relation, values = of.name, dict[str, Any]()
        if chunks:
            relation = "read_parquet($paths)"
            values["paths"] = [parts.part_path(of.spec.benchmark_id, index) for index in chunks]
        db.execute(
            f"""
            CREATE TEMP TABLE side_{at} AS
            SELECT custom_id, row_id, hash(text) AS text FROM {relation}
            WHERE {queries.SUCCEEDED} AND text IS NOT NULL
            """,
            values,
        )
    names = {f"id_{at}": of.spec.benchmark_id for at, of in enumerate(sources)}
    selects = [
        f"""
        SELECT $id_{a} AS first_id, $id_{b} AS second_id, custom_id,
               first.row_id AS first_row, second.row_id AS second_row
        FROM side_{a} AS first JOIN side_{b} AS second USING (custom_id)
        WHERE first.text <> second.text
        """
        for a, b in preferences.pairs(len(sources))
    ]
    db.execute(f"CREATE TEMP TABLE differing AS {' UNION ALL '.join(selects)}", names)
    return share


def _looked_at(sources: Sequence[Source]) -> tuple[list[int], float]:
    """Random chunks to look at, and their share of all; none: everything is looked at."""
    first = sources[0].spec
    # Chunks are of the same requests when the benchmarks are over the same dataset.
    if first.total <= _MOST_ROWS or any(
        of.spec.dataset_id != first.dataset_id or of.spec.chunk_rows != first.chunk_rows
        for of in sources
    ):
        return [], 1.0
    there = sorted(frozenset.intersection(*(of.done for of in sources)))
    many = _MOST_ROWS // first.chunk_rows
    if len(there) <= many:
        return [], 1.0
    return secrets.SystemRandom().sample(there, many), many / len(there)


def _take_away(db: duckdb.DuckDBPyConnection, dealt: Sequence[BallotRow]) -> None:
    """Make ``fresh``: what of ``differing`` a person was not dealt before."""
    columns = {
        "first_id": pa.array((row.first_id for row in dealt), pa.string()),
        "second_id": pa.array((row.second_id for row in dealt), pa.string()),
        "custom_id": pa.array((row.custom_id for row in dealt), pa.string()),
    }
    db.register("dealt", pa.table(columns))
    db.execute(
        """
        CREATE TEMP VIEW fresh AS
        SELECT * FROM differing ANTI JOIN dealt USING (first_id, second_id, custom_id)
        """
    )


def _left(db: duckdb.DuckDBPyConnection) -> list[tuple[Pair, int]]:
    query = "SELECT first_id, second_id, count(*) FROM fresh GROUP BY ALL"
    return [((first, second), many) for first, second, many in db.execute(query).fetchall()]


def _spread(left: Counter[Pair], votes: Counter[Pair], count: int) -> Counter[Pair]:
    """How many of ``count`` ballots to deal of each pair: those with the fewest votes first."""
    taken: Counter[Pair] = Counter()
    for _ in range(max(min(count, left.total()), 0)):
        possible = [pair for pair in sorted(left) if left[pair] > taken[pair]]
        taken[min(possible, key=lambda pair: votes[pair] + taken[pair])] += 1
    return taken


def _sample(db: duckdb.DuckDBPyConnection, wanted: Counter[Pair]) -> list[_Found]:
    found: list[_Found] = []
    for pair, many in wanted.items():
        rows = db.execute(
            """
            SELECT custom_id, first_row, second_row FROM fresh
            WHERE first_id = $1 AND second_id = $2 ORDER BY random() LIMIT $3
            """,
            [*pair, many],
        ).fetchall()
        found += [_Found(pair, custom_id, (first, second)) for custom_id, first, second in rows]
    secrets.SystemRandom().shuffle(found)
    return found


def _row(found: _Found, author: str) -> BallotRow:
    return BallotRow(
        id=secrets.token_hex(16),
        first_id=found.pair[0],
        second_id=found.pair[1],
        custom_id=found.custom_id,
        first_row=found.rows[0],
        second_row=found.rows[1],
        swapped=bool(secrets.randbits(1)),
        author=author,
        created_at=datetime.now(UTC),
    )


def _shown(
    db: duckdb.DuckDBPyConnection, sources: Sequence[Source], rows: Sequence[BallotRow]
) -> list[Ballot]:
    texts: dict[tuple[str, int], str] = {}
    datasets: dict[str, str] = {}
    for of in sources:
        name = of.spec.benchmark_id
        datasets[name] = of.spec.dataset_id
        wanted = [row.first_row for row in rows if row.first_id == name]
        wanted += [row.second_row for row in rows if row.second_id == name]
        for row_id, result in queries.fetch(db, of, wanted, ["text"]).items():
            texts[name, row_id] = result["text"] or ""
    ballots: list[Ballot] = []
    for row in rows:
        first = texts.get((row.first_id, row.first_row))
        second = texts.get((row.second_id, row.second_row))
        if first is None or second is None:
            continue  # a retry has opened its chunk in this moment
        ballots.append(
            Ballot(
                ballot_id=row.id,
                custom_id=row.custom_id,
                request=results.request(datasets[row.first_id], row.first_row),
                left=second if row.swapped else first,
                right=first if row.swapped else second,
            )
        )
    return ballots


def _get(row: BallotRow | None, ballot_id: str) -> BallotRow:
    if row is None:
        raise NotFound(
            "ballot_not_found", f"There is no ballot {ballot_id!r}. Was a benchmark deleted?"
        )
    return row


def _preferred(choice: Choice, *, swapped: bool) -> Preferred:
    sides = {Choice.LEFT: Preferred.FIRST, Choice.RIGHT: Preferred.SECOND}
    if swapped:
        sides = {Choice.LEFT: Preferred.SECOND, Choice.RIGHT: Preferred.FIRST}
    return sides.get(choice) or Preferred(choice.value)


def _vote(row: BallotRow) -> Vote:
    chosen = next(
        (
            choice
            for choice in Choice
            if row.choice == _preferred(choice, swapped=row.swapped).value
        ),
        None,
    )
    return Vote(ballot_id=row.id, choice=chosen, author=row.author, voted_at=row.voted_at)
