"""Results as DuckDB relations, and reading some of them by their row ids."""

import functools
import hashlib
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import duckdb
import pyarrow as pa

from cluster.database import session
from cluster.settings import settings
from cluster.storage import is_gone, storage
from jobs import benchmarks, marks, parts, request_file
from jobs.errors import InvalidRequest
from jobs.schemas.benchmarks import BenchmarkSpec
from jobs.schemas.marks import MarkKind

SUCCEEDED = "status_code BETWEEN 200 AND 299"

NORMAL = r"trim(regexp_replace(lower({}), '[^\p{{L}}\p{{N}}\p{{M}}]+', ' ', 'g'))"
"""The text in an expression as :func:`jobs.grading.normal` has it; both are RE2's work."""

_ATTACHED = 64
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
    part yet and ``<name>_requests`` the dataset (:func:`requests`).
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
    and the same results are in a journal now. Or when an index was let go (:func:`attached`)."""

    @functools.wraps(read)
    def again(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(_READS - 1):
            try:
                return read(*args, **kwargs)
            except duckdb.Error as error:
                if not is_gone(error) and not isinstance(error, duckdb.CatalogException):
                    raise
        return read(*args, **kwargs)

    return again


@contextmanager
def connect(*, bounded: bool = True) -> Generator[duckdb.DuckDBPyConnection]:
    """An empty database in memory, for as long as ``query_timeout_seconds`` if ``bounded``.

    Raises:
        InvalidRequest: it took longer.
    """
    # What a connection makes (temporary views and tables, variables) is its own.
    with storage().connect() as db, _bounded(db) if bounded else nullcontext():
        yield db


def attached(db: duckdb.DuckDBPyConnection, path: Path) -> str:
    """The name by which queries can use a database file, for as long as they are about to."""
    name = f"file_{hashlib.sha256(str(path).encode()).hexdigest()[:24]}"
    db.execute(f"ATTACH IF NOT EXISTS {literal(path)} AS {name} (READ_ONLY)")
    there = """
        SELECT database_name FROM duckdb_databases() WHERE starts_with(database_name, 'file_')
        ORDER BY database_oid
    """
    others = [other for (other,) in db.execute(there).fetchall() if other != name]
    # Those that were attached first.
    for other in others[:-_ATTACHED]:
        db.execute(f"DETACH DATABASE IF EXISTS {other}")
    return name


def literal(path: Path) -> str:
    """A path in the text of a statement that takes no parameters."""
    return "'{}'".format(str(path).replace("'", "''"))


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
    journal, done = parts.snapshot(benchmark_id, spec.chunk_rows)
    db.register(f"{name}_journal", parts.table(journal))
    of = Source(
        name=name, spec=spec, ended=ended, done=frozenset(done), marks=marks.kinds(benchmark_id)
    )
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


def requests(db: duckdb.DuckDBPyConnection, of: Source) -> str:
    """Make the relation of the dataset's requests, which is empty once it is deleted; its name."""
    name = f"{of.name}_requests"
    key = request_file.key(of.spec.dataset_id)
    if storage().exists(key):
        db.execute(f"SET VARIABLE {name} = $1", [storage().url(key)])
        query = f"SELECT * FROM read_parquet(getvariable('{name}'))"
        db.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {query}")
    else:
        db.register(name, request_file.SCHEMA.empty_table())
    return name


def fetch(
    db: duckdb.DuckDBPyConnection,
    of: Source,
    row_ids: Iterable[int],
    columns: Sequence[str] = tuple(parts.SCHEMA.names[1:]),
) -> dict[int, Row]:
    """Results by row id, with ``columns`` of :data:`jobs.parts.SCHEMA` beside it. Only the parts
    that hold them are opened."""
    wanted = sorted(set(row_ids))
    select = f"SELECT row_id, {', '.join(columns)} FROM"
    only = "WHERE row_id IN (SELECT unnest($ids))"
    found = f"{select} {of.name}_journal {only}"
    values: dict[str, Any] = {"ids": wanted}
    if paths := _paths(of, wanted):
        found += f" UNION ALL {select} read_parquet($paths) {only}"
        values["paths"] = paths
    return _by_row(db, found, values)


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
