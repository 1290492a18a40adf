"""Requests of an upload whose ``custom_id`` an earlier one has."""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from jobs.schemas.requests import LineError

Hashes = NDArray[np.uint64]

# Of hashes, eight bytes each; each round reads all ids.
_COMPARED_AT_ONCE = 1_000_000
_MOST_ROUNDS = 30


def duplicates(parquet: Path, most: int) -> tuple[int, list[LineError]]:
    """Lines whose ``custom_id`` an earlier line has.

    Hashes are compared first, a part of all at a time, so that memory is flat.
    """
    count = pq.read_metadata(parquet).num_rows
    rounds = min(-(-count // _COMPARED_AT_ONCE), _MOST_ROUNDS)
    with duckdb.connect() as db:
        db.execute("SET memory_limit = '512MB'")
        db.execute("SET threads = 1")
        db.execute("SET temp_directory = ?", [str(parquet.parent)])
        db.execute("CREATE TEMP TABLE repeated (custom_id TEXT, first BIGINT)")
        for i in range(rounds):
            suspects = _repeated(_hashes(db, parquet, rounds, i))
            if len(suspects):
                db.execute(
                    """
                    INSERT INTO repeated
                    SELECT custom_id, min(line) FROM read_parquet($1)
                    WHERE hash(custom_id) IN (SELECT unnest($2::UBIGINT[]))
                    GROUP BY custom_id HAVING count(*) > 1
                    """,
                    [str(parquet), suspects],
                )
        if db.execute("SELECT count(*) FROM repeated").fetchone() == (0,):
            return 0, []
        rows = db.execute(
            """
            SELECT line, custom_id, first, count(*) OVER () FROM read_parquet($1)
            JOIN repeated USING (custom_id) WHERE line > first ORDER BY line LIMIT $2
            """,
            [str(parquet), most],
        ).fetchall()
    errors = [
        LineError(
            line=line,
            code="duplicate_custom_id",
            field="custom_id",
            message=f"`custom_id` {custom_id!r} is used by line {first} already.",
            text=custom_id,
        )
        for line, custom_id, first, _ in rows
    ]
    return (rows[0][3] if rows else 0), errors


def _hashes(db: duckdb.DuckDBPyConnection, parquet: Path, rounds: int, i: int) -> Hashes:
    """Those of ``custom_id`` in round ``i``."""
    batches = db.sql(
        """
        SELECT hash(custom_id) FROM read_parquet($1)
        WHERE hash(custom_id) % $2::UBIGINT = $3::UBIGINT
        """,
        params=[str(parquet), rounds, i],
    ).to_arrow_reader()
    found = [batch.column(0).to_numpy() for batch in batches]
    return np.concatenate(found) if found else np.empty(0, np.uint64)


def _repeated(hashes: Hashes) -> list[int]:
    hashes.sort()
    return np.unique(hashes[1:][hashes[1:] == hashes[:-1]]).tolist()
