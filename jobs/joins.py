"""The join of benchmarks on ``custom_id``: a narrow row each, with how alike the answers are.

*Similarity* of two texts is 1 if they are equal and otherwise DuckDB's Jaro–Winkler similarity of
their first 128 characters, at most 0.99; of a text and a missing one (the request failed, or has
no result yet) it is 0, and of two missing ones 1. A row's similarity is the mean over all pairs.

Why so: it has to order 100,000 rows while somebody waits. Jaro–Winkler's cost grows with the
square of the length (measured on 2 cores, 100,000 pairs: 0.8 s at 200 characters, 3.1 s at 1,000),
and where answers differ at all, they mostly do so at the beginning, which Winkler's term weighs
more. DuckDB's other candidate, ``jaccard``, compares sets of characters, in which any two English
sentences are alike.

Once all benchmarks have ended the join is kept beside the results of the first, under a name made
of their ids and of when they ended, and sorted, so that a page is a look-up: of 2 x 100,000 results
a page took 2.0 to 2.4 s before. What a retry changes has another name. It is built in the
background (:mod:`jobs.builds`), for benchmarks of one dataset in runs of rows, as a million rows of
eight would not fit into memory.

While a benchmark is at work nothing is kept. Beyond :data:`_LIVE_PAIRS` its rows are then in their
own order, without similarities.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import duckdb
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from cluster.storage import storage
from jobs import builds, parts, queries
from jobs.agreement import PairAgreement
from jobs.queries import Source
from jobs.schemas.benchmarks import Benchmark

COMPARED_CHARACTERS = 128
# Part of the name: raise it when the columns or their meaning change.
_FORMAT = 1
# A page reads one or two groups.
_GROUP_ROWS = 20480
# Joins kept beside a benchmark: each is some 40 bytes a row.
_KEPT = 16

# Rows that are joined at once; a multiple of the rows of a chunk, so that no part is read twice.
_RUN_ROWS = 65_536
# Pairs of answers that are compared while somebody waits: some two seconds on two cores.
_LIVE_PAIRS = 400_000

_PAIRS: TypeAdapter[list[PairAgreement]] = TypeAdapter(list[PairAgreement])


def joined(
    db: duckdb.DuckDBPyConnection,
    found: Sequence[Benchmark],
    sources: Sequence[Source],
    patience: float | None,
) -> None:
    """Make the relation ``joined``: ``custom_id``, ``row_id`` (of the first source that has it),
    ``row_ids`` (of each, or null), ``unmatched``, ``similarity``, and the row's places
    ``by_difference`` and ``by_row``.

    Raises:
        NotReady: building it takes longer than ``patience`` seconds.
    """
    key = _key(found)
    if key is None:
        pairs = max(of.spec.total for of in sources) * len(_pairs(len(sources)))
        _pair(db, sources, similar=pairs <= _LIVE_PAIRS, whole=False)
        _measure(db, len(sources))
        db.execute(f"CREATE TEMP TABLE joined AS {_RANKED}")
        return
    _ensure(key, found, patience)
    db.execute("SET VARIABLE joined = $1", [storage().url(key)])
    db.execute("CREATE TEMP VIEW joined AS SELECT * FROM read_parquet(getvariable('joined'))")


def agreements(found: Sequence[Benchmark], patience: float | None) -> list[PairAgreement]:
    """How far each pair agrees, over the rows that both have answered. Nothing is said of live
    benchmarks that are too large to be compared while somebody waits.

    Raises:
        NotReady: building it takes longer than ``patience`` seconds.
    """
    key = _key(found)
    if key is None:
        pairs = max(one.total for one in found) * len(_pairs(len(found)))
        if pairs > _LIVE_PAIRS:
            return []
        with queries.connect() as db:
            sources = open_sources(db, found)
            _pair(db, sources, whole=True)
            return _agreements(db, found)
    _ensure(key, found, patience)
    return _PAIRS.validate_json(storage().read(_beside(key)))


def open_sources(
    db: duckdb.DuckDBPyConnection, found: Sequence[Benchmark], *, whole: bool = True
) -> list[Source]:
    """The results of each benchmark as relations, ``results_0`` and so on."""
    return [
        queries.source(db, one.benchmark_id, f"results_{at}", whole=whole)
        for at, one in enumerate(found)
    ]


def are_kept(found: Sequence[Benchmark]) -> bool:
    """Whether :func:`joined` takes from storage what it does not need the sources for."""
    return _key(found) is not None


def similarity_of(a: int, b: int) -> str:
    """The similarity of two sides as an expression over ``t<n>`` and ``h<n>``: the first characters
    of their texts and the hashes of the whole texts."""
    return f"""CASE WHEN t{a} IS NULL AND t{b} IS NULL THEN 1.0
                    WHEN t{a} IS NULL OR t{b} IS NULL THEN 0.0
                    WHEN h{a} = h{b} THEN 1.0
                    ELSE least(jaro_winkler_similarity(t{a}, t{b}), 0.99) END"""


def mean_similarity(count: int) -> str:
    """The mean over all pairs, as such an expression."""
    pairs = [similarity_of(a, b) for a, b in combinations(range(count), 2)]
    return f"(({' + '.join(pairs)}) / {len(pairs)}.0)"


def _key(found: Sequence[Benchmark]) -> str | None:
    """Where the join is kept; none while one of the benchmarks is at work."""
    ended = [
        (one.benchmark_id, one.completed_at.timestamp())
        for one in found
        if one.completed_at is not None
    ]
    if len(ended) < len(found):
        return None
    name = hashlib.sha256(orjson.dumps([_FORMAT, ended])).hexdigest()[:24]
    return f"benchmarks/{found[0].benchmark_id}/joins/{name}.parquet"


def _beside(key: str) -> str:
    return key.replace(".parquet", ".json")


def _ensure(key: str, found: Sequence[Benchmark], patience: float | None) -> None:
    """Build what is not there. Another process that builds the same writes the same."""
    if not storage().exists(key):
        builds.ensure(key, lambda report: _build(key, found, report), patience)


@queries.repeated
def _build(key: str, found: Sequence[Benchmark], report: builds.Report) -> None:
    if storage().exists(key):
        return
    with queries.connect(bounded=False) as db:
        sources = open_sources(db, found)
        for part, share in _runs(db, sources):
            _pair(db, part, whole=True)
            report(share)
        _measure(db, len(sources))
        with storage().write(_beside(key)) as file:
            file.write(_PAIRS.dump_json(_agreements(db, found)))
        ordered = db.sql(f"{_RANKED} ORDER BY by_difference").to_arrow_reader(_GROUP_ROWS)
        with storage().write(key) as file, pq.ParquetWriter(file, ordered.schema) as writer:
            for batch in ordered:
                writer.write_batch(batch)
        _prune(key)


def _runs(
    db: duckdb.DuckDBPyConnection, sources: Sequence[Source]
) -> Iterator[tuple[Sequence[Source], float]]:
    """The sources as they are, or runs of their rows if these are the same requests; and the share
    that is done with each."""
    if not aligned(sources):
        yield sources, 1.0
        return
    total = max(of.spec.total for of in sources)
    for first in range(0, total, _RUN_ROWS):
        rows = range(first, min(first + _RUN_ROWS, total))
        yield [_run(db, of, rows) for of in sources], rows.stop / total


def aligned(sources: Sequence[Source]) -> bool:
    """Whether a row is the same request in each."""
    return len({of.spec.dataset_id for of in sources}) == 1


def _run(db: duckdb.DuckDBPyConnection, of: Source, rows: range) -> Source:
    """The results of some rows as a source of its own."""
    name = f"{of.name}_run"
    within = f"row_id BETWEEN {rows.start} AND {rows.stop - 1}"
    selects = [f"SELECT * FROM {of.name}_journal WHERE {within}"]
    size = of.spec.chunk_rows
    chunks = of.done & set(range(rows.start // size, -(-rows.stop // size)))
    if chunks:
        paths = parts.part_paths(of.spec.benchmark_id, sorted(chunks))
        db.execute(f"SET VARIABLE {name} = $1", [paths])
        selects.append(f"SELECT * FROM read_parquet(getvariable('{name}')) WHERE {within}")
    db.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {' UNION ALL '.join(selects)}")
    return replace(of, name=name)


def _prune(key: str) -> None:
    folder = key.rsplit("/", 1)[0]
    written = storage().written(folder)
    by_age = sorted(
        (name for name in written if name.endswith(".parquet")), key=written.__getitem__
    )
    for name in by_age[:-_KEPT]:
        storage().delete(f"{folder}/{name}")
        storage().delete(_beside(f"{folder}/{name}"))


def _pair(
    db: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    *,
    whole: bool,
    similar: bool = True,
) -> None:
    """Add to ``paired``: a row per request with what is to be known of each pair. ``whole`` also
    says what needs the whole texts read: whether they are the same but for form. Without
    ``similar``, similarities are null."""
    numbers = range(len(sources))
    by = "row_id" if aligned(sources) else "custom_id"
    sides = [f"({_side(of, at, by, whole, similar)}) AS side_{at}" for at, of in enumerate(sources)]
    pairs = _pairs(len(sources))
    columns = [
        f"({similarity_of(a, b) if similar else 'NULL'})::FLOAT AS s{a}_{b}" for a, b in pairs
    ]
    if whole:
        columns += [
            f"CASE WHEN t{a} IS NOT NULL AND t{b} IS NOT NULL THEN "
            f"CASE WHEN h{a} = h{b} THEN 2 WHEN n{a} = n{b} THEN 1 ELSE 0 END END::TINYINT "
            f"AS a{a}_{b}"
            for a, b in pairs
        ]
    known = f"""
        SELECT coalesce({", ".join(f"c{at}" for at in numbers)}) AS custom_id,
               coalesce({", ".join(f"r{at}" for at in numbers)}) AS row_id,
               [{", ".join(f"r{at}" for at in numbers)}] AS row_ids,
               {" OR ".join(f"r{at} IS NULL" for at in numbers)} AS unmatched,
               {", ".join(columns)}
        FROM {" FULL JOIN ".join([sides[0], *(f"{side} USING ({by})" for side in sides[1:])])}
    """
    db.execute(f"CREATE TEMP TABLE IF NOT EXISTS paired AS FROM ({known}) LIMIT 0")
    db.execute(f"INSERT INTO paired {known}")


def _measure(db: duckdb.DuckDBPyConnection, count: int) -> None:
    """Make ``measured``: ``paired`` with one similarity."""
    names = [f"s{a}_{b}" for a, b in _pairs(count)]
    db.execute(
        f"""
        CREATE TEMP VIEW measured AS
        SELECT custom_id, row_id, row_ids, unmatched,
               (({" + ".join(f"{name}::DOUBLE" for name in names)}) / {len(names)})::FLOAT
               AS similarity
        FROM paired
        """
    )


_RANKED = """
    SELECT *, row_number() OVER (ORDER BY similarity, row_id, custom_id) - 1 AS by_difference,
           row_number() OVER (ORDER BY row_id, custom_id) - 1 AS by_row
    FROM measured
