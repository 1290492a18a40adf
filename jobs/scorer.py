"""Grading in the background: what has no score yet gets one.

Whatever is killed, what is missing is done by the next call, as with results.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any, Self

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from cluster.database import session
from cluster.storage import storage
from jobs import benchmarks, grading, judgements, parts, request_file
from jobs.grading import Answer
from jobs.schemas.benchmarks import Benchmark, BenchmarkSpec, Status
from jobs.schemas.results import Score
from jobs.scores import SCHEMA, Column, columns

_GROUP_ROWS = 2**15
_GRADED = ["row_id", "finished_at", "text", "status_code"]


def refresh(benchmark_id: str) -> None:
    """Grade what has not been graded yet, and forget what belongs to no grader any more."""
    benchmark = benchmarks.get(benchmark_id)
    found = columns(benchmark)
    due = [column for column in found if column.judge is None and not column.is_complete]
    if due:
        _grade(benchmark, due)
    for column in found:
        if column.judge is not None and column.whole is not None and not column.is_complete:
            rows = list(judgements.scores(column.judge, column.benchmark))
            _write(column.whole, pa.Table.from_pylist(rows, schema=SCHEMA))
    kept = {column.folder.rsplit("/", 1)[1] for column in found}
    prefix = f"benchmarks/{benchmark_id}/scores"
    for name in storage().list(prefix):
        if name not in kept:
            storage().delete(f"{prefix}/{name}")


def _write(key: str, scores: pa.Table) -> None:
    with storage().write(key) as file:
        pq.write_table(scores, file, compression="zstd")


def _grade(benchmark: Benchmark, due: Sequence[Column]) -> None:
    with session() as sql:
        spec = BenchmarkSpec.model_validate(benchmarks.row(sql, benchmark.benchmark_id).spec)
    lines = _Lines(spec)
    grades = [grading.compiled(column.grader.spec) for column in due]
    fresh = _fresh(benchmark.benchmark_id, due)

    def graded(index: int, records: pa.Table) -> Iterator[pa.Table]:
        """The scores of a chunk, column by column; what is there and fresh is not done again."""
        answers: list[tuple[Any, Any, Answer]] | None = None
        for column, grade, scored in zip(due, grades, fresh, strict=True):
            if index in scored:
                with storage().open(column.part(index)) as file:
                    yield pq.read_table(file, schema=SCHEMA)
                continue
            answers = answers or _answers(records, lines)
            yield _table((row_id, finished, grade(answer)) for row_id, finished, answer in answers)

    if Status(benchmark.status).is_terminal():
        with ExitStack() as stack:
            files = [stack.enter_context(_Whole(stack, column)) for column in due]
            for index, records in _chunks(spec):
                for file, scores in zip(files, graded(index, records), strict=True):
                    file.add(scores)
        return
    for index in sorted(parts.done(benchmark.benchmark_id)):
        if not all(index in scored for scored in fresh):
            records = parts.read_part(benchmark.benchmark_id, index, _GRADED)
            for column, scores in zip(due, graded(index, records), strict=True):
                _write(column.part(index), scores)


class _Whole:
    """A file of all scores on its way. Chunks are gathered: a reader pays for each group."""

    def __init__(self, stack: ExitStack, column: Column) -> None:
        assert column.whole is not None, "only of an ended benchmark"
        file = stack.enter_context(storage().write(column.whole))
        self._writer = stack.enter_context(pq.ParquetWriter(file, SCHEMA, compression="zstd"))
        self._held: list[pa.Table] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._flush()

    def add(self, scores: pa.Table) -> None:
        self._held.append(scores)
        if sum(table.num_rows for table in self._held) >= _GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._held:
            self._writer.write_table(pa.concat_tables(self._held), row_group_size=2 * _GROUP_ROWS)
            self._held = []


def _chunks(spec: BenchmarkSpec) -> Iterator[tuple[int, pa.Table]]:
    """What is graded of an ended benchmark's results, chunk by chunk, unfinished ones included."""
    journal, done = parts.snapshot(spec.benchmark_id, spec.chunk_rows)
    unfinished: dict[int, list[parts.Record]] = {}
    for record in journal:
        unfinished.setdefault(record["row_id"] // spec.chunk_rows, []).append(record)
    for index in sorted(done | unfinished.keys()):
        if index in done:
            yield index, parts.read_part(spec.benchmark_id, index, _GRADED)
        else:
            yield index, parts.table(unfinished[index]).select(_GRADED)


def _fresh(benchmark_id: str, due: Sequence[Column]) -> list[set[int]]:
    """For each column the chunks whose scores were certainly written after their results: a retry
    writes these anew."""
    results = parts.written(benchmark_id)
    fresh: list[set[int]] = []
    for column in due:
        scored = storage().written(column.folder)
        names = {index: f"{index:07d}.parquet" for index in results}
        fresh.append(
            {index for index, name in names.items() if scored.get(name, 0) > results[index]}
        )
    return fresh


def _answers(records: pa.Table, lines: "_Lines") -> list[tuple[int, datetime, Answer]]:
    rows = records.to_pylist()
    beside = lines.of([row["row_id"] for row in rows])
    return [
        (
            row["row_id"],
            row["finished_at"],
            Answer(row["text"], row["status_code"], beside.get(row["row_id"])),
        )
        for row in rows
    ]


def _table(scores: Iterable[tuple[int, datetime, Score]]) -> pa.Table:
    columns_: tuple[list[Any], ...] = ([], [], [], [], [])
    for row_id, finished, score in scores:
        values = (row_id, finished, score.value, score.error, score.note)
        for column, value in zip(columns_, values, strict=True):
            column.append(value)
    return pa.table(list(columns_), schema=SCHEMA)


class _Lines:
    """The fields of a dataset's lines beside the requests themselves."""

    def __init__(self, spec: BenchmarkSpec) -> None:
        there = storage().exists(request_file.key(spec.dataset_id))
        self._reader = (
            request_file.Reader(spec.dataset_id, columns=["row_id", "extra"]) if there else None
        )

    def of(self, row_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        if self._reader is None or not row_ids:
            return {}
        rows = self._reader.rows(min(row_ids), max(row_ids) + 1)
        return {row["row_id"]: orjson.loads(row["extra"]) if row["extra"] else {} for row in rows}
