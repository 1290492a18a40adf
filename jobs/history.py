"""Failures that were asked again: kept per chunk, though a newer result has taken their place.

Asking failed requests again (:mod:`jobs.retry`) first writes them here and only then reopens their
chunk. A failure in a journal that is listed here is to be asked again; until its new result is
there it stays the request's result.
"""

from collections.abc import Iterable

import orjson

from cluster.storage import storage
from jobs import parts
from jobs.parts import Record


def of_chunk(benchmark_id: str, index: int) -> list[Record]:
    """Failures of a chunk that were ever asked again, oldest first."""
    return list(parts.parse(storage().lines(_key(benchmark_id, index))))


def superseded(benchmark_id: str, index: int) -> set[str]:
    """Request ids of the results of a chunk that are to be asked again, or were."""
    return {record["request_id"] for record in of_chunk(benchmark_id, index)}


def add(benchmark_id: str, index: int, failures: Iterable[Record]) -> None:
    """Have failures of a chunk asked again. Repeating it changes nothing."""
    known = of_chunk(benchmark_id, index)
    ids = {record["request_id"] for record in known}
    new = [record for record in failures if record["request_id"] not in ids]
    with storage().write(_key(benchmark_id, index)) as file:
        for record in [*known, *new]:
            file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))


def earlier(benchmark_id: str, row_id: int, chunk_rows: int, current: str) -> list[Record]:
    """The failures that a row's ``current`` result (a request id) has replaced, oldest first."""
    return [
        record
        for record in of_chunk(benchmark_id, row_id // chunk_rows)
        if record["row_id"] == row_id and record["request_id"] != current
    ]


def _key(benchmark_id: str, index: int) -> str:
    return f"benchmarks/{benchmark_id}/history/{index:07d}.jsonl"