"""


def _side(of: Source, at: int, by: str, whole: bool, similar: bool) -> str:
    """What the join needs of one benchmark."""
    text = f"CASE WHEN {queries.SUCCEEDED} THEN text END"
    columns = [by, f"custom_id AS c{at}", f"row_id AS r{at}"]
    if similar:
        columns += [f"left({text}, {COMPARED_CHARACTERS}) AS t{at}", f"hash({text}) AS h{at}"]
    if whole:
        columns.append(f"hash({queries.NORMAL.format(text)}) AS n{at}")
    return f"SELECT {', '.join(columns)} FROM {of.name}"


def _pairs(count: int) -> list[tuple[int, int]]:
    return list(combinations(range(count), 2))


def _agreements(db: duckdb.DuckDBPyConnection, found: Sequence[Benchmark]) -> list[PairAgreement]:
    aggregates = ", ".join(
        f"""count(a{a}_{b}), count(*) FILTER (a{a}_{b} = 2), count(*) FILTER (a{a}_{b} >= 1),
            avg(s{a}_{b}) FILTER (a{a}_{b} IS NOT NULL)"""
        for a, b in _pairs(len(found))
    )
    table: pa.Table = db.sql(f"SELECT {aggregates} FROM paired").to_arrow_table()
    values = [column[0].as_py() for column in table.columns]
    pairs: list[PairAgreement] = []
    for at, (a, b) in enumerate(_pairs(len(found))):
        rows, same, alike, similarity = values[4 * at : 4 * at + 4]
        pairs.append(
            PairAgreement(
                first_id=found[a].benchmark_id,
                second_id=found[b].benchmark_id,
                rows=rows,
                exact=same / rows if rows else None,
                normalized=alike / rows if rows else None,
                similarity=similarity,
            )
        )
    return pairs
