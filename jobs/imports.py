"""Results from elsewhere: a file of them becomes a finished benchmark over a dataset.

The file is OpenAI's batch output (JSON lines), or CSV with the columns ``custom_id`` and
``response``. It is kept on disk while it comes in, read once into a Parquet file of uniform rows,
and joined with the dataset by DuckDB, which spills; so memory is flat. Parts are written first and
the benchmark's row last: it exists completely or not at all.
"""

import hashlib
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import duckdb
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from cluster import space
from cluster.settings import settings
from cluster.storage import storage
from jobs import (
    answers,
    benchmarks,
    bodies,
    datasets,
    imported,
    manifest,
    parts,
    request_file,
    uploads,
)
from jobs.answers import Answered
from jobs.duplicates import CustomIds
from jobs.engine import Answer
from jobs.errors import InvalidRequest, TooLarge
from jobs.manifest import ImportedFile
from jobs.parts import Record
from jobs.replica import record, unanswered
from jobs.schemas.benchmarks import BenchmarkSpec
from jobs.schemas.imports import ResultsImported, UnmatchedLine
from jobs.schemas.progress import Tally
from jobs.schemas.requests import Endpoint, LineError
from jobs.schemas.sampling import Sampling

_SCHEMA = pa.schema(
    [
        ("line", pa.int64()),
        ("custom_id", pa.string()),
        ("status_code", pa.int32()),
        ("body", pa.string()),
        ("error", pa.string()),
        ("text", pa.string()),
    ]
)
# Lines read between two writes; a response can be long, so their size counts too.
_GROUP_ROWS = 1024
_GROUP_BYTES = 16 * 2**20
_JOINED_ROWS = 1024
# How much is written between two looks at the free space.
_SPACE_BYTES = 16 * 2**20
_LISTED_UNMATCHED = 20
_REPLICA = "imported"
_MISSING = {"code": "missing_result", "message": "The imported file has no result for it."}


class InvalidResults(InvalidRequest):
    """A file of results that breaks the format; ``details`` name the lines."""


