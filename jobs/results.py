"""Reading results: pages and single ones, also while the benchmark runs."""

from datetime import UTC

import duckdb
import orjson

from jobs import benchmarks, datasets, golden, history, marks, parts, queries
from jobs.analysis import Golden, Order, ResultDetail, ResultFilter, Sort
from jobs.errors import NotFound
from jobs.queries import Row, Source
from jobs.schemas import (
    Mark,
    Marking,
    MarkKind,
    Request,
    ResponseBody,
    Result,
    ResultError,
    ResultPage,
)


@queries.repeated
def page(
    benchmark_id: str,
    limit: int,
    offset: int,
    only: ResultFilter | None = None,
    sort: Sort = Sort.ROW_ID,
    order: Order = "asc",
) -> ResultPage:
    """Results as far as they exist. Of equals the earlier row comes first, and what has no figure
    to sort by comes last.
    """
    benchmark = benchmarks.get(benchmark_id)
    only = only or ResultFilter()
    with queries.connect() as db:
        source = queries.source(db, benchmark_id)
        if source.is_complete and only.is_empty and sort is Sort.ROW_ID:
            # Row ids are 0 to total - 1, so one part is opened instead of a thousand.
            total = source.spec.total
            every = range(total) if order == "asc" else range(total - 1, -1, -1)
            row_ids = list(every[offset : offset + limit])
        else:
            total, row_ids = _window(db, source, limit, offset, only, sort, order)
        rows = queries.fetch(db, source, row_ids)
        asked = queries.requests(db, source, row_ids)
    marked = marks.of(benchmark_id, source.marks.keys() & set(row_ids))
    return ResultPage(
        benchmark_id=benchmark_id,
        model_name=benchmark.model_name,
        dataset_name=benchmark.dataset_name,
        status=benchmark.status,
        total_time_seconds=benchmark.total_time_seconds,
        throughput=benchmark.throughput,
        # A row can be gone again when a retry reopens its chunk in this moment.
        results=[
            _result(rows[row_id], asked.get(row_id), marked.get(row_id))
            for row_id in row_ids
            if row_id in rows
        ],
        total=total,
        limit=limit,
        offset=offset,
    )


@queries.repeated
def get(benchmark_id: str, row_id: int) -> ResultDetail:
    """One result with the whole request that it answers.

    Raises:
        NotFound: no such benchmark, or no result of that row (yet).
    """
    with queries.connect() as db:
        source = queries.source(db, benchmark_id)
        row = queries.fetch(db, source, [row_id]).get(row_id)
        asked = queries.requests(db, source, [row_id]).get(row_id)
    if row is None:
        raise NotFound(
            "result_not_found", f"Benchmark {benchmark_id!r} has no result of row {row_id} (yet)."
        )
    earlier = history.earlier(benchmark_id, row_id, source.spec.chunk_rows, row["request_id"])
    return ResultDetail(
        request=request(source.spec.dataset_id, row_id),
        result=_result(row, asked, marks.of(benchmark_id, [row_id]).get(row_id)),
        earlier=[_result(one, asked, None) for one in parts.table(earlier).to_pylist()],
    )


def mark(benchmark_id: str, row_id: int, author: str | None = None) -> Golden:
    """Mark a result as golden.

    Raises:
        NotFound: no such benchmark or result.
    """
    get(benchmark_id, row_id)
    return golden.mark(benchmark_id, row_id, author)


def judge(benchmark_id: str, row_id: int, marking: Marking, author: str | None) -> Mark:
    """Record what a person found about a result.

    Raises:
        NotFound: no such benchmark or result.
    """
    get(benchmark_id, row_id)
    return marks.put(benchmark_id, row_id, marking, author)


def _window(
    db: duckdb.DuckDBPyConnection,
    source: Source,
    limit: int,
    offset: int,
    only: ResultFilter,
    sort: Sort,
    order: Order,
) -> tuple[int, list[int]]:
    """How many results match, and the row ids of the page.

    Narrow: finding and sorting a million row ids is cheap, sorting their bodies is not.
    """
    found = source.name
    if not only.is_empty:
        condition, values = queries.condition(source, only)
        columns = {"row_id", sort.value}
        query = f"SELECT {', '.join(columns)} FROM {source.name} WHERE {condition}"
        db.execute(f"CREATE TEMP TABLE found AS {query}", values)
        found = "found"
    (total,) = queries.one(db, f"SELECT count(*) FROM {found}")
    window = db.execute(
        f"""
        SELECT row_id FROM {found}
        ORDER BY {sort.value} {order.upper()} NULLS LAST, row_id LIMIT $1 OFFSET $2
        """,
        [limit, offset],
    ).fetchall()
    return total, [row_id for (row_id,) in window]


def request(dataset_id: str, row_id: int) -> Request | None:
    """A request of a dataset; none when it was deleted."""
    try:
        return datasets.page(dataset_id, 1, row_id).requests[0]
    except NotFound:
        return None


def _result(row: Row, request: Row | None, marked: Mark | None) -> Result:
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
        prompt=queries.prompt(request),
        text=row["text"],
        golden=marked is not None and marked.kind is MarkKind.GOLDEN,
        mark=marked,
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
