"""Benchmarks side by side: a page of rows, by default the most different first."""

from collections.abc import Sequence
from typing import Any

import duckdb
import orjson
import pyarrow as pa

from jobs import (
    agreement,
    benchmarks,
    joins,
    listing,
    queries,
    request_file,
    scores,
    statistics,
)
from jobs.analysis import (
    ComparedBenchmark,
    ComparedResult,
    Comparison,
    ComparisonRow,
    ComparisonSort,
    Order,
)
from jobs.queries import Row, Source
from jobs.schemas.results import Score
from jobs.scores import Column

Window = list[tuple[str, int, list[int | None], float | None]]
"""``custom_id``, ``row_id``, ``row_ids`` and ``similarity`` of the rows of a page."""

PATIENCE = 2.0
"""How long somebody waits for a comparison that is made for the first time, seconds."""


_SHOWN = ["status_code", "text", "finish_reason", "output_tokens", "latency_ms", "finished_at"]
"""What a page needs of each result. The bodies of eight benchmarks are most of what they have."""


@queries.repeated
def compare(
    benchmark_ids: Sequence[str],
    limit: int,
    offset: int,
    q: str | None = None,
    sort: ComparisonSort = ComparisonSort.DISAGREEMENT,
    order: Order = "asc",
    diff_from: int | None = None,
    patience: float | None = PATIENCE,
) -> Comparison:
    """Join benchmarks on ``custom_id``, as far as their results exist.

    ``q`` is text in the ``custom_id``, a prompt or any of the responses. ``asc`` of
    ``disagreement`` begins with the rows that differ most. ``diff_from`` asks for the differences
    of every answer from that benchmark's.

    Raises:
        NotReady: the rows are being put in order, which takes longer than ``patience`` seconds.
    """
    found = [benchmarks.get(benchmark_id) for benchmark_id in benchmark_ids]
    with queries.connect() as db:
        sources = joins.open_sources(db, found, whole=not joins.are_kept(found))
        joins.joined(db, found, sources, patience)
        unmatched, total = queries.one(
            db, "SELECT count(*) FILTER (unmatched), count(*) FROM joined"
        )
        window, total = _window(db, sources, total, limit, offset, q, sort, order)
        columns = [scores.columns(one) for one in found]
        rows = _rows(db, columns, sources, window, diff_from)
    return Comparison(
        benchmarks=[
            ComparedBenchmark(
                benchmark=one,
                statistics=statistics.of_benchmark(one),
                scores=[scores.summary(column) for column in own],
            )
            for one, own in zip(found, columns, strict=True)
        ],
        rows=rows,
        total=total,
        unmatched=unmatched,
        limit=limit,
        offset=offset,
    )


def matching(
    db: duckdb.DuckDBPyConnection, sources: Sequence[Source], q: str | None
) -> queries.Condition:
    """The rows of ``joined`` that have ``q`` somewhere, as a condition."""
    if not q:
        return "true", {}
    for of in sources:
        listing.relation(db, of)
    return listing.having(db, sources, q, by="row_id" if joins.aligned(sources) else "custom_id")


def place(sort: ComparisonSort) -> str:
    """The column of ``joined`` that counts rows in that order."""
    return "by_difference" if sort is ComparisonSort.DISAGREEMENT else "by_row"


def _window(
    db: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    total: int,
    limit: int,
    offset: int,
    q: str | None,
    sort: ComparisonSort,
    order: Order,
) -> tuple[Window, int]:
    """The rows of a page, and how many match."""
    by = place(sort)
    columns = "custom_id, row_id, row_ids, similarity"
    if not q:
        # The places are numbered, so a page is a range of them, however deep it lies.
        first = offset if order == "asc" else total - offset - limit
        rows = db.execute(
            f"SELECT {columns} FROM joined WHERE {by} BETWEEN $1 AND $2 ORDER BY {by} {order}",
            [max(first, 0), first + limit - 1],
        ).fetchall()
        return rows, total
    condition, values = matching(db, sources, q)
    db.execute(
        f"CREATE TEMP TABLE matching AS SELECT {columns}, {by} FROM joined WHERE {condition}",
        values,
    )
    rows = db.execute(
        f"SELECT {columns} FROM matching ORDER BY {by} {order} LIMIT $1 OFFSET $2", [limit, offset]
    ).fetchall()
    return rows, queries.one(db, "SELECT count(*) FROM matching")[0]


