"""Scores on storage: beside the results, one folder per grader and version. To read them.

``benchmarks/<id>/scores/<grader>-<version>-<revision>/`` holds a part per chunk while the benchmark
runs, and one file of all, named by when the benchmark ended, once it has ended and every result is
graded. A score names the result that it is of by ``row_id`` and ``finished_at``, so an answer that
was asked anew has none until it is graded too. :mod:`jobs.scorer` writes them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import duckdb
import pyarrow as pa

from cluster.storage import storage
from jobs import graders, intervals, judgements
from jobs.analysis import ResultFilter, Sort
from jobs.errors import InvalidRequest, NotFound
from jobs.intervals import Sums
from jobs.queries import Row, Source, one
from jobs.schemas.benchmarks import Benchmark, Status
from jobs.schemas.results import Score
from jobs.scoring import Grader, Judge, ScoreColumn, ScoreState

SCHEMA = pa.schema(
    [
        ("row_id", pa.int64()),
        ("finished_at", pa.timestamp("us", tz="UTC")),
        ("score", pa.float64()),
        ("error", pa.string()),
        ("note", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Column:
    """Where the scores of a benchmark by one grader are."""

    grader: Grader
    benchmark: Benchmark
    judge: Benchmark | None = None
    """The judge's own benchmark."""
    against_id: str | None = None

    @property
    def key(self) -> str:
        """Its name in the API."""
        own = self.grader.grader_id
        return f"{own}:{self.against_id}" if self.against_id else own

    @property
    def folder(self) -> str:
        name = f"{self.grader.grader_id}-{self.grader.version}-{self.grader.revision}"
        if self.judge is not None:
            name += f"-{self.judge.benchmark_id}"
        return f"benchmarks/{self.benchmark.benchmark_id}/scores/{name}"

    def part(self, index: int) -> str:
        return f"{self.folder}/{index:07d}.parquet"

    @property
    def whole(self) -> str | None:
        """The file of all scores; none while there can be none."""
        ended = [self.benchmark.completed_at]
        if self.judge is not None:
            ended.append(self.judge.completed_at)
        if None in ended:
            return None
        stamps = "-".join(f"{one.timestamp() * 1e6:.0f}" for one in ended if one is not None)
        return f"{self.folder}/whole-{stamps}.parquet"

    @property
    def is_complete(self) -> bool:
        return self.whole is not None and storage().exists(self.whole)

    def paths(self) -> list[str]:
        """What of it can be read now."""
        if self.whole is not None and storage().exists(self.whole):
            return [storage().url(self.whole)]
        names = [name for name in storage().list(self.folder) if not name.startswith("whole")]
        return [storage().url(f"{self.folder}/{name}") for name in names]


def columns(benchmark: Benchmark) -> list[Column]:
    """A benchmark's columns of scores, in the order in which their graders were made. A judge has
    one for each time that it was asked with its present specification, the newest per opponent."""
    found: list[Column] = []
    judged = judgements.of_benchmark(benchmark.benchmark_id)
    for grader in graders.of_benchmark(benchmark):
        if not isinstance(grader.spec, Judge):
            found.append(Column(grader, benchmark))
    by_side: dict[tuple[str, str | None], Column] = {}
    for judgement in judged:
        by_side[judgement.grader.grader_id, judgement.against_id] = Column(
            judgement.grader, benchmark, judgement.judge, judgement.against_id
        )
    return found + list(by_side.values())


def find(benchmark: Benchmark, key: str) -> Column:
    """The column of that name.

    Raises:
        NotFound: there is none.
    """
    for column in columns(benchmark):
        if column.key == key:
            return column
    raise NotFound(
        "score_not_found", f"Benchmark {benchmark.benchmark_id!r} has no scores {key!r}."
    )


