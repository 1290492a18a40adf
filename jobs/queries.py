"""Results as DuckDB relations, and a filter as a condition over them.

Values from users reach DuckDB as parameters only; what is put into the text of a query are names
and enum members of this code.
"""

import functools
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import duckdb
import orjson
import pyarrow as pa

from cluster.database import session
from cluster.settings import settings
from cluster.storage import is_gone, storage
from jobs import benchmarks, datasets, marks, parts
from jobs.analysis import Outcome, ResultFilter
from jobs.errors import InvalidRequest
from jobs.schemas import BenchmarkSpec, MarkKind

SUCCEEDED = "status_code BETWEEN 200 AND 299"

NORMAL = r"trim(regexp_replace(lower({}), '[^\p{{L}}\p{{N}}\p{{M}}]+', ' ', 'g'))"
"""The text in an expression as :func:`jobs.grading.normal` has it; both are RE2's work."""

# Sorts and joins beyond this spill to disk, so that a reader of a huge result cannot take the
# memory that an engine on the same machine needs. A join of 2 x 100,000 results fits.
_MEMORY = "1GB"
_INTERRUPT_SECONDS = 0.1
_RANGES = ("latency_ms", "ttft_ms", "prompt_tokens", "output_tokens")

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

    ``<name>`` holds the results, ``<name>_journal`` those of them that are in no part yet,
    ``<name>_requests`` the dataset (empty once it is deleted), ``<name>_marks`` row id and kind of
    what people marked and ``<name>_golden`` the row ids of golden examples.
    """

    name: str
    spec: BenchmarkSpec
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
            except duckdb.Error as error:
                if not is_gone(error):
                    raise
        return read(*args, **kwargs)

    return again


@contextmanager
def connect(*, bounded: bool = True) -> Generator[duckdb.DuckDBPyConnection]:
    """An empty database in memory, for as long as ``query_timeout_seconds`` if ``bounded``.

    Raises:
        InvalidRequest: it took longer.
    """
    scratch = settings().data_folder / "scratch"
    with storage().connect() as db, _bounded(db) if bounded else nullcontext():
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

    Where results are only fetched by their row ids, ``whole`` can be false: the relation of all of
    them is not made then, which for a thousand parts takes longer than to fetch a page.
    """
    with session() as sql:
        spec = BenchmarkSpec.model_validate(benchmarks.row(sql, benchmark_id).spec)
    marked = marks.kinds(benchmark_id)
    journal, done = parts.snapshot(benchmark_id, spec.chunk_rows)
    db.register(f"{name}_journal", parts.table(journal))
    selects = [f"SELECT * FROM {name}_journal"]
    if done and whole:
        # A view cannot have parameters, but it can read a variable.
        # The parts are named one by one: a pattern would find those that a chunk of the journal
        # became in the meantime, and count its results twice.
        paths = parts.part_paths(benchmark_id, sorted(done))
        db.execute(f"SET VARIABLE {name}_parts = $1", [paths])
        selects.append(f"SELECT * FROM read_parquet(getvariable('{name}_parts'))")
    if whole:
        db.execute(f"CREATE TEMP VIEW {name} AS {' UNION ALL '.join(selects)}")
    requests = datasets.requests_key(spec.dataset_id)
    if storage().exists(requests):
        db.execute(f"SET VARIABLE {name}_requests = $1", [storage().url(requests)])
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
    return Source(name=name, spec=spec, done=frozenset(done), marks=marked)


def condition(of: Source, only: ResultFilter) -> Condition:
    """The results of ``of`` that ``only`` means, as a condition over its relation.

    If it is about scores, ``<name>_score`` must be a view of them (:func:`jobs.scores.view`).
    """
    wanted = ["true"]
    values: dict[str, Any] = {}
    if only.outcome is not None:
        wanted.append(SUCCEEDED if only.outcome is Outcome.SUCCEEDED else f"NOT ({SUCCEEDED})")
    if only.status_code is not None:
        wanted.append("status_code = $status_code")
        values["status_code"] = only.status_code
    for name in _RANGES:
        for bound, comparison in (("min", ">="), ("max", "<=")):
            if (limit := getattr(only, f"{bound}_{name}")) is not None:
                wanted.append(f"{name} {comparison} ${bound}_{name}")
                values[f"{bound}_{name}"] = limit
    if only.is_of_scores:
        text, limits = _of_scores(of, only)
        wanted.append(text)
        values |= limits
    if only.finish_reason is not None:
        wanted.append("finish_reason = $finish_reason")
        values["finish_reason"] = only.finish_reason
    if only.golden is not None:
        negation = "" if only.golden else "NOT"
        wanted.append(f"row_id {negation} IN (SELECT row_id FROM {of.name}_golden)")
    if only.mark is not None:
        wanted.append(f"row_id IN (SELECT row_id FROM {of.name}_marks WHERE kind = $mark)")
        values["mark"] = only.mark.value
    if only.q:
        in_prompt = f"row_id IN (SELECT row_id FROM {of.name}_requests WHERE {PROMPT_HAS_Q})"
        wanted.append(f"({RESULT_HAS_Q} OR {in_prompt})")
        values |= search(only.q)
    return " AND ".join(wanted), values


def _of_scores(of: Source, only: ResultFilter) -> Condition:
    values = {
        name: limit
        for name, limit in (("min_score", only.min_score), ("max_score", only.max_score))
        if limit is not None
    }
    wanted = ["score IS NOT NULL"]
    wanted += ["score >= $min_score"] * ("min_score" in values)
    wanted += ["score <= $max_score"] * ("max_score" in values)
    scored = f"SELECT row_id, finished_at FROM {of.name}_score WHERE {' AND '.join(wanted)}"
    negation = "NOT" if only.graded is False else ""
    return f"(row_id, finished_at) {negation} IN ({scored})", values


RESULT_HAS_Q = (
    "(contains(lower(custom_id), lower($q)) OR contains(lower(coalesce(text, '')), lower($q)))"
)
"""A condition over results, with the parameters of :func:`search`."""

# The text as JSON holds it is looked for first: that is a scan, and only what it finds is parsed,
# so that "role" or "user" does not match every request by its keys.
PROMPT_HAS_Q = """
    CASE WHEN contains(lower(body), lower($escaped)) THEN contains(
        lower(concat_ws(chr(10),
            array_to_string(json_extract_string(body, '$.messages[*].content'), chr(10)),
            array_to_string(json_extract_string(body, '$.messages[*].content[*].text'), chr(10)),
            json_extract_string(body, '$.prompt'),
            json_extract_string(body, '$.input')
        )), lower($q))
    ELSE false END
"""
"""A condition over requests, with the parameters of :func:`search`."""


def search(q: str) -> dict[str, Any]:
    """Parameters that look for ``q``, literally and whatever its case."""
    return {"q": q, "escaped": orjson.dumps(q).decode()[1:-1]}


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