def _rows(
    db: duckdb.DuckDBPyConnection,
    columns: Sequence[Sequence[Column]],
    sources: Sequence[Source],
    window: Window,
    diff_from: int | None,
) -> list[ComparisonRow]:
    """The rows of the window with all that is shown of them."""
    results: list[dict[int, Row]] = []
    asked: dict[str, Row] = {}
    graded: list[dict[int, dict[str, Score]]] = []
    for at, (own_columns, of) in enumerate(zip(columns, sources, strict=True)):
        here = [own for _, own in _of_side(window, at)]
        results.append(queries.fetch(db, of, here, _SHOWN))
        # A request is the same in each, so one will do.
        unknown = {own: name for name, own in _of_side(window, at) if name not in asked}
        for own, request in request_file.shown(of.spec.dataset_id, unknown).items():
            asked[unknown[own]] = request
        graded.append(scores.of_rows(db, own_columns, results[-1].values()))
    answers = [
        [
            own_results.get(own) if own is not None else None
            for own_results, own in zip(results, row_ids, strict=True)
        ]
        for _, _, row_ids, _ in window
    ]
    known = [similarity for _, _, _, similarity in window if similarity is not None]
    # Of what is at work and too large to be put in order, nothing is known but what is shown.
    similarities = known if len(known) == len(window) else _similarities(db, answers, len(sources))
    shown: list[ComparisonRow] = []
    for (custom_id, row_id, *_), row, similarity in zip(window, answers, similarities, strict=True):
        request = asked.get(custom_id)
        base = _text(row[diff_from]) if diff_from is not None else None
        shown.append(
            ComparisonRow(
                row_id=row_id,
                custom_id=custom_id,
                prompt=queries.prompt(request),
                expected=_expected(request),
                similarity=similarity,
                agreement=agreement.of_texts([_text(one) for one in row]),
                results=[
                    _result(of, one, own_scores, base)
                    for of, one, own_scores in zip(sources, row, graded, strict=True)
                ],
            )
        )
    return shown


def _of_side(window: Window, at: int) -> list[tuple[str, int]]:
    """``custom_id`` and own row id of the rows that a benchmark has."""
    return [(name, own) for name, _, row_ids, _ in window if (own := row_ids[at]) is not None]


def _similarities(
    db: duckdb.DuckDBPyConnection, rows: Sequence[Sequence[Row | None]], count: int
) -> list[float]:
    """The similarity of each row, by the same expression that orders all rows."""
    texts = {
        f"text_{index}": pa.array([_text(row[index]) for row in rows], pa.string())
        for index in range(count)
    }
    db.register("shown", pa.table(texts))
    columns = ", ".join(
        f"left(text_{i}, {joins.COMPARED_CHARACTERS}) AS t{i}, hash(text_{i}) AS h{i}"
        for i in range(count)
    )
    # No ORDER BY: DuckDB keeps the order of an Arrow table that it only projects.
    query = f"SELECT {joins.mean_similarity(count)} FROM (SELECT {columns} FROM shown)"
    return [similarity for (similarity,) in db.execute(query).fetchall()]


def _text(result: Row | None) -> str | None:
    return result["text"] if result and 200 <= result["status_code"] < 300 else None


def _expected(request: Row | None) -> Any:
    if request is None or not request["extra"]:
        return None
    return orjson.loads(request["extra"]).get("expected")


def _result(
    of: Source, row: Row | None, graded: dict[int, dict[str, Score]], base: str | None
) -> ComparedResult | None:
    if row is None:
        return None
    text = _text(row)
    return ComparedResult(
        row_id=row["row_id"],
        benchmark_id=of.spec.benchmark_id,
        status_code=row["status_code"],
        text=row["text"],
        finish_reason=row["finish_reason"],
        output_tokens=row["output_tokens"],
        latency_ms=row["latency_ms"],
        golden=of.is_golden(row["row_id"]),
        mark=of.marks.get(row["row_id"]),
        scores=graded[row["row_id"]],
        diff=None if base is None or text is None else agreement.word_diff(base, text),
    )
