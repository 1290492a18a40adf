"""Which benchmark is better, and is that more than chance: scores compared pair by pair, and how
much a model differs from itself beside how much it differs from others.

The arithmetic is in :mod:`jobs.differences`; this gathers what it needs.
"""

import time
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations

from pydantic import BaseModel, Field

from jobs import benchmarks, differences, joins, names, queries, scores
from jobs.agreement import PairAgreement
from jobs.compare import PATIENCE
from jobs.differences import Difference, Finding, Pair
from jobs.errors import NotReady
from jobs.intervals import Sums
from jobs.queries import one
from jobs.schemas.benchmarks import Benchmark, Status
from jobs.scores import Column
from jobs.scoring import GraderSpec, ScoreColumn

# Among so many of a model's newest benchmarks of a dataset a rerun is looked for.
_LOOKED_AT = 50


class Rerun(BaseModel):
    """A model against itself: the same model, dataset and sampling, run twice."""

    benchmark_id: str
    rerun_id: str
    agreement: PairAgreement


class ScoreChange(BaseModel):
    """How far a model's scores change when it is run again."""

    benchmark_id: str
    rerun_id: str
    rows: int
    changed: float | None = Field(description="Share of rows whose score is another.")
    difference: float | None = Field(description="Mean of the rerun less that of the first run.")


class GraderVerdict(BaseModel):
    """What one grader's scores say."""

    name: str
    spec: GraderSpec
    headline: str = Field(examples=["B is better by 4.1 points [1.2, 7.0]."])
    columns: list[ScoreColumn | None] = Field(description="In the order of the benchmarks.")
    differences: list[Difference] = Field(description="Of each pair that has such scores.")
    noise: list[ScoreChange]


class Verdicts(BaseModel):
    """What a comparison shows."""

    benchmark_ids: list[str]
    names: list[str] = Field(description="What the sentences call them.")
    graders: list[GraderVerdict]
    agreements: list[PairAgreement] = Field(description="Of each pair.")
    noise: list[Rerun] = Field(
        description="The noise floor: of each benchmark that has a rerun. A difference between "
        "models that is not larger than a model's from itself says nothing of the models."
    )
    pending: bool = Field(
        description="Some agreements are missing because answers are still being compared. Ask "
        "again in a few seconds."
    )


def verdicts(benchmark_ids: Sequence[str], patience: float | None = PATIENCE) -> Verdicts:
    """What the scores and answers of benchmarks show, as far as they exist, and as far as it can be
    found out in ``patience`` seconds (without end if None)."""
    found = [benchmarks.get(benchmark_id) for benchmark_id in benchmark_ids]
    reruns = [(one, rerun) for one in found if (rerun := _rerun(one)) is not None]
    until = None if patience is None else time.monotonic() + patience
    among = _agreements(found, until)
    again = [(one, rerun, _agreements([one, rerun], until)) for one, rerun in reruns]
    return Verdicts(
        benchmark_ids=list(benchmark_ids),
        names=names.distinct(found),
        graders=[_of_grader(found, group, reruns) for group in _groups(found)],
        agreements=among or [],
        noise=[
            Rerun(
                benchmark_id=one.benchmark_id,
                rerun_id=rerun.benchmark_id,
                agreement=agreements[0],
            )
            for one, rerun, agreements in again
            if agreements
        ],
        pending=None in (among, *(agreements for _, _, agreements in again)),
    )


def _rerun(of: Benchmark) -> Benchmark | None:
    """The newest other completed benchmark that should have come out the same."""
    others, _ = benchmarks.all_benchmarks(
        _LOOKED_AT, 0, [Status.COMPLETED], of.dataset_id, of.model_id
    )
    for other in others:
        if other.benchmark_id != of.benchmark_id and other.sampling == of.sampling:
            return other
    return None


def _agreements(found: Sequence[Benchmark], until: float | None) -> list[PairAgreement] | None:
    """None if it is not known by then."""
    patience = None if until is None else max(until - time.monotonic(), 0)
    try:
        return joins.agreements(found, patience)
    except NotReady:
        return None


Group = list[Column | None]
"""The columns of scores that are comparable, one for each benchmark that has it."""


def _groups(found: Sequence[Benchmark]) -> list[Group]:
    """By name and specification, so that graders of two datasets that are the same meet. Pairwise
    judges compare two, and so are a group for each two."""
    groups: dict[tuple[str, str, frozenset[str]], Group] = {}
    for at, benchmark in enumerate(found):
        for column in scores.columns(benchmark):
            pair = (
                frozenset({benchmark.benchmark_id, column.against_id})
                if column.against_id is not None
                else frozenset[str]()
            )
            if not pair <= {one.benchmark_id for one in found}:
                continue
            group = groups.setdefault(
                (column.grader.name, column.grader.version, pair), [None] * len(found)
            )
            group[at] = column
    return list(groups.values())


