"""A comparison as a file, streamed: a row per request with every answer, or a report."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import duckdb
import orjson

from jobs import (
    agreement,
    benchmarks,
    compare,
    export,
    joins,
    names,
    queries,
    report,
    scores,
    tables,
)
from jobs.analysis import ComparisonSort, Order
from jobs.queries import Row, Source
from jobs.schemas.benchmarks import Benchmark
from jobs.scores import Column

Format = Literal["csv", "jsonl", "html"]

_BATCH_ROWS = 1024
_BESIDE = ("custom_id", "prompt", "expected", "similarity", "agreement")
_OF_EACH = ("status_code", "text", "finish_reason", "output_tokens", "latency_ms")


def download(
    benchmark_ids: Sequence[str],
    form: Format,
    q: str | None = None,
    sort: ComparisonSort = ComparisonSort.DISAGREEMENT,
    order: Order = "asc",
) -> Iterator[bytes]:
    """What :func:`jobs.compare.compare` shows, all of it, as a file in pieces. ``html`` is a report
    of figures, verdicts and the first rows in one page that needs nothing else.

    Raises:
        NotFound: no such benchmark; before the first piece is sent.
    """
    found = [benchmarks.get(benchmark_id) for benchmark_id in benchmark_ids]
    if form == "html":
        return iter([report.page(benchmark_ids, q, sort, order)])
    graded = [scores.columns(one) for one in found]
    rows = _rows(found, graded, q, sort, order)
    if form == "jsonl":
        return tables.pieces(_json_line(found, graded, row) for row in rows)
    called = names.distinct(found)
    header = [*_BESIDE]
    for name, columns in zip(called, graded, strict=True):
        header += [f"{name}: {field}" for field in (*_OF_EACH, *export.score_headings(columns))]
    return tables.pieces(tables.csv_lines(header, (_cells(graded, row) for row in rows)))


def _rows(
    found: Sequence[Benchmark],
    graded: Sequence[Sequence[Column]],
    q: str | None,
    sort: ComparisonSort,
    order: Order,
) -> Iterator[Row]:
    """Every row that matches, in order: joined and sorted by DuckDB, on disk where it is much."""
    with queries.connect() as db:
        sources = joins.open_sources(db, found)
        joins.joined(db, found, sources, patience=None)
        condition, values = compare.matching(db, sources, q)
        fields, relations = _wide(db, sources, graded)
        query = f"""
            SELECT joined.custom_id, joined.similarity, {", ".join(fields)}
            FROM (SELECT * FROM joined WHERE {condition}) AS joined {" ".join(relations)}
            ORDER BY {compare.place(sort)} {order}
        """
        for batch in db.sql(query, params=values).to_arrow_reader(_BATCH_ROWS):
            for row in batch.to_pylist():
                texts = [_text(row, at) for at in range(len(found))]
                request = {"preview": row["preview"], "extra": row["extra"]}
                row["prompt"] = queries.prompt(request)
                row["expected"] = export.expected(request)
                row["agreement"] = agreement.of_texts(texts).value
                yield row


def _wide(
    db: duckdb.DuckDBPyConnection, sources: Sequence[Source], graded: Sequence[Sequence[Column]]
) -> tuple[list[str], list[str]]:
    """The fields of a row, and what is joined to get them."""
    fields: list[str] = []
    relations: list[str] = []
    for at, (of, columns) in enumerate(zip(sources, graded, strict=True)):
        relations.append(f"LEFT JOIN {of.name} AS r{at} ON r{at}.row_id = row_ids[{at + 1}]")
        relations.append(
            f"LEFT JOIN {queries.requests(db, of)} AS q{at} ON q{at}.row_id = row_ids[{at + 1}]"
        )
        fields += [f"r{at}.{name} AS {name}_{at}" for name in _OF_EACH]
        for number, column in enumerate(columns):
            name = f"score_{at}_{number}"
            scores.view(db, column.paths(), name)
            relations.append(
                f"LEFT JOIN {name} ON {name}.row_id = r{at}.row_id "
                f"AND {name}.finished_at = r{at}.finished_at"
            )
            fields.append(f"{name}.score AS {name}")
    for name in ("preview", "extra"):
        known = ", ".join(f"q{at}.{name}" for at in range(len(sources)))
        fields.append(f"coalesce({known}) AS {name}")
    return fields, relations


def _text(row: Row, at: int) -> str | None:
    status = row[f"status_code_{at}"]
    return row[f"text_{at}"] if status is not None and 200 <= status < 300 else None


def _scores(row: Row, at: int, columns: Sequence[Column]) -> list[float | None]:
    return [row[f"score_{at}_{number}"] for number in range(len(columns))]


def _cells(graded: Sequence[Sequence[Column]], row: Row) -> list[Any]:
    cells = [row[name] for name in _BESIDE]
    for at, columns in enumerate(graded):
        cells += [row[f"{name}_{at}"] for name in _OF_EACH]
        cells += _scores(row, at, columns)
    return cells


def _json_line(found: Sequence[Benchmark], graded: Sequence[Sequence[Column]], row: Row) -> bytes:
    results: list[dict[str, Any] | None] = []
    for at, (benchmark, columns) in enumerate(zip(found, graded, strict=True)):
        if row[f"status_code_{at}"] is None:
            results.append(None)
            continue
        given = dict(zip(export.score_headings(columns), _scores(row, at, columns), strict=True))
        results.append(
            {"benchmark_id": benchmark.benchmark_id, "model_id": benchmark.model_id}
            | {name: row[f"{name}_{at}"] for name in _OF_EACH}
            | {"scores": {name.removeprefix("score: "): value for name, value in given.items()}}
        )
    line = {name: row[name] for name in _BESIDE} | {"results": results}
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
