"""Indexes: what the results of an ended benchmark are listed, searched and sorted by, in one file.

The results of a million requests are a thousand parts with whole bodies. To find fifty of them,
all were opened: a page sorted by latency took 330 ms and one found by text 530 ms on two cores; of
one narrow table they take 120 and 70 ms. It is a DuckDB database, which takes half the time of a
Parquet file. A dataset has an index too, of its prompts.

An index is made in the background when it is first asked for (:mod:`jobs.builds`); until it is
there, and for what is small or at work, the parts themselves are read. Its name says when the
benchmark ended, so what a retry changes has another. Each machine makes its own
(:mod:`cluster.cache`), as DuckDB needs the file on a disk.
"""

import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import duckdb
import structlog

from cluster import cache, space
from cluster.settings import settings
from cluster.storage import storage
from jobs import builds, queries, request_file
from jobs.errors import BenchmarkRunnerError, Conflict, NotReady
from jobs.queries import Source

log = structlog.get_logger()

_FROM_ROWS = 20_000
"""Of fewer, the parts are read in less than 50 ms."""
_PATIENCE: float | None = 0.0
"""Nobody waits for an index: without it the answer comes later, and not never."""
# Part of the name: raise it when the columns or their meaning change.
_FORMAT = 1
# The disk is full, say.
_FAILED_SECONDS = 60.0
_not_before: dict[str, float] = {}

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


def of_results(of: Source) -> Path | None:
    """The index of a benchmark's results, a database with the table ``listed`` of
    :data:`RESULTS`; none as long as there is none."""
    if of.ended is None:
        return None
    name = f"{_FORMAT}-{int(of.ended.timestamp() * 1e6)}.duckdb"

    def rows(db: duckdb.DuckDBPyConnection) -> str:
        source = queries.source(db, of.spec.benchmark_id)
        if source.ended != of.ended:
            raise Conflict("benchmark_live", "The benchmark was taken up again meanwhile.")
        return f"SELECT {RESULTS} FROM {source.name}"

    return _made(of.spec.benchmark_id, name, of, rows)


def of_prompts(of: Source) -> Path | None:
    """The same of the prompts of a benchmark's dataset, with :data:`PROMPTS`."""
    if not storage().exists(request_file.key(of.spec.dataset_id)):
        return None  # it was deleted

    def rows(db: duckdb.DuckDBPyConnection) -> str:
        source = queries.source(db, of.spec.benchmark_id, whole=False)
        return f"SELECT {PROMPTS} FROM {queries.requests(db, source)}"

    return _made(of.spec.dataset_id, f"{_FORMAT}.duckdb", of, rows)


def _made(
    owner: str, name: str, of: Source, rows: Callable[[duckdb.DuckDBPyConnection], str]
) -> Path | None:
    if of.spec.total < _FROM_ROWS:
        return None
    path = cache.path(owner, name)
    if path.exists():
        return path
    key = str(path)
    if time.monotonic() < _not_before.get(key, 0.0):
        return None

    def build(_: builds.Report) -> None:
        # Nobody may be waiting any more to be told, and readers do without it.
        try:
            _build(owner, name, rows)
        except (OSError, duckdb.Error, BenchmarkRunnerError) as error:
            _not_before[key] = time.monotonic() + _FAILED_SECONDS
            log.warning("index not made; tried again later", of=owner, error=str(error))

    with suppress(NotReady):
        builds.ensure(key, build, _PATIENCE)
    return path if path.exists() else None


@queries.repeated
def _build(owner: str, name: str, rows: Callable[[duckdb.DuckDBPyConnection], str]) -> None:
    """Another process that builds the same writes the same."""
    space.require(settings().data_folder)
    cache.sweep()
    scratch = settings().data_folder / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="index-", dir=scratch) as aside:
        path = Path(aside) / "listed.duckdb"
        with queries.connect(bounded=False) as db:
            query = rows(db)
            db.execute(f"ATTACH {queries.literal(path)} AS made")
            try:
                db.execute(f"CREATE TABLE made.listed AS {query}")
            finally:
                db.execute("DETACH made")
        cache.put(owner, name, path)
    log.info("index made", of=owner)
