"""Rows of a file on its way in whose ``custom_id`` an earlier one has."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jobs.compiled import compiled
from jobs.schemas.requests import LineError

Hashes = NDArray[np.uint64]

# Rounds of comparing hashes, eight bytes each: how many go at once, each on a core if there is one,
# and how many hashes all of these have. Each round reads all of them.
_ROUNDS_AT_ONCE = 2
_COMPARED_AT_ONCE = 1_000_000
_READ_AT_ONCE = 250_000
# There are two to this power of rounds, at most.
_MOST_BITS = 6
_NONE: Hashes = np.empty(0, np.uint64)

# FNV-1a of 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/).
_BASIS, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)


class CustomIds:
    """Takes the ids of rows as they come, and keeps their hashes in a file: memory is flat.

    The file, in ``folder``, is the caller's to delete.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "hashes"
        self._file = self._path.open("wb")
        self._count = 0

    def close(self) -> None:
        self._file.close()

    def add(self, custom_ids: pa.ChunkedArray) -> None:
        """The ids of the next rows, none of them null."""
        for ids in custom_ids.chunks:
            if len(ids):
                self._file.write(_hashes(ids).data)
                self._count += len(ids)

    def repeated(self, parquet: Path, most: int) -> tuple[int, list[LineError]]:
        """How many rows have the id of an earlier one, and an error for the first ``most``.

        ``parquet`` has the columns ``custom_id`` and ``line`` of the same rows. It is read only
        where two hashes are the same.
        """
        self._file.flush()
        # A round has those hashes whose first bits are its number.
        bits = min((self._count * _ROUNDS_AT_ONCE // _COMPARED_AT_ONCE).bit_length(), _MOST_BITS)
        shift = np.uint64(64 - bits)
        with ThreadPoolExecutor(_ROUNDS_AT_ONCE, "rounds") as rounds:
            hashes = np.concatenate(
                list(rounds.map(lambda i: self._shared(np.uint64(i), shift), range(2**bits)))
            )
        return self._errors(hashes, parquet, most) if len(hashes) else (0, [])

    def _shared(self, i: np.uint64, shift: np.uint64) -> Hashes:
        """Hashes of several rows, of those that are compared in round ``i``."""
        blocks = (block for _, block in self._blocks())
        if shift < 64:  # a shift by 64 is none, as in C
            blocks = (block[block >> shift == i] for block in blocks)
        hashes = np.concatenate([_NONE, *blocks])
        hashes.sort()
        return np.unique(hashes[1:][hashes[1:] == hashes[:-1]])

    def _errors(self, hashes: Hashes, parquet: Path, most: int) -> tuple[int, list[LineError]]:
        with duckdb.connect() as db:
            db.execute("SET memory_limit = '512MB'")
            db.execute("SET threads = 1")
            db.execute("SET temp_directory = ?", [str(parquet.parent)])
            db.execute("CREATE TEMP TABLE suspects (row BIGINT)")
            for first, block in self._blocks():
                rows = first + np.flatnonzero(np.isin(block, hashes))
                db.register("found", pa.table({"row": rows}))
                db.execute("INSERT INTO suspects FROM found")
            return _repeated(db, parquet, most)

    def _blocks(self) -> Iterator[tuple[int, Hashes]]:
        """All hashes, with the row of the first of each block."""
        for first in range(0, self._count, _READ_AT_ONCE):
            yield first, np.fromfile(self._path, "u8", _READ_AT_ONCE, offset=8 * first)


def _hashes(ids: pa.StringArray) -> Hashes:
    _, offsets, letters = ids.buffers()
    hashes = np.empty(len(ids), np.uint64)
    # Arrays that may be written are of another type, for which it would be compiled again.
    ends, text = memoryview(offsets).toreadonly(), memoryview(letters).toreadonly()
    of_these = np.frombuffer(ends, np.int32)[ids.offset : ids.offset + len(ids) + 1]
    _hash(np.frombuffer(text, np.uint8), of_these, hashes)
    return hashes


@compiled
def _hash(letters: NDArray[np.uint8], ends: NDArray[np.int32], hashes: Hashes) -> None:
    for i in range(len(hashes)):
        value = _BASIS
        for at in range(ends[i], ends[i + 1]):
            value = (value ^ np.uint64(letters[at])) * _PRIME
        hashes[i] = value


def _repeated(
    db: duckdb.DuckDBPyConnection, parquet: Path, most: int
) -> tuple[int, list[LineError]]:
    rows = db.execute(
        """
        WITH suspect AS (
            SELECT line, custom_id FROM read_parquet($1, file_row_number = true)
            SEMI JOIN suspects ON file_row_number = suspects.row
        ), known AS (
            SELECT custom_id, min(line) AS first FROM suspect
            GROUP BY custom_id HAVING count(*) > 1
        )
        SELECT line, custom_id, first, count(*) OVER () FROM suspect JOIN known USING (custom_id)
        WHERE line > first ORDER BY line LIMIT $2
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


def load() -> None:
    """Have the compiled code ready."""
    _hashes(pa.array(["a"]))
