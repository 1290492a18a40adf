"""Export of results: what a filter leaves, in the order asked for, streamed; memory stays flat."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import orjson
import pyarrow as pa

from cluster.database import session
from jobs import benchmarks, listing, parts, queries, request_file, scores, tables
from jobs.analysis import Order, ResultFilter, Sort
from jobs.parts import Record
from jobs.queries import Row
from jobs.schemas.benchmarks import Benchmark, BenchmarkSpec
from jobs.scores import Column

Format = Literal["jsonl", "csv", "parquet"]

_FIGURES = (
    "finish_reason",
    "prompt_tokens",
    "cached_tokens",
    "output_tokens",
    "latency_ms",
    "ttft_ms",
    "itl_ms",
    "queue_ms",
    "finished_at",
)
_CSV_COLUMNS = ("custom_id", "status_code", "text", *_FIGURES, "prompt", "expected")
_PARQUET_COLUMNS = ("row_id", *_CSV_COLUMNS, "body", "error")
_BATCH_ROWS = 1024


def download(
    benchmark_id: str,
    form: Format,
    only: ResultFilter | None = None,
    sort: Sort = Sort.ROW_ID,
    order: Order = "asc",
) -> Iterator[bytes]:
    """Results as a file, a piece at a time.

    ``jsonl`` is OpenAI's batch output. ``csv`` and ``parquet`` have a row per result with its text
    and figures, the beginning of its prompt, what was expected, and a column per grader.

    Raises:
        NotFound: no such benchmark or column of scores; before the first piece is sent.
        InvalidRequest: scores are meant, and none are named.
    """
    benchmark = benchmarks.get(benchmark_id)
    only = only or ResultFilter()
    scores.named(benchmark, only, sort)
    batches = _batches(benchmark, only, sort, order)
    if form == "jsonl":
        return tables.pieces(json_line(row) for batch in batches for row in batch)
    graded = scores.columns(benchmark)
    headings = score_headings(graded)
    beside = _with_context(benchmark.dataset_id, graded, headings, batches)
    if form == "parquet":
        return tables.parquet(_parquet_schema(headings), beside)
    names = [*_CSV_COLUMNS, *headings]
    rows = ([row[name] for name in names] for batch in beside for row in batch)
    return tables.pieces(tables.csv_lines(names, rows))


def score_headings(graded: Sequence[Column]) -> list[str]:
    """A heading for each column of scores, none twice."""
    called = [f"score: {column.grader.name}" for column in graded]
    return [
        name if called.count(name) == 1 else f"{name} ({column.key})"
        for name, column in zip(called, graded, strict=True)
    ]


def expected(request: Row | None) -> str | None:
    """What a line expects, as text: JSON where it is none."""
    value = orjson.loads(request["extra"]).get("expected") if request and request["extra"] else None
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


def _batches(
    benchmark: Benchmark, only: ResultFilter, sort: Sort, order: Order
) -> Iterator[list[Row]]:
    if sort is not Sort.ROW_ID or order == "desc":
        return _sorted(benchmark, only, sort, order)
    if only.is_empty:
        return in_order(benchmark.benchmark_id)
    return in_order(benchmark.benchmark_id, _matching(benchmark, only))


def _matching(benchmark: Benchmark, only: ResultFilter) -> np.ndarray:
    """Row ids that match, in order: 8 bytes a result is all of a filtered export that grows."""
    with queries.connect() as db:
        source = queries.source(db, benchmark.benchmark_id, whole=False)
        scores.prepare(db, source, benchmark, only)
        listed = listing.relation(db, source)
        condition, values = listing.condition(db, source, only)
        query = f"SELECT row_id FROM {listed} WHERE {condition} ORDER BY row_id"
        return np.asarray(db.execute(query, values).fetchnumpy()["row_id"])


def in_order(
    benchmark_id: str, row_ids: np.ndarray | None = None, columns: list[str] | None = None
) -> Iterator[list[Row]]:
    """Results chunk by chunk; with ``row_ids`` only those, opening only the chunks they are in.
    ``columns`` are all, unless said otherwise."""
    with session() as sql:
        spec = BenchmarkSpec.model_validate(benchmarks.row(sql, benchmark_id).spec)
    journals: dict[int, list[Record]] = {}
    journal, done = parts.snapshot(benchmark_id, spec.chunk_rows)
    for record in journal:
        journals.setdefault(record["row_id"] // spec.chunk_rows, []).append(record)
    indices = done | journals.keys()
    if row_ids is not None:
        indices &= set((row_ids // spec.chunk_rows).tolist())
    for index in sorted(indices):
        if index in done:
            table = parts.read(benchmark_id, index, columns)
        else:
            table = parts.table(journals[index])
        if row_ids is not None:
            first = index * spec.chunk_rows
            start, stop = row_ids.searchsorted([first, first + spec.chunk_rows])
            wanted = row_ids[start:stop]
            table = table.filter(pa.array(np.isin(table["row_id"].to_numpy(), wanted)))
        yield table.to_pylist()


def _sorted(
    benchmark: Benchmark, only: ResultFilter, sort: Sort, order: Order
) -> Iterator[list[Row]]:
    """Results by another order: DuckDB sorts whole rows, on disk where they are too many."""
    with queries.connect() as db:
        source = queries.source(db, benchmark.benchmark_id)
        column = scores.prepare(db, source, benchmark, only, sort)
        listing.relation(db, source)
        condition, values = listing.condition(db, source, only)
        relation = source.name
        if column is not None:
            scored = f"(SELECT row_id, finished_at, score FROM {source.name}_score)"
            relation += f" LEFT JOIN {scored} USING (row_id, finished_at)"
        query = f"""
            SELECT {", ".join(parts.SCHEMA.names)} FROM {relation} WHERE {condition}
            ORDER BY {sort.value} {order.upper()} NULLS LAST, row_id
        """
        for batch in db.sql(query, params=values).to_arrow_reader(_BATCH_ROWS):
            yield batch.to_pylist()


def _with_context(
    dataset_id: str,
    graded: Sequence[Column],
    headings: Sequence[str],
    batches: Iterator[list[Row]],
) -> Iterator[list[Row]]:
    """The rows with prompt, expected value and scores."""
    with queries.connect() as db:
        for batch in batches:
            asked = request_file.shown(dataset_id, [row["row_id"] for row in batch])
            found = scores.of_rows(db, graded, batch)
            for row in batch:
                request, own = asked.get(row["row_id"]), found[row["row_id"]]
                row["prompt"], row["expected"] = queries.prompt(request), expected(request)
                for heading, column in zip(headings, graded, strict=True):
                    score = own.get(column.key)
                    row[heading] = score.value if score else None
            yield batch


def _parquet_schema(headings: Sequence[str]) -> pa.Schema:
    known = {name: parts.SCHEMA.field(name).type for name in parts.SCHEMA.names}
    fields = [(name, known.get(name, pa.string())) for name in _PARQUET_COLUMNS]
    return pa.schema(fields + [(heading, pa.float64()) for heading in headings])


def json_line(row: dict[str, Any]) -> bytes:
    """A result as a line of OpenAI's batch output."""
    response = row["body"] and {
        "status_code": row["status_code"],
        "request_id": row["request_id"],
        "body": orjson.Fragment(row["body"]),
    }
    line = {
        "id": f"batch_req_{row['request_id']}",
        "custom_id": row["custom_id"],
        "response": response or None,
        "error": orjson.Fragment(row["error"]) if row["error"] else None,
    }
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
