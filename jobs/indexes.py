"""Indexes: what the results of an ended benchmark are listed, searched and sorted by, in one file.

The results of a million requests are a thousand parts with whole bodies. To find fifty of them,
all were opened: a page sorted by latency took 330 ms and one found by text 530 ms on two cores; of
one narrow file they take 140 and 130 ms. A dataset has an index too, of its prompts.

An index is made in the background when it is first asked for (:mod:`jobs.builds`); until it is
there, and for what is small or at work, the parts themselves are read. Its name says when the
benchmark ended, so what a retry changes has another.
"""

from collections.abc import Callable

import duckdb
import pyarrow.parquet as pq
import structlog

from cluster.storage import storage
from jobs import builds, datasets, queries
from jobs.errors import NotReady
from jobs.queries import Source

log = structlog.get_logger()

_FROM_ROWS = 20_000
"""Of fewer, the parts are read in less than 50 ms."""
_PATIENCE: float | None = 0.0
"""Nobody waits for an index: without it the answer comes later, and not never."""
# Part of the name: raise it when the columns or their meaning change.
_FORMAT = 1
_GROUP_ROWS = 20_480

RESULTS = """
    row_id, custom_id, status_code, finish_reason, prompt_tokens, output_tokens,
    latency_ms, ttft_ms, itl_ms, queue_ms, finished_at,
    concat(lower(custom_id), chr(31), lower(text)) AS folded
"""
"""What an index has of each result; the letters of ``folded``, the text to search, are small."""

PROMPTS = r"""
    row_id, custom_id, lower(concat_ws(chr(10),
        array_to_string(json_extract_string(body, '$.messages[*].content'), chr(10)),
        array_to_string(json_extract_string(body, '$.messages[*].content[*].text'), chr(10)),
        json_extract_string(body, '$.prompt'),
        json_extract_string(body, '$.input')
    )) AS folded
"""
"""The same of each request."""


def of_results(of: Source) -> str | None:
    """The path of the index of a benchmark's results; none as long as there is none."""
    if of.ended is None:
        return None
    folder = f"benchmarks/{of.spec.benchmark_id}/index"
    name = f"{_FORMAT}-{int(of.ended.timestamp() * 1e6)}.parquet"

    def rows(db: duckdb.DuckDBPyConnection) -> str:
        source = queries.source(db, of.spec.benchmark_id)
        if source.ended != of.ended:
            raise RuntimeError("it was taken up again")
        return f"SELECT {RESULTS} FROM {source.name}"

    return _made(folder, name, of, rows)


def of_prompts(of: Source) -> str | None:
    """The path of the index of the prompts of a benchmark's dataset, likewise."""
    if not storage().exists(datasets.requests_key(of.spec.dataset_id)):
        return None  # it was deleted
    folder = f"datasets/{of.spec.dataset_id}/index"

    def rows(db: duckdb.DuckDBPyConnection) -> str:
        source = queries.source(db, of.spec.benchmark_id, whole=False)
        return f"SELECT {PROMPTS} FROM {source.name}_requests"

    return _made(folder, f"{_FORMAT}.parquet", of, rows)


def _made(
    folder: str, name: str, of: Source, rows: Callable[[duckdb.DuckDBPyConnection], str]
) -> str | None:
    if of.spec.total < _FROM_ROWS:
        return None
    key = f"{folder}/{name}"
    if not storage().exists(key):
        try:
            builds.ensure(key, lambda _: _build(folder, name, rows), _PATIENCE)
        except NotReady:
            return None
    return str(storage().path(key))


@queries.repeated
def _build(folder: str, name: str, rows: Callable[[duckdb.DuckDBPyConnection], str]) -> None:
    """Another process that builds the same writes the same."""
    with queries.connect(bounded=False) as db:
        found = db.sql(rows(db)).to_arrow_reader(_GROUP_ROWS)
        with (
            storage().write(f"{folder}/{name}") as file,
            pq.ParquetWriter(file, found.schema, compression="lz4") as writer,
        ):
            for batch in found:
                writer.write_batch(batch)
    for old in set(storage().list(folder)) - {name}:
        storage().delete(f"{folder}/{old}")
    log.info("index made", folder=folder)
