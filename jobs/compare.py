"""Benchmarks side by side: one row per ``custom_id``, most different first.

*Similarity* of two texts is 1 if they are equal and otherwise DuckDB's Jaro–Winkler similarity of
their first 128 characters, at most 0.99; of a text and a missing one (the request failed, or has
no result yet) it is 0, and of two missing ones 1. A row's similarity is the mean over all pairs.

Why so: it has to order 100,000 rows while somebody waits. Jaro–Winkler's cost grows with the
square of the length (measured on 2 cores, 100,000 pairs: 0.8 s at 200 characters, 3.1 s at 1,000),
and where answers differ at all, they mostly do so at the beginning, which Winkler's term weighs
more. DuckDB's other candidate, ``jaccard``, compares sets of characters, in which any two English
sentences are alike.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import duckdb
import orjson
import pyarrow as pa

from jobs import benchmarks, queries, statistics
from jobs.analysis import (
    ComparedBenchmark,
    ComparedResult,
    Comparison,
    ComparisonRow,
    ComparisonSort,
    Order,
)
from jobs.queries import Row, Source

_COMPARED_CHARACTERS = 128


@queries.repeated
def compare(
    benchmark_ids: Sequence[str],
    limit: int,
    offset: int,
    q: str | None = None,
    sort: ComparisonSort = ComparisonSort.DISAGREEMENT,
    order: Order = "asc",
) -> Comparison:
    """Join benchmarks on ``custom_id``, as far as their results exist.

    ``q`` is text in the ``custom_id``, a prompt or any of the responses. ``asc`` of
    ``disagreement`` begins with the rows that differ most.
    """
    found = [benchmarks.get(benchmark_id) for benchmark_id in benchmark_ids]
    with queries.connect() as db:
        sources = [
            queries.source(db, benchmark_id, f"results_{index}")
            for index, benchmark_id in enumerate(benchmark_ids)
        ]
        _join(db, sources, q, with_similarity=sort is ComparisonSort.DISAGREEMENT)
        unmatched, total = queries.one(
            db, "SELECT count(*) FILTER (unmatched), count(*) FILTER (matches) FROM joined"
        )
        by = "similarity" if sort is ComparisonSort.DISAGREEMENT else "row_id"
        window = db.execute(
            f"""
            SELECT custom_id, row_id, row_ids FROM joined WHERE matches
            ORDER BY {by} {order.upper()}, row_id, custom_id LIMIT $1 OFFSET $2
            """,
            [limit, offset],
        ).fetchall()
        rows = _rows(db, sources, window)
    compared = [
        ComparedBenchmark(benchmark=one, statistics=statistics.of_benchmark(one)) for one in found
    ]
    return Comparison(
        benchmarks=compared,
        rows=rows,
        total=total,
        unmatched=unmatched,
        limit=limit,
        offset=offset,
    )


def _join(
    db: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    q: str | None,
    *,
    with_similarity: bool,
) -> None:
    """Make ``joined``: a narrow row per ``custom_id``, with what it is ordered by."""
    values = queries.search(q) if q else {}
    sides = [f"({_side(of, index, q)}) AS side_{index}" for index, of in enumerate(sources)]
    numbers = range(len(sources))
    matches = "true"
    if q:
        prompts = {of.spec.dataset_id: of.name for of in sources}.values()
        matches = " OR ".join(
            [f"coalesce(m{i}, false)" for i in numbers]
            + [
                f"custom_id IN (SELECT custom_id FROM {name}_requests WHERE {queries.PROMPT_HAS_Q})"
                for name in prompts
            ]
        )
    similarity = _similarity(len(sources)) if with_similarity else "NULL"
    db.execute(
        f"""
        CREATE TEMP TABLE joined AS
        SELECT custom_id, row_id, row_ids, unmatched, matches,
               CASE WHEN matches THEN {similarity} END AS similarity
        FROM (
            SELECT *, coalesce({", ".join(f"r{i}" for i in numbers)}) AS row_id,
                   [{", ".join(f"r{i}" for i in numbers)}] AS row_ids,
                   {" OR ".join(f"r{i} IS NULL" for i in numbers)} AS unmatched,
                   {matches} AS matches
            FROM {" FULL JOIN ".join([sides[0], *(f"{s} USING (custom_id)" for s in sides[1:])])}
        )
        """,
        values,
    )


def _side(of: Source, index: int, q: str | None) -> str:
    """What the join needs of one benchmark."""
    text = f"CASE WHEN {queries.SUCCEEDED} THEN text END"
    return f"""
        SELECT custom_id, row_id AS r{index},
               left({text}, {_COMPARED_CHARACTERS}) AS t{index}, hash({text}) AS h{index},
               {queries.RESULT_HAS_Q if q else "true"} AS m{index}
        FROM {of.name}
    """


def _similarity(count: int) -> str:
    """The mean pairwise similarity as an expression over ``t0``, ``h0``, ``t1``, ``h1``, …: the
    first characters of the texts and the hashes of the whole texts."""
    pairs = [
        f"""CASE WHEN t{a} IS NULL AND t{b} IS NULL THEN 1.0
                 WHEN t{a} IS NULL OR t{b} IS NULL THEN 0.0
                 WHEN h{a} = h{b} THEN 1.0
                 ELSE least(jaro_winkler_similarity(t{a}, t{b}), 0.99) END"""
        for a, b in combinations(range(count), 2)
    ]
    return f"(({' + '.join(pairs)}) / {len(pairs)}.0)"


def _rows(
    db: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    window: list[tuple[str, int, list[int | None]]],
) -> list[ComparisonRow]:
    """The rows of the window with all that is shown of them."""
    results: list[dict[int, Row]] = []
    asked: list[dict[int, Row]] = []
    for index, of in enumerate(sources):
        here = [own for _, _, row_ids in window if (own := row_ids[index]) is not None]
        results.append(queries.fetch(db, of, here))
        asked.append(queries.requests(db, of, here))
    shown: list[ComparisonRow] = []
    answers = [
        [
            found.get(own) if own is not None else None
            for found, own in zip(results, row_ids, strict=True)
        ]
        for _, _, row_ids in window
    ]
    similarities = _similarities(db, answers, len(sources))
    for (custom_id, row_id, row_ids), row, similarity in zip(
        window, answers, similarities, strict=True
    ):
        known = (
            found.get(own) if own is not None else None
            for found, own in zip(asked, row_ids, strict=True)
        )
        request = next(filter(None, known), None)
        shown.append(
            ComparisonRow(
                row_id=row_id,
                custom_id=custom_id,
                prompt=queries.prompt(request),
                expected=_expected(request),
                similarity=similarity,
                results=[_result(of, one) for of, one in zip(sources, row, strict=True)],
            )
        )
    return shown


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
        f"left(text_{i}, {_COMPARED_CHARACTERS}) AS t{i}, hash(text_{i}) AS h{i}"
        for i in range(count)
    )
    # No ORDER BY: DuckDB keeps the order of an Arrow table that it only projects.
    query = f"SELECT {_similarity(count)} FROM (SELECT {columns} FROM shown)"
    return [similarity for (similarity,) in db.execute(query).fetchall()]


def _text(result: Row | None) -> str | None:
    return result["text"] if result and 200 <= result["status_code"] < 300 else None


def _expected(request: Row | None) -> Any:
    if request is None or not request["extra"]:
        return None
    return orjson.loads(request["extra"]).get("expected")


def _result(of: Source, row: Row | None) -> ComparedResult | None:
    if row is None:
        return None
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
    )