class Import:
    """Results on their way in: :meth:`feed` it bytes, then :meth:`finish` it.

    Used as a context manager; leaving the block removes what is not part of a finished import.
    """

    def __init__(self, dataset_id: str, model_name: str, file_name: str) -> None:
        self._dataset = datasets.get(dataset_id)
        self._model_name = model_name
        self._file_name = uploads.clean_name(file_name)
        self._size = 0
        self._digest = hashlib.sha256()

    def __enter__(self) -> Self:
        scratch = settings().data_folder / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix="import-", dir=scratch))
        self._file: BinaryIO = (self._folder / "file").open("wb")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()
        shutil.rmtree(self._folder)

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the file, in pieces of any size.

        Raises:
            TooLarge: when the file exceeds the limit on uploads.
            StorageFull: there is no room for more.
        """
        before = self._size
        self._size += len(data)
        limit = settings().max_upload_bytes
        if self._size > limit:
            raise TooLarge("upload_too_large", f"The file is larger than {limit:,} bytes.")
        if before // _SPACE_BYTES != self._size // _SPACE_BYTES:
            space.require(settings().data_folder)
        self._file.write(data)
        self._digest.update(data)

    def finish(self) -> ResultsImported:
        """Store the results as a benchmark.

        Raises:
            InvalidResults: a line breaks the format or repeats a ``custom_id``; ``details`` hold
                the first errors.
            InvalidRequest: no result is for a request of the dataset.
        """
        self._file.close()
        is_csv = answers.is_csv(self._folder / "file")
        if is_csv and Endpoint.EMBEDDINGS in self._dataset.endpoints:
            raise InvalidRequest(
                "csv_for_embeddings", "CSV holds text. Import embeddings as JSON lines."
            )
        staged = self._folder / "results.parquet"
        count = self._stage(staged)
        with duckdb.connect() as db:
            storage().mount(db)
            # Whole bodies pass through; what does not fit is spilled beside the file.
            db.execute("SET memory_limit = '512MB'")
            db.execute("SET temp_directory = $1", [str(self._folder)])
            _open(db, staged, self._dataset.id)
            unmatched, lines = _unmatched(db)
            if unmatched == count:
                raise self._nothing_matches(lines[0])
            spec = self._spec()
            try:
                tally, missing = _write_parts(db, spec)
                file = ImportedFile(name=self._file_name, sha256=self._digest.hexdigest())
                manifest.write(spec, None, file)
                imported.store(spec, tally)
            except BaseException:
                storage().delete(f"benchmarks/{spec.benchmark_id}")
                raise
        return ResultsImported(
            benchmark_id=spec.benchmark_id,
            model_name=self._model_name,
            completed=tally.completed,
            failed=tally.failed,
            missing=missing,
            unmatched=unmatched,
            unmatched_lines=lines,
        )

    def _stage(self, staged: Path) -> int:
        """Read the file into uniform rows; returns how many."""
        errors: list[LineError] = []
        bad = count = 0
        with (
            closing(CustomIds(self._folder)) as ids,
            pq.ParquetWriter(staged, _SCHEMA, compression="zstd") as writer,
        ):
            for group, wrong in _groups(self._folder / "file"):
                bad += len(wrong)
                errors = _first([*errors, *wrong])
                columns = {name: [getattr(one, name) for one in group] for name in _SCHEMA.names}
                table = pa.table(columns, schema=_SCHEMA)
                writer.write_table(table)
                ids.add(table["custom_id"])
                count += len(group)
            writer.close()
            repeated, named = ids.repeated(staged, settings().max_reported_errors)
            bad += repeated
            errors = _first([*errors, *named])
        if bad:
            raise self._rejected(errors, bad)
        if count == 0:
            raise InvalidResults("empty_results", f"{self._file_name!r} contains no result.")
        return count

    def _spec(self) -> BenchmarkSpec:
        dataset = self._dataset
        return BenchmarkSpec(
            benchmark_id=f"bm_{uuid.uuid4().hex[:12]}",
            dataset_id=dataset.id,
            dataset_sha256=dataset.sha256,
            total=dataset.count,
            chunk_rows=benchmarks.chunk_rows(dataset.count),
            model=imported.model(self._model_name),
            sampling=Sampling(),
            task="embed" if Endpoint.EMBEDDINGS in dataset.endpoints else "generate",
        )

    def _rejected(self, errors: list[LineError], count: int) -> InvalidResults:
        listed = "" if count == len(errors) else f" (the first {len(errors)} are listed)"
        return InvalidResults(
            "invalid_results",
            f"{self._file_name!r} was not imported: {count:,} error{'s' * (count != 1)}{listed}. "
            f"Line {errors[0].line}: {errors[0].message}",
            errors=[error.model_dump() for error in errors],
            total_errors=count,
        )

    def _nothing_matches(self, first: UnmatchedLine) -> InvalidRequest:
        return InvalidRequest(
            "nothing_matches",
            f"No `custom_id` of {self._file_name!r} is one of {self._dataset.name!r}. Is it the "
            f"right dataset? The first is {first.custom_id!r}, on line {first.line}.",
        )


def _groups(file: Path) -> Iterator[tuple[list[Answered], list[LineError]]]:
    group: list[Answered] = []
    wrong: list[LineError] = []
    size = 0
    for found in answers.read(file):
        if isinstance(found, list):
            wrong += found
            continue
        group.append(found)
        size += len(found.body or found.text or "")
        if len(group) >= _GROUP_ROWS or size >= _GROUP_BYTES:
            yield group, wrong
            group, wrong, size = [], [], 0
    yield group, wrong


def _first(errors: list[LineError]) -> list[LineError]:
    return sorted(errors, key=lambda error: error.line)[: settings().max_reported_errors]


def _open(db: duckdb.DuckDBPyConnection, staged: Path, dataset_id: str) -> None:
    requests = storage().url(request_file.key(dataset_id))
    for name, path in (("requests", requests), ("staged", staged)):
        # A view cannot have parameters, but it can read a variable.
        db.execute(f"SET VARIABLE {name}_path = $1", [str(path)])
        query = f"SELECT * FROM read_parquet(getvariable('{name}_path'))"
        db.execute(f"CREATE TEMP VIEW {name} AS {query}")


def _unmatched(db: duckdb.DuckDBPyConnection) -> tuple[int, list[UnmatchedLine]]:
    rows = db.execute(
        """
        SELECT line, custom_id, count(*) OVER () FROM staged ANTI JOIN requests USING (custom_id)
        ORDER BY line LIMIT $1
        """,
        [_LISTED_UNMATCHED],
    ).fetchall()
    lines = [UnmatchedLine(line=line, custom_id=custom_id) for line, custom_id, _ in rows]
    return (rows[0][2] if rows else 0), lines


def _write_parts(db: duckdb.DuckDBPyConnection, spec: BenchmarkSpec) -> tuple[Tally, int]:
    """Write every chunk of the dataset; returns the counts, and how many requests have no result
    in the file."""
    tally = Tally()
    missing = 0
    for index, rows in groupby(_joined(db), key=lambda row: row["row_id"] // spec.chunk_rows):
        chunk = list(rows)
        records = [_record(row) for row in chunk]
        parts.write(parts.part_key(spec.benchmark_id, index), records)
        tally += parts.tally(records)
        missing += sum(row["status_code"] is None for row in chunk)
    return tally, missing


def _joined(db: duckdb.DuckDBPyConnection) -> Iterator[dict[str, Any]]:
    """Every request with its result, in the dataset's order."""
    joined = db.sql(
        """
        SELECT row_id, custom_id, url, status_code, staged.body, error, text
        FROM requests LEFT JOIN staged USING (custom_id) ORDER BY row_id
        """
    )
    for batch in joined.to_arrow_reader(_JOINED_ROWS):
        yield from batch.to_pylist()


def _record(row: dict[str, Any]) -> Record:
    if row["body"] is not None:
        answer = Answer(row["status_code"], orjson.loads(row["body"]))
    elif row["text"] is not None:
        answer = Answer(row["status_code"], bodies.of_text(row["url"], row["text"]))
    else:
        error: dict[str, str] = orjson.loads(row["error"]) if row["error"] else _MISSING
        return unanswered(row, **error, latency_ms=None, replica=_REPLICA)
    return record(row, answer, latency_ms=None, replica=_REPLICA)