def _of_grader(
    found: Sequence[Benchmark], group: Group, reruns: Sequence[tuple[Benchmark, Benchmark]]
) -> GraderVerdict:
    called = names.distinct(found)
    there = [(name, column) for name, column in zip(called, group, strict=True) if column]
    first = there[0][1]
    pairs = [
        Pair(
            a.benchmark.benchmark_id,
            b.benchmark.benchmark_id,
            name_a,
            name_b,
            *_compared(a, b),
            binary=first.grader.spec.is_binary,
        )
        for (name_a, a), (name_b, b) in combinations(there, 2)
    ]
    judged = differences.judge(pairs)
    summaries = [scores.summary(column) if column else None for column in group]
    return GraderVerdict(
        name=first.grader.name,
        spec=first.grader.spec,
        headline=_headline(called, summaries, judged),
        columns=summaries,
        differences=judged,
        noise=_noise([column for _, column in there], reruns),
    )


def _headline(
    called: Sequence[str], columns: Sequence[ScoreColumn | None], judged: Sequence[Difference]
) -> str:
    if not judged:
        return "One benchmark alone has such scores."
    if len(judged) == 1:
        return judged[0].sentence
    means = [
        (column.mean, column.benchmark_id, name)
        for name, column in zip(called, columns, strict=True)
        if column is not None and column.mean is not None
    ]
    if len(means) < 2:
        return "No two benchmarks have such scores yet."
    _, best, name = max(means)
    rivals = [one for one in judged if best in (one.first_id, one.second_id) and one.rows]
    beaten = [one for one in rivals if one.finding is not Finding.NOT_SHOWN]
    if rivals and len(beaten) == len(rivals):
        return f"{name} is better than each of the other {len(rivals)}."
    return (
        f"{name} has the highest mean, but is shown to be better than {len(beaten)} of the other "
        f"{len(rivals)} only."
    )


def _noise(
    there: Sequence[Column], reruns: Sequence[tuple[Benchmark, Benchmark]]
) -> list[ScoreChange]:
    again = {one.benchmark_id: rerun for one, rerun in reruns}
    found: list[ScoreChange] = []
    for column in there:
        rerun = again.get(column.benchmark.benchmark_id)
        if rerun is None or column.against_id is not None:
            continue
        same = [one for one in scores.columns(rerun) if one.grader == column.grader]
        if not same:
            continue
        sums, fewer, more = _compared(column, same[0])
        found.append(
            ScoreChange(
                benchmark_id=column.benchmark.benchmark_id,
                rerun_id=rerun.benchmark_id,
                rows=sums.count,
                changed=(fewer + more) / sums.count if sums.count else None,
                difference=sums.mean if sums.count else None,
            )
        )
    return found


Compared = tuple[Sums, int, int]
"""Of the second's scores less the first's: sums, in how many rows the first is ahead, and the
second."""


def _compared(first: Column, second: Column) -> Compared:
    asked = (
        first.benchmark.benchmark_id,
        second.benchmark.benchmark_id,
        tuple(first.paths()),
        tuple(second.paths()),
    )
    # The names of complete scores say when the benchmarks ended, so what they hold never changes.
    if first.is_complete and second.is_complete:
        return _remembered(*asked)
    return _read(*asked)


@lru_cache(maxsize=512)
def _remembered(
    first_id: str, second_id: str, first: tuple[str, ...], second: tuple[str, ...]
) -> Compared:
    return _read(first_id, second_id, first, second)


def _read(
    first_id: str, second_id: str, first: tuple[str, ...], second: tuple[str, ...]
) -> Compared:
    found = [benchmarks.get(first_id), benchmarks.get(second_id)]
    with queries.connect() as db:
        scores.view(db, first, "first_scores")
        scores.view(db, second, "second_scores")
        if found[0].dataset_id == found[1].dataset_id:
            both = "first_scores a JOIN second_scores b USING (row_id)"
        else:
            joins.open_sources(db, found)
            both = """
                first_scores a JOIN results_0 ON results_0.row_id = a.row_id
                JOIN results_1 USING (custom_id)
                JOIN second_scores b ON results_1.row_id = b.row_id
            """
        count, total, squares, fewer, more = one(
            db,
            f"""
            SELECT count(*), coalesce(sum(d), 0), coalesce(sum(d * d), 0),
                   count(*) FILTER (d < 0), count(*) FILTER (d > 0)
            FROM (SELECT b.score - a.score AS d FROM {both}) WHERE d IS NOT NULL
            """,
        )
    return Sums(count, total, squares), fewer, more