def summary(column: Column) -> ScoreColumn:
    """What a column's scores amount to, as far as they exist."""
    if column.is_complete and column.whole is not None:
        figures = _sums(column.whole)
    else:
        figures = _read_sums(column.paths())
    sums, errors = figures
    if sums.count == 0:
        interval = None
    elif column.grader.spec.is_binary:
        interval = intervals.of_share(sums.count, round(sums.total))
    else:
        interval = intervals.of_mean(sums)
    return ScoreColumn(
        key=column.key,
        grader=column.grader,
        benchmark_id=column.benchmark.benchmark_id,
        against_id=column.against_id,
        judge_id=column.judge.benchmark_id if column.judge else None,
        state=_state(column),
        scored=sums.count,
        errors=errors,
        mean=sums.mean if sums.count else None,
        interval=interval,
    )


def view(db: duckdb.DuckDBPyConnection, paths: Sequence[str], name: str) -> None:
    """Make a view of a column's scores, with the fields of :data:`SCHEMA`."""
    if paths:
        db.execute(f"SET VARIABLE {name}_paths = $1", [list(paths)])
        query = f"SELECT * FROM read_parquet(getvariable('{name}_paths'))"
        db.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {query}")
    else:
        db.register(name, SCHEMA.empty_table())


def named(benchmark: Benchmark, only: ResultFilter, sort: Sort = Sort.ROW_ID) -> Column | None:
    """The column that a filter or an order is about, if it is about scores.

    Raises:
        InvalidRequest: which scores is not said.
        NotFound: there are none of that name.
    """
    if not only.is_of_scores and sort is not Sort.SCORE:
        return None
    if only.score is None:
        raise InvalidRequest(
            "score_not_named", "Say by `score` which column of scores is meant; `…/scores` lists."
        )
    return find(benchmark, only.score)


def prepare(
    db: duckdb.DuckDBPyConnection,
    of: Source,
    benchmark: Benchmark,
    only: ResultFilter,
    sort: Sort = Sort.ROW_ID,
) -> Column | None:
    """Make the view of those scores that :func:`jobs.queries.condition` reads, as :func:`named`."""
    column = named(benchmark, only, sort)
    if column is not None:
        view(db, column.paths(), f"{of.name}_score")
    return column


def of_rows(
    db: duckdb.DuckDBPyConnection, found: Sequence[Column], rows: Iterable[Row]
) -> dict[int, dict[str, Score]]:
    """The scores of results by row id and column."""
    finished = {row["row_id"]: row["finished_at"] for row in rows}
    scores: dict[int, dict[str, Score]] = {row_id: {} for row_id in finished}
    for at, column in enumerate(found):
        view(db, column.paths(), f"scores_of_rows_{at}")
        table: pa.Table = db.sql(
            f"SELECT * FROM scores_of_rows_{at} WHERE row_id IN (SELECT unnest($ids))",
            params={"ids": list(finished)},
        ).to_arrow_table()
        for row in table.to_pylist():
            if row["finished_at"] == finished[row["row_id"]]:
                score = Score(value=row["score"], error=row["error"], note=row["note"])
                scores[row["row_id"]][column.key] = score
    return scores


def _state(column: Column) -> ScoreState:
    if column.judge is not None and column.judge.status in (Status.FAILED, Status.CANCELLED):
        return ScoreState.FAILED
    return ScoreState.COMPLETE if column.is_complete else ScoreState.PENDING


@lru_cache(maxsize=1024)
def _sums(whole: str) -> tuple[Sums, int]:
    """Of a file of all scores, which never changes: its name says when the benchmark ended."""
    return _read_sums([storage().url(whole)])


def _read_sums(paths: list[str]) -> tuple[Sums, int]:
    if not paths:
        return Sums(0, 0.0, 0.0), 0
    with storage().connect() as db:
        count, total, squares, errors = one(
            db,
            """
            SELECT count(score), coalesce(sum(score), 0), coalesce(sum(score * score), 0),
                   count(error)
            FROM read_parquet($1)
            """,
            [paths],
        )
    return Sums(count, total, squares), errors
