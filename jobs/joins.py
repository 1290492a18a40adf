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
a page took 2.0 to 2.4 s before. What a retry changes has another name.
"""

import hashlib
import threading
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

import duckdb
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from cluster.storage import storage
from jobs import queries
from jobs.agreement import PairAgreement
from jobs.queries import Source
from jobs.schemas import Benchmark

COMPARED_CHARACTERS = 128
# Part of the name: raise it when the columns or their meaning change.
_FORMAT = 1
# A page reads one or two groups.
_GROUP_ROWS = 20480
# Joins kept beside a benchmark: each is some 40 bytes a row.
_KEPT = 16

_PAIRS: TypeAdapter[list[PairAgreement]] = TypeAdapter(list[PairAgreement])
_building: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def joined(
    db: duckdb.DuckDBPyConnection, found: Sequence[Benchmark], sources: Sequence[Source]
) -> None:
    """Make the relation ``joined``: ``custom_id``, ``row_id`` (of the first source that has it),
    ``row_ids`` (of each, or null), ``unmatched``, ``similarity``, and the row's places
    ``by_difference`` and ``by_row``.
    """
    key = _key(found)
    if key is None:
        _pair(db, sources, whole=False)
        db.execute(f"CREATE TEMP TABLE joined AS {_ranked()}")
        return
    _ensure(db, key, sources)
    db.execute("SET VARIABLE joined = $1", [str(storage().path(key))])
    db.execute("CREATE TEMP VIEW joined AS SELECT * FROM read_parquet(getvariable('joined'))")


def agreements(
    db: duckdb.DuckDBPyConnection, found: Sequence[Benchmark], sources: Sequence[Source]
) -> list[PairAgreement]:
    """How far each pair agrees, over the rows that both have answered."""
    key = _key(found)
    if key is None:
        _pair(db, sources, whole=True)
        return _agreements(db, sources)
    _ensure(db, key, sources)
    return _PAIRS.validate_json(storage().read(_beside(key)))


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


def _ensure(db: duckdb.DuckDBPyConnection, key: str, sources: Sequence[Source]) -> None:
    """Build what is not there. One at a time in this process; another process that builds the same
    writes the same."""
    with _building[key]:
        if storage().exists(key):
            return
        _pair(db, sources, whole=True)
        with storage().write(_beside(key)) as file:
            file.write(_PAIRS.dump_json(_agreements(db, sources)))
        ordered = db.sql(f"{_ranked()} ORDER BY by_difference").to_arrow_reader(_GROUP_ROWS)
        with storage().write(key) as file, pq.ParquetWriter(file, ordered.schema) as writer:
            for batch in ordered:
                writer.write_batch(batch)
        _prune(key)


def _prune(key: str) -> None:
    folder = key.rsplit("/", 1)[0]
    names = [name for name in storage().list(folder) if name.endswith(".parquet")]
    by_age = sorted(names, key=lambda name: storage().path(f"{folder}/{name}").stat().st_mtime_ns)
    for name in by_age[:-_KEPT]:
        storage().delete(f"{folder}/{name}")
        storage().delete(_beside(f"{folder}/{name}"))


def _pair(db: duckdb.DuckDBPyConnection, sources: Sequence[Source], *, whole: bool) -> None:
    """Make ``paired``: a row per ``custom_id`` with what is to be known of each pair. ``whole``
    also says what needs the whole texts read: whether they are the same but for form."""
    numbers = range(len(sources))
    sides = [f"({_side(of, at, whole)}) AS side_{at}" for at, of in enumerate(sources)]
    columns = [f"{similarity_of(a, b)}::FLOAT AS s{a}_{b}" for a, b in _pairs(sources)]
    if whole:
        columns += [
            f"CASE WHEN t{a} IS NOT NULL AND t{b} IS NOT NULL THEN "
            f"CASE WHEN h{a} = h{b} THEN 2 WHEN n{a} = n{b} THEN 1 ELSE 0 END END::TINYINT "
            f"AS a{a}_{b}"
            for a, b in _pairs(sources)
        ]
    db.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE paired AS
        SELECT custom_id, coalesce({", ".join(f"r{at}" for at in numbers)}) AS row_id,
               [{", ".join(f"r{at}" for at in numbers)}] AS row_ids,
               {" OR ".join(f"r{at} IS NULL" for at in numbers)} AS unmatched,
               {", ".join(columns)}
        FROM {" FULL JOIN ".join([sides[0], *(f"{s} USING (custom_id)" for s in sides[1:])])}
        """
    )
    names = [f"s{a}_{b}" for a, b in _pairs(sources)]
    db.execute(
        f"""
        CREATE OR REPLACE TEMP VIEW measured AS
        SELECT custom_id, row_id, row_ids, unmatched,
               (({" + ".join(f"{name}::DOUBLE" for name in names)}) / {len(names)})::FLOAT
               AS similarity
        FROM paired
        """
    )


def _ranked() -> str:
    return """
        SELECT *, row_number() OVER (ORDER BY similarity, row_id, custom_id) - 1 AS by_difference,
               row_number() OVER (ORDER BY row_id, custom_id) - 1 AS by_row
        FROM measured
    """


def _side(of: Source, at: int, whole: bool) -> str:
    """What the join needs of one benchmark."""
    text = f"CASE WHEN {queries.SUCCEEDED} THEN text END"
    normal = f", hash({queries.NORMAL.format(text)}) AS n{at}" if whole else ""
    return f"""
        SELECT custom_id, row_id AS r{at}, left({text}, {COMPARED_CHARACTERS}) AS t{at},
               hash({text}) AS h{at}{normal}
        FROM {of.name}
    """


def _pairs(sources: Sequence[Source]) -> list[tuple[int, int]]:
    return list(combinations(range(len(sources)), 2))


def _agreements(db: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> list[PairAgreement]:
    aggregates = ", ".join(
        f"""count(a{a}_{b}), count(*) FILTER (a{a}_{b} = 2), count(*) FILTER (a{a}_{b} >= 1),
            avg(s{a}_{b}) FILTER (a{a}_{b} IS NOT NULL)"""
        for a, b in _pairs(sources)
    )
    table: pa.Table = db.sql(f"SELECT {aggregates} FROM paired").to_arrow_table()
    values = [column[0].as_py() for column in table.columns]
    found: list[PairAgreement] = []
    for at, (a, b) in enumerate(_pairs(sources)):
        rows, same, alike, similarity = values[4 * at : 4 * at + 4]
        found.append(
            PairAgreement(
                first_id=sources[a].spec.benchmark_id,
                second_id=sources[b].spec.benchmark_id,
                rows=rows,
                exact=same / rows if rows else None,
                normalized=alike / rows if rows else None,
                similarity=similarity,
            )
        )
    return found
