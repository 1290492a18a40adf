"""Reading results: pages and single ones, also while the benchmark runs."""

from datetime import UTC
from typing import Any

import duckdb
import orjson

from jobs import (
    benchmarks,
    datasets,
    golden,
    history,
    listing,
    marks,
    parts,
    queries,
    request_file,
    result_cursors,
    scores,
)
from jobs.analysis import Golden, Order, ResultDetail, ResultFilter, Sort
from jobs.errors import NotFound
from jobs.queries import Row, Source
from jobs.result_cursors import Cursor
from jobs.schemas.benchmarks import Benchmark
from jobs.schemas.marks import Mark, Marking, MarkKind
from jobs.schemas.requests import Request
from jobs.schemas.results import ResponseBody, Result, ResultError, ResultPage, Score


@queries.repeated
def page(
    benchmark_id: str,
    limit: int,
    offset: int,
    only: ResultFilter | None = None,
    sort: Sort = Sort.ROW_ID,
    order: Order = "asc",
    cursor: str | None = None,
) -> ResultPage:
    """Results as far as they exist. Of equals the earlier row comes first, and what has no figure
    to sort by comes last. With ``cursor`` those after the page that it came with.

    Raises:
        NotFound: no such benchmark or column of scores.
        InvalidRequest: the cursor is none, or scores are meant and none are named.
    """
    benchmark = benchmarks.get(benchmark_id)
    only = only or ResultFilter()
    skipped = offset
    of_list = result_cursors.digest(benchmark_id, only, sort, order)
    begin = result_cursors.decode(cursor, of_list, sort) if cursor else None
    with queries.connect() as db:
        source = queries.source(db, benchmark_id, whole=False)
        if source.is_complete and only.is_empty and sort is Sort.ROW_ID:
            # Row ids are 0 to total - 1, so one part is opened instead of a thousand.
            total = source.spec.total
            every = range(total) if order == "asc" else range(total - 1, -1, -1)
            if begin is not None:
                offset += begin.row_id + 1 if order == "asc" else total - begin.row_id
            found = [(row_id, row_id) for row_id in every[offset:][: limit + 1]]
        else:
            relation = _relation(db, source, benchmark, only, sort)
            total = queries.one(db, f"SELECT count(*) FROM {relation}")[0]
            found = _window(db, relation, limit + 1, offset, sort, order, begin)
        row_ids = [row_id for row_id, _ in found[:limit]]
        rows = queries.fetch(db, source, row_ids)
        asked = request_file.shown(benchmark.dataset_id, row_ids)
        graded = scores.of_rows(db, scores.columns(benchmark), rows.values())
    marked = marks.of(benchmark_id, source.marks.keys() & set(row_ids))
    following = None
    if len(found) > limit:
        row_id, key = found[limit - 1]
        following = result_cursors.encode(Cursor(of=of_list, key=key, row_id=row_id))
    return ResultPage(
        benchmark_id=benchmark_id,
        model_name=benchmark.model_name,
        dataset_name=benchmark.dataset_name,
        status=benchmark.status,
        total_time_seconds=benchmark.total_time_seconds,
        throughput=benchmark.throughput,
        # A row can be gone again when a retry reopens its chunk in this moment.
        results=[
            _result(rows[row_id], asked.get(row_id), marked.get(row_id), graded[row_id])
            for row_id in row_ids
            if row_id in rows
        ],
        total=total,
        limit=limit,
        offset=skipped,
        next_cursor=following,
    )


@queries.repeated
def get(benchmark_id: str, row_id: int) -> ResultDetail:
    """One result with the whole request that it answers.

    Raises:
        NotFound: no such benchmark, or no result of that row (yet).
    """
    benchmark = benchmarks.get(benchmark_id)
    with queries.connect() as db:
        source = queries.source(db, benchmark_id, whole=False)
        row = queries.fetch(db, source, [row_id]).get(row_id)
        if row is None:
            message = f"Benchmark {benchmark_id!r} has no result of row {row_id} (yet)."
            raise NotFound("result_not_found", message)
        graded = scores.of_rows(db, scores.columns(benchmark), [row])
    asked = request_file.shown(benchmark.dataset_id, [row_id]).get(row_id)
    earlier = history.earlier(benchmark_id, row_id, source.spec.chunk_rows, row["request_id"])
    return ResultDetail(
        request=request(source.spec.dataset_id, row_id),
        result=_result(row, asked, marks.of(benchmark_id, [row_id]).get(row_id), graded[row_id]),
        earlier=[_result(one, asked, None, {}) for one in parts.table(earlier).to_pylist()],
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


def _relation(
    db: duckdb.DuckDBPyConnection,
    source: Source,
    benchmark: Benchmark,
    only: ResultFilter,
    sort: Sort,
) -> str:
    """A relation of the row ids that match, with what they are sorted by.

    Narrow: finding and sorting a million row ids is cheap, sorting their bodies is not.
    """
    column = scores.prepare(db, source, benchmark, only, sort)
    of_scores = sort in (Sort.SCORE, Sort.ROW_ID) and only.besides_scores == ResultFilter()
    if column is not None and column.judge is None and column.is_complete and of_scores:
        # It has every result, so nothing else need be opened.
        results = f"{source.name}_score"
    else:
        results = listing.relation(db, source)
        if sort is Sort.SCORE:
            results += f" LEFT JOIN {source.name}_score USING (row_id, finished_at)"
        elif only.is_empty:
            return results
    condition, values = listing.condition(db, source, only)
    columns = ", ".join({"row_id", sort.value})
    db.execute(
        f"CREATE TEMP TABLE matching AS SELECT {columns} FROM {results} WHERE {condition}", values
    )
    return "matching"


def _window(
    db: duckdb.DuckDBPyConnection,
    relation: str,
    limit: int,
    offset: int,
    sort: Sort,
    order: Order,
    begin: Cursor | None,
) -> list[tuple[int, Any]]:
    """Row ids of a page, with what they are sorted by."""
    condition, values = result_cursors.after(begin, sort, order) if begin else ("true", {})
    return db.execute(
        f"""
        SELECT row_id, {sort.value} FROM {relation} WHERE {condition}
        ORDER BY {sort.value} {order.upper()} NULLS LAST, row_id LIMIT $limit OFFSET $offset
        """,
        {**values, "limit": limit, "offset": offset},
    ).fetchall()


def request(dataset_id: str, row_id: int) -> Request | None:
    """A request of a dataset; none when it was deleted."""
    try:
        return datasets.page(dataset_id, 1, row_id).requests[0]
    except NotFound:
        return None


def _result(row: Row, request: Row | None, marked: Mark | None, graded: dict[str, Score]) -> Result:
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
        scores=graded,
    )
