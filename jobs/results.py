"""Reading results: pages for the API and streams for export, also while the benchmark runs."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import duckdb
import orjson
import pyarrow.parquet as pq

from cluster.database import session
from cluster.storage import storage
from jobs import benchmarks, parts
from jobs.parts import Record
from jobs.schemas import (
    BenchmarkSpec,
    ResponseBody,
    Result,
    ResultError,
    ResultPage,
)

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
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_CSV_ROWS_AT_ONCE = 500


def page(benchmark_id: str, limit: int, offset: int) -> ResultPage:
    """Results in the dataset's order, as far as they exist."""
    benchmark = benchmarks.get(benchmark_id)
    with duckdb.connect() as db:
        source = _source(db, benchmark_id)
        total = _scalar(db, f"SELECT count(*) FROM {source}")
        # Narrow first: sorting a million row ids is cheap, sorting their bodies is not.
        window = db.execute(
            f"SELECT row_id FROM {source} ORDER BY row_id LIMIT $1 OFFSET $2", [limit, offset]
        ).fetchall()
        rows: list[dict[str, Any]] = []
        if window:
            found: Any = db.sql(
                f"SELECT * FROM {source} WHERE row_id BETWEEN $1 AND $2 ORDER BY row_id",
                params=[window[0][0], window[-1][0]],
            )
            rows = found.to_arrow_table().to_pylist()
    return ResultPage(
        benchmark_id=benchmark_id,
        model_name=benchmark.model_name,
        dataset_name=benchmark.dataset_name,
        status=benchmark.status,
        total_time_seconds=benchmark.total_time_seconds,
        throughput=benchmark.throughput,
        results=[_result(row) for row in rows],
        total=total,
        limit=limit,
        offset=offset,
    )


def download(benchmark_id: str, form: Format) -> Iterator[bytes]:
    """All results in the dataset's order as a file, a piece at a time; memory stays flat.

    ``jsonl`` is OpenAI's batch output. ``csv`` has a row per result with its text and figures.
    """
    benchmarks.get(benchmark_id)  # a wrong id is an error here, before the first piece is sent
    records = _in_order(benchmark_id)
    return map(_json_line, records) if form == "jsonl" else _csv(records)


def _in_order(benchmark_id: str) -> Iterator[dict[str, Any]]:
    with session() as sql:
        spec = BenchmarkSpec.model_validate(benchmarks.row(sql, benchmark_id).spec)
    journals: dict[int, list[Record]] = {}
    for record in parts.unfinished(benchmark_id):
        journals.setdefault(record["row_id"] // spec.chunk_rows, []).append(record)
    done = parts.done(benchmark_id)
    for index in sorted(done | journals.keys()):
        if index in done:
            key = f"benchmarks/{benchmark_id}/parts/{index:07d}.parquet"
            yield from pq.read_table(storage().path(key)).to_pylist()
        else:
            yield from parts.table(_latest(journals[index])).to_pylist()


def _latest(records: Iterable[Record]) -> list[Record]:
    """One record a row, in order; of two writers of one journal the later line counts."""
    by_row = {record["row_id"]: record for record in records}
    return [by_row[row_id] for row_id in sorted(by_row)]


def _source(db: duckdb.DuckDBPyConnection, benchmark_id: str) -> str:
    """Register all results of a benchmark with DuckDB; returns the name of the relation."""
    with session() as sql:
        spec = BenchmarkSpec.model_validate(benchmarks.row(sql, benchmark_id).spec)
    journal = parts.unfinished(benchmark_id)
    done = parts.done(benchmark_id)
    fresh = [record for record in journal if record["row_id"] // spec.chunk_rows not in done]
    db.register("journal", parts.table(_latest(fresh)))
    selects = ["SELECT * FROM journal"]
    if done:
        db.execute("SET VARIABLE parts = $1", [parts.parts_glob(benchmark_id)])
        selects.append("SELECT * FROM read_parquet(getvariable('parts'))")
    db.execute(f"CREATE TEMP VIEW results AS {' UNION ALL '.join(selects)}")
    return "results"


def _scalar(db: duckdb.DuckDBPyConnection, query: str) -> int:
    row = db.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def _result(row: dict[str, Any]) -> Result:
    error = row["error"]
    return Result(
        id=f"batch_req_{row['request_id']}",
        custom_id=row["custom_id"],
        response=ResponseBody(
            status_code=row["status_code"],
            request_id=row["request_id"],
            body=orjson.loads(row["body"]),
        )
        if row["body"]
        else None,
        error=ResultError.model_validate_json(error) if error else None,
        row_id=row["row_id"],
        status_code=row["status_code"],
        finish_reason=row["finish_reason"],
        prompt_tokens=row["prompt_tokens"],
        cached_tokens=row["cached_tokens"],
        output_tokens=row["output_tokens"],
        latency_ms=row["latency_ms"],
        ttft_ms=row["ttft_ms"],
        itl_ms=row["itl_ms"],
        queue_ms=row["queue_ms"],
        finished_at=row["finished_at"].astimezone(UTC),
    )


def _json_line(row: dict[str, Any]) -> bytes:
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
    for number, row in enumerate(records, start=1):
        writer.writerow([_cell(row[name]) for name in _CSV_COLUMNS])
        if number % _CSV_ROWS_AT_ONCE == 0:
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
