"""Having answers judged by a model: a dataset of judging requests, run as a benchmark of its own.

A judgement ties that benchmark to what it judges. Once it has ended, its verdicts become scores
(:mod:`jobs.scorer`); of a pair, those of both sides.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import orjson
import pyarrow as pa
from sqlalchemy import or_, select

from cluster.database import session
from jobs import benchmarks, graders, judging, queries
from jobs.conversation import messages
from jobs.errors import Conflict, InvalidRequest
from jobs.judging import NoVerdict, Verdict
from jobs.models import BenchmarkRow, DatasetRow, JudgementRow
from jobs.queries import Row
from jobs.schemas.benchmarks import Benchmark, Status
from jobs.schemas.datasets import Kind
from jobs.scoring import Grader, Judge, JudgeRequest
from jobs.uploads import Upload


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judge's benchmark, as seen from one of those that it judges."""

    grader: Grader
    judge: Benchmark
    against_id: str | None


def start(benchmark_id: str, asked: JudgeRequest) -> Benchmark:
    """Queue a benchmark in which the grader's model judges the answers of an ended benchmark.

    Raises:
        NotFound: no such benchmark, grader or model.
        Conflict: a benchmark to be judged has not ended, or its dataset is gone.
        InvalidRequest: the grader is no judge or not of this benchmark, the opponent is missing or
            too many, or there is nothing to judge.
    """
    grader = graders.get(asked.grader_id)
    spec = _spec(grader, asked.against_id)
    sides = [_ended(benchmark_id)]
    if asked.against_id is not None:
        sides.append(_ended(asked.against_id))
    if grader.grader_id not in {one.grader_id for one in graders.of_benchmark(sides[0])}:
        raise InvalidRequest(
            "grader_of_another", f"Grader {grader.name!r} is not of benchmark {benchmark_id!r}."
        )
    lines = _lines(spec, [side.benchmark_id for side in sides])
    first = next(lines, None)
    if first is None:
        raise InvalidRequest("nothing_to_judge", "No row has a text to judge.")
    with Upload(f"{grader.name}: judge of {sides[0].dataset_name}", kind=Kind.JUDGE) as upload:
        upload.feed(first)
        for line in lines:
            upload.feed(line)
        dataset = upload.finish()
    # Committed one after the other: a kill in between leaves a judge of nothing, which can be
    # deleted like any benchmark.
    judge = benchmarks.create(spec.model_id, dataset.id, spec.sampling, kind=Kind.JUDGE)
    with session() as sql:
        row = JudgementRow(
            judge_id=judge.benchmark_id,
            grader_id=grader.grader_id,
            benchmark_id=benchmark_id,
            against_id=asked.against_id,
            version=grader.version,
        )
        sql.add(row)
    return judge


def of_benchmark(benchmark_id: str) -> list[Judgement]:
    """Judgements of a benchmark by graders as they are now, oldest first."""
    query = (
        select(JudgementRow)
        .join(BenchmarkRow, BenchmarkRow.id == JudgementRow.judge_id)
        .where(
            or_(JudgementRow.benchmark_id == benchmark_id, JudgementRow.against_id == benchmark_id)
        )
        .order_by(BenchmarkRow.created_at, JudgementRow.judge_id)
    )
    with session() as sql:
        rows = sql.scalars(query).all()
    found: list[Judgement] = []
    for row in rows:
        grader = graders.get(row.grader_id)
        if grader.version == row.version:
            other = row.benchmark_id if row.against_id == benchmark_id else row.against_id
            found.append(Judgement(grader, benchmarks.get(row.judge_id), other))
    return found


def scores(judge: Benchmark, benchmark: Benchmark) -> Iterator[Row]:
    """The scores that an ended judge gave to one of the benchmarks that it judged, as rows of
    :data:`jobs.scores.SCHEMA`."""
    with session() as sql:
        row = sql.get_one(JudgementRow, judge.benchmark_id)
    grader = graders.get(row.grader_id)
    spec = _judge(grader)
    second = row.against_id == benchmark.benchmark_id
    with queries.connect() as db:
        of = queries.source(db, judge.benchmark_id)
        table: pa.Table = db.sql(
            f"""
            SELECT r.extra, text, coalesce(status_code, 0) AS status_code
            FROM {queries.requests(db, of)} r LEFT JOIN {of.name} USING (row_id) ORDER BY r.row_id
            """
        ).to_arrow_table()
    said = table.to_pylist()
    step = 1 if spec.mode == "pointwise" else 2
    for at in range(0, len(said), step):
        group = said[at : at + step]
        told = orjson.loads(group[0]["extra"])["metadata"]["judged"][1 if second else 0]
        scored: Row = {
            "row_id": told["row_id"],
            "finished_at": datetime.fromisoformat(told["finished_at"]),
            "score": None,
            "error": None,
            "note": None,
        }
        try:
            verdict = _verdict(spec, group)
            scored["score"] = 1 - verdict.value if second else verdict.value
            scored["note"] = verdict.note
        except NoVerdict as reason:
            scored["error"] = str(reason)
        yield scored


