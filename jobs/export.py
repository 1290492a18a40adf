"""Export of results: a file in the dataset's order, streamed; memory stays flat."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

import numpy as np
import orjson
import pyarrow as pa

from cluster.database import session
from jobs import benchmarks, parts, queries
from jobs.analysis import ResultFilter
from jobs.parts import Record
from jobs.schemas import BenchmarkSpec

Format = Literal["jsonl", "csv"]

_CSV_COLUMNS = (
    "custom_id",
    "status_code",
    "text",
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
# A spreadsheet takes a cell that begins with one of these for a formula
# (https://owasp.org/www-community/attacks/CSV_Injection).
# In East Asian settings the full-width signs do the same.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_PIECE_BYTES = 2**18


def download(benchmark_id: str, form: Format, only: ResultFilter | None = None) -> Iterator[bytes]:
    """Results in the dataset's order as a file, a piece at a time.

    ``jsonl`` is OpenAI's batch output. ``csv`` has a row per result with its text and figures.
    """
    benchmarks.get(benchmark_id)  # a wrong id is an error here, before the first piece is sent
    if only is None or only.is_empty:
        records = in_order(benchmark_id)
    else:
        records = in_order(benchmark_id, _matching(benchmark_id, only))
    return _json_lines(records) if form == "jsonl" else _csv(records)


def _matching(benchmark_id: str, only: ResultFilter) -> np.ndarray:
    """Row ids that match, in order: 8 bytes a result is all of a filtered export that grows."""
    with queries.connect() as db:
        source = queries.source(db, benchmark_id)
        condition, values = queries.condition(source, only)
        query = f"SELECT row_id FROM {source.name} WHERE {condition} ORDER BY row_id"
        return np.asarray(db.execute(query, values).fetchnumpy()["row_id"])


def in_order(
    benchmark_id: str, row_ids: np.ndarray | None = None, columns: list[str] | None = None
) -> Iterator[dict[str, Any]]:
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
        yield from table.to_pylist()


def _json_lines(records: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    # A piece costs the web server a switch of threads (measured: 0.2 ms), a line far less.
    piece = bytearray()
    for record in records:
        piece += json_line(record)
        if len(piece) >= _PIECE_BYTES:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


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


def _csv(records: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(_CSV_COLUMNS)
    for row in records:
        writer.writerow([_cell(row[name]) for name in _CSV_COLUMNS])
        if buffer.tell() >= _PIECE_BYTES:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
