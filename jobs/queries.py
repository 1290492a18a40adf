"""Results as DuckDB relations, and reading some of them by their row ids."""

import functools
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

import duckdb
import pyarrow as pa

from cluster.database import session
from cluster.settings import settings
from cluster.storage import storage
from jobs import benchmarks, datasets, marks, parts
from jobs.errors import InvalidRequest
from jobs.schemas import BenchmarkSpec, MarkKind

SUCCEEDED = "status_code BETWEEN 200 AND 299"

NORMAL = r"trim(regexp_replace(lower({}), '[^\p{{L}}\p{{N}}\p{{M}}]+', ' ', 'g'))"
"""The text in an expression as :func:`jobs.grading.normal` has it; both are RE2's work."""

# Sorts and joins beyond this spill to disk, so that a reader of a huge result cannot take the
# memory that an engine on the same machine needs. A join of 2 x 100,000 results fits.
_MEMORY = "1GB"
_INTERRUPT_SECONDS = 0.1

# A retry reopens chunks once; somebody who retries again and again must not hold a reader for ever.
_READS = 3

P = ParamSpec("P")
T = TypeVar("T")
Row = dict[str, Any]
Condition = tuple[str, dict[str, Any]]
"""The text of a condition and the parameters that it names."""


@dataclass(frozen=True, slots=True)
class Source:
    """The results of a benchmark as relations of a DuckDB connection.

    ``<name>`` holds the results (:func:`results`), ``<name>_journal`` those of them that are in no
    part yet, ``<name>_requests`` the dataset (empty once it is deleted), ``<name>_marks`` row id
    and kind of what people marked and ``<name>_golden`` the row ids of golden examples.
    """

    name: str
    spec: BenchmarkSpec
    ended: datetime | None
    """When the benchmark ended; none while it is at work."""
    done: frozenset[int]
    """Indices of the chunks whose results are in parts."""
    marks: Mapping[int, MarkKind]

    def is_golden(self, row_id: int) -> bool:
        return self.marks.get(row_id) is MarkKind.GOLDEN

    @property
    def is_complete(self) -> bool:
        """Every request has its result, in a part."""
        return len(self.done) == -(-self.spec.total // self.spec.chunk_rows)


def repeated(read: Callable[P, T]) -> Callable[P, T]:
    """Have ``read`` look again when a part was deleted under it: a retry has reopened its chunk,
    and the same results are in a journal now."""

    @functools.wraps(read)
    def again(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(_READS - 1):
            try:
                return read(*args, **kwargs)
            except duckdb.IOException:
                continue
        return read(*args, **kwargs)

    return again


@contextmanager
def connect(*, bounded: bool = True) -> Generator[duckdb.DuckDBPyConnection]:
    """An empty database in memory, for as long as ``query_timeout_seconds`` if ``bounded``.

    Raises:
        InvalidRequest: it took longer.
    """
    scratch = settings().data_folder / "scratch"
    with duckdb.connect() as db, _bounded(db) if bounded else nullcontext():
        db.execute("SET memory_limit = $1", [_MEMORY])
        db.execute("SET temp_directory = $1", [str(scratch)])
        yield db


@contextmanager
def _bounded(db: duckdb.DuckDBPyConnection) -> Generator[None]:
    limit = settings().query_timeout_seconds
    done = threading.Event()

    def interrupt() -> None:
        late = not done.wait(limit)
        # Again and again, as an interruption between two queries stops neither.
        while late and not done.wait(_INTERRUPT_SECONDS):
            db.interrupt()

    watching = threading.Thread(target=interrupt, daemon=True, name="query-timeout")
    watching.start()
    try:
        yield
    except duckdb.InterruptException:
        raise InvalidRequest(
            "query_timeout", f"This takes longer than {limit:g} seconds. Ask for less at once."
        ) from None
    finally:
        # The connection is closed next, and a closed one must not be interrupted.
        done.set()
        watching.join()


def source(
    db: duckdb.DuckDBPyConnection, benchmark_id: str, name: str = "results", *, whole: bool = True
) -> Source:
    """Register what exists of a benchmark, also while it runs, under ``name``.

    Where results are only listed (:mod:`jobs.listing`) or fetched by their row ids, ``whole`` can
    be false: the relation of all of them is not made then, which for a thousand parts takes longer
    than to fetch a page.
    """
    with session() as sql:
        row = benchmarks.row(sql, benchmark_id)
        spec, ended = BenchmarkSpec.model_validate(row.spec), row.completed_at
    marked = marks.kinds(benchmark_id)
    journal, done = parts.snapshot(benchmark_id, spec.chunk_rows)
    db.register(f"{name}_journal", parts.table(journal))
    requests = datasets.requests_key(spec.dataset_id)
    if storage().exists(requests):
        db.execute(f"SET VARIABLE {name}_requests = $1", [str(storage().path(requests))])
        query = f"SELECT * FROM read_parquet(getvariable('{name}_requests'))"
        db.execute(f"CREATE TEMP VIEW {name}_requests AS {query}")
    else:
        db.register(f"{name}_requests", datasets.SCHEMA.empty_table())
    columns = {
        "row_id": pa.array(marked.keys(), pa.int64()),
        "kind": pa.array((kind.value for kind in marked.values()), pa.string()),
    }
    db.register(f"{name}_marks", pa.table(columns))
    golden = f"SELECT row_id FROM {name}_marks WHERE kind = '{MarkKind.GOLDEN}'"
    db.execute(f"CREATE TEMP VIEW {name}_golden AS {golden}")
    of = Source(name=name, spec=spec, ended=ended, done=frozenset(done), marks=marked)
    if whole:
        results(db, of)
    return of


def results(db: duckdb.DuckDBPyConnection, of: Source) -> str:
    """Make the relation of all results; its name."""
    selects = [f"SELECT * FROM {of.name}_journal"]
    if of.done:
        # A view cannot have parameters, but it can read a variable.
        # The parts are named one by one: a pattern would find those that a chunk of the journal
        # became in the meantime, and count its results twice.
        paths = parts.part_paths(of.spec.benchmark_id, sorted(of.done))
        db.execute(f"SET VARIABLE {of.name}_parts = $1", [paths])
        selects.append(f"SELECT * FROM read_parquet(getvariable('{of.name}_parts'))")
    db.execute(f"CREATE OR REPLACE TEMP VIEW {of.name} AS {' UNION ALL '.join(selects)}")
    return of.name


def fetch(db: duckdb.DuckDBPyConnection, of: Source, row_ids: Iterable[int]) -> dict[int, Row]:
    """Whole results by row id. Only the parts that hold them are opened."""
    wanted = sorted(set(row_ids))
    found = f"SELECT * FROM {of.name}_journal WHERE row_id IN (SELECT unnest($ids))"
    values: dict[str, Any] = {"ids": wanted}
    if paths := _paths(of, wanted):
        found += " UNION ALL SELECT * FROM read_parquet($paths) WHERE row_id IN"
        found += " (SELECT unnest($ids))"
        values["paths"] = paths
    return _by_row(db, found, values)


def requests(
    db: duckdb.DuckDBPyConnection, of: Source, row_ids: Iterable[int]
) -> dict[int, dict[str, Any]]:
    """``preview`` and ``extra`` of requests by row id; empty when the dataset was deleted."""
    wanted = sorted(set(row_ids))
    if not wanted:
        return {}
    # The bounds let DuckDB skip row groups by their statistics.
    query = f"""
        SELECT row_id, preview, extra FROM {of.name}_requests
        WHERE row_id BETWEEN $first AND $last AND row_id IN (SELECT unnest($ids))
    """
    return _by_row(db, query, {"ids": wanted, "first": wanted[0], "last": wanted[-1]})


def prompt(request: Row | None) -> str:
    """What of a request is shown beside its result; empty when the dataset was deleted."""
    return str(request["preview"] or "") if request else ""


def one(db: duckdb.DuckDBPyConnection, query: str, values: Any = None) -> tuple[Any, ...]:
    """The only row of a query."""
    # All is fetched: an unfinished result would be in the way of the connection's next query.
    (row,) = db.execute(query, values).fetchall()
    return row


def _paths(of: Source, row_ids: Sequence[int]) -> list[str]:
    chunks = {row_id // of.spec.chunk_rows for row_id in row_ids} & of.done
    return parts.part_paths(of.spec.benchmark_id, sorted(chunks))


def _by_row(db: duckdb.DuckDBPyConnection, query: str, values: dict[str, Any]) -> dict[int, Row]:
    table: pa.Table = db.sql(query, params=values).to_arrow_table()
    return {row["row_id"]: row for row in table.to_pylist()}