def _verdict(spec: Judge, group: list[Row]) -> Verdict:
    verdicts = [_one(spec, row) for row in group]
    return verdicts[0] if len(verdicts) == 1 else judging.merged(*verdicts)


def _one(spec: Judge, row: Row) -> Verdict:
    if row["status_code"] == 0:
        raise NoVerdict("The judge's benchmark ended before it came to this row.")
    if not 200 <= row["status_code"] < 300:
        raise NoVerdict(f"The judge's request failed: {row['text']}")
    return judging.read(spec, row["text"])


def _judge(grader: Grader) -> Judge:
    if not isinstance(grader.spec, Judge):
        raise InvalidRequest(
            "not_a_judge", f"Grader {grader.name!r} is no judge; its scores come by themselves."
        )
    return grader.spec


def _spec(grader: Grader, against_id: str | None) -> Judge:
    spec = _judge(grader)
    if (spec.mode == "pairwise") != (against_id is not None):
        what = "needs" if spec.mode == "pairwise" else "takes no"
        raise InvalidRequest(
            "wrong_opponent", f"A {spec.mode} judge {what} `against_id`, the other benchmark."
        )
    return spec


def _ended(benchmark_id: str) -> Benchmark:
    found = benchmarks.get(benchmark_id)
    if not Status(found.status).is_terminal():
        raise Conflict(
            "benchmark_live",
            f"Benchmark {benchmark_id!r} is {found.status}. It can be judged once it has ended.",
        )
    with session() as sql:
        if sql.get_one(DatasetRow, found.dataset_id).deleted_at is not None:
            raise Conflict(
                "dataset_deleted",
                f"Dataset {found.dataset_id!r} is gone, and so is what was asked.",
            )
    return found


def _lines(spec: Judge, benchmark_ids: list[str]) -> Iterator[bytes]:
    """The judging requests, in OpenAI's batch format; of a pair two, with the sides swapped."""
    for row in _chosen(spec, benchmark_ids):
        asked = messages(row["url"], orjson.loads(row["body"]))
        if asked is None:
            continue
        answers: list[str] = row["texts"]
        reference = _reference(row["extra"])
        judged = [
            {"row_id": row_id, "finished_at": finished.isoformat()}
            for row_id, finished in zip(row["row_ids"], row["finished"], strict=True)
        ]
        if spec.mode == "pointwise":
            bodies = {"": judging.pointwise(spec, asked, answers[0], reference)}
        else:
            first, second = answers
            bodies = {
                "#1": judging.pairwise(spec, asked, first, second, reference),
                "#2": judging.pairwise(spec, asked, second, first, reference),
            }
        for suffix, body in bodies.items():
            # Numbered, as the judged row's own id may be as long as ids can be.
            line = {
                "custom_id": f"{row['row_ids'][0]}{suffix}",
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": body,
                "metadata": {"custom_id": row["custom_id"], "judged": judged},
            }
            yield orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _chosen(spec: Judge, benchmark_ids: list[str]) -> list[Row]:
    """Rows that all sides have answered; where there are too many, those whose ids' digests come
    first, which are the same ones for every benchmark of a dataset."""
    with queries.connect() as db:
        sides = [
            queries.source(db, benchmark_id, f"side_{at}")
            for at, benchmark_id in enumerate(benchmark_ids)
        ]
        numbers = range(len(sides))
        query = f"""
            WITH chosen AS (
                SELECT custom_id, {_list(numbers, "row_id")} AS row_ids,
                       {_list(numbers, "finished_at")} AS finished,
                       {_list(numbers, "text")} AS texts
                FROM {" JOIN ".join(_answered(numbers, sides))}
                ORDER BY md5(custom_id) LIMIT $most
            )
            SELECT chosen.*, url, body, extra
            FROM chosen JOIN {queries.requests(db, sides[0])} r ON r.row_id = row_ids[1]
            ORDER BY r.row_id
        """
        return _rows(db, query, {"most": spec.most_rows})


def _answered(numbers: range, sides: list[queries.Source]) -> Iterator[str]:
    for at in numbers:
        using = " USING (custom_id)" if at else ""
        yield f"""(
            SELECT custom_id, row_id AS row_id_{at}, finished_at AS finished_at_{at},
                   text AS text_{at}
            FROM {sides[at].name} WHERE {queries.SUCCEEDED} AND text IS NOT NULL
        ){using}"""


def _list(numbers: range, name: str) -> str:
    return f"[{', '.join(f'{name}_{at}' for at in numbers)}]"


def _rows(db: duckdb.DuckDBPyConnection, query: str, values: dict[str, Any]) -> list[Row]:
    table: pa.Table = db.sql(query, params=values).to_arrow_table()
    return table.to_pylist()


def _reference(extra: str | None) -> str | None:
    expected = orjson.loads(extra).get("expected") if extra else None
    if expected is None or isinstance(expected, str):
        return expected
    return orjson.dumps(expected).decode()
