"""How results reach storage: a journal per chunk while it runs, one Parquet part when it is done.

A chunk is a run of consecutive requests. Its journal has a JSON line per finished request,
appended at once; its part replaces the journal when all are finished. Both names derive from the
chunk, so doing a chunk twice overwrites itself. A part that exists is done, a journal that exists
says which rows are: resuming, retrying a lost replica and restarting a driver are all "do what is
missing".

Before a request goes to the engine the journal says so too (``{"asked": row_id}``). Who opens it
after a death sees which requests were in the engine then: see :mod:`jobs.deaths`.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, TypedDict

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from cluster import space
from cluster.storage import Journal, storage
from jobs import deaths
from jobs.schemas.progress import Tally

SCHEMA = pa.schema(
    [
        ("row_id", pa.int64()),
        ("custom_id", pa.string()),
        ("request_id", pa.string()),
        ("status_code", pa.int32()),
        ("body", pa.string()),
        ("error", pa.string()),
        ("text", pa.string()),
        ("finish_reason", pa.string()),
        ("prompt_tokens", pa.int64()),
        ("cached_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("latency_ms", pa.float64()),
        ("ttft_ms", pa.float64()),
        ("itl_ms", pa.float64()),
        ("queue_ms", pa.float64()),
        ("finished_at", pa.timestamp("us", tz="UTC")),
        ("replica", pa.string()),
    ]
)


# A part is small: what never repeats is not worth a dictionary, and what nobody compares needs no
# smallest and largest value. So, and in these pages, it takes a third of the time.
_TEXTS = ("custom_id", "request_id", "body", "error", "text")
_OPTIONS: dict[str, Any] = {
    "compression": "zstd",
    "data_page_version": "2.0",
    "use_dictionary": ["status_code", "error", "finish_reason", "replica"],
    "write_statistics": [name for name in SCHEMA.names if name not in _TEXTS],
}


class Record(TypedDict):
    """A result as it is stored. ``body`` and ``error`` are JSON text."""

    row_id: int
    custom_id: str
    request_id: str
    status_code: int
    body: str | None
    error: str | None
    text: str | None
    finish_reason: str | None
    prompt_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    latency_ms: float | None
    ttft_ms: float | None
    itl_ms: float | None
    queue_ms: float | None
    finished_at: float
    """Seconds since the epoch."""
    replica: str


def succeeded(record: Record) -> bool:
    return 200 <= record["status_code"] < 300


def tally(records: Iterable[Record]) -> Tally:
    """Count ``records``."""
    # One model for all: making one for each took as long as writing it to the journal.
    completed = failed = prompt_tokens = output_tokens = 0
    for record in records:
        if succeeded(record):
            completed += 1
        else:
            failed += 1
        prompt_tokens += record["prompt_tokens"] or 0
        output_tokens += record["output_tokens"] or 0
    return Tally(
        completed=completed,
        failed=failed,
        prompt_tokens=prompt_tokens,
        output_tokens=output_tokens,
    )


def table(records: Iterable[Record]) -> pa.Table:
    """Records as an Arrow table of :data:`SCHEMA`."""
    rows = list(records)
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in SCHEMA.names}
    # As numbers: a datetime of each took as long as all other columns together.
    finished_at = np.array(columns["finished_at"], dtype=np.float64)
    columns["finished_at"] = np.rint(finished_at * 1e6).astype(np.int64).view("datetime64[us]")
    return pa.Table.from_pydict(columns, schema=SCHEMA)


class Chunk:
    """One chunk of a benchmark on storage."""

    def __init__(self, benchmark_id: str, index: int) -> None:
        self.index = index
        self._part = part_key(benchmark_id, index)
        self._journal = journal_key(benchmark_id, index)
        self.records: dict[int, Record] = {}
        self.tally = Tally()
        self.deaths: Counter[int] = Counter()
        """Times that a row was asked and its process died before the answer."""
        self.deaths_alone: Counter[int] = Counter()
        """Those of them in which nothing else was in the engine."""
        self.unkept: list[Record] = []
        """Answers that are about to be added, all in one write."""
        self.writing = asyncio.Lock()
        """Held by who writes, where writing takes a while."""
        self._file: Journal | None = None

    def is_done(self) -> bool:
        return storage().exists(self._part)

    def read_tally(self) -> Tally:
        """Count the results of a chunk that is done."""
        columns = ["status_code", "prompt_tokens", "output_tokens"]
        with storage().open(self._part) as file:
            return tally(pq.read_table(file, columns=columns).to_pylist())

    def open(self, superseded: Collection[str] = ()) -> None:
        """Read what an earlier try has finished, and go on after it.

        Results with the request ids in ``superseded`` are to be asked again (:mod:`jobs.history`).
        """
        self._file = storage().journal(self._journal)
        for line in _lines(storage().lines(self._journal)):
            if "asked" in line:
                self.deaths[line["asked"]] += 1
                self.deaths_alone[line["asked"]] += line["alone"]
            elif line["request_id"] not in superseded:
                self.records[line["row_id"]] = line
        for row_id in self.records:
            del self.deaths[row_id], self.deaths_alone[row_id]
        self.tally = tally(self.records.values())

    def ask(self, *row_ids: int, alone: bool = False) -> None:
        """Note that requests are handed to the engine now."""
        self._append({"asked": row_id, "alone": alone} for row_id in row_ids)

    def suspect(self, row_id: int) -> None:
        """Have a request asked alone the next time, as if enough engines had died with it."""
        self.ask(*[row_id] * deaths.SUSPECTED_AFTER)

    def add(self, *records: Record) -> None:
        """Keep finished requests; when this returns, a kill of the process cannot lose them.

        Raises:
            OSError: the disk is full, say; the journal has those of them that still fitted.
        """
        try:
            self._append(records)
        except OSError as error:
            if len(records) == 1 or not space.is_full(error):
                raise
            for record in records:
                self.add(record)
            return
        self.records |= {record["row_id"]: record for record in records}
        self.tally += tally(records)

    def _append(self, lines: Iterable[Any]) -> None:
        """One write for all: it is the system call that costs."""
        assert self._file is not None, "open() first"
        newline = orjson.OPT_APPEND_NEWLINE
        self._file.add(b"".join(orjson.dumps(line, option=newline) for line in lines))

    def finish(self) -> None:
        """Turn the journal into the part."""
        assert self._file is not None, "open() first"
        ordered = sorted(self.records.values(), key=lambda record: record["row_id"])
        write(self._part, ordered)
        self.close()
        storage().delete(self._journal)

    def close(self) -> None:
        """Leave the chunk as it is; :meth:`open` goes on with it."""
        if self._file is not None:
            self._file.close()


def write(key: str, records: Iterable[Record]) -> None:
    """Write a part."""
    part = pa.BufferOutputStream()
    pq.write_table(table(records), part, **_OPTIONS)
    with storage().write(key) as file:
        file.write(part.getvalue())


def done(benchmark_id: str) -> set[int]:
    """Indices of the chunks whose parts exist."""
    names = storage().list(f"benchmarks/{benchmark_id}/parts")
    return {int(name.removesuffix(".parquet")) for name in names}


def written(benchmark_id: str) -> dict[int, int]:
    """The same with when each part was written, as :meth:`cluster.storage.Storage.written`."""
    parts = storage().written(f"benchmarks/{benchmark_id}/parts")
    return {int(name.removesuffix(".parquet")): at for name, at in parts.items()}


def sweep(benchmark_id: str) -> None:
    """Once every chunk has its part: remove what killed writers have left beside them."""
    storage().sweep(f"benchmarks/{benchmark_id}/parts")
    storage().delete(f"benchmarks/{benchmark_id}/journals")


def unfinished(benchmark_id: str) -> list[Record]:
    """Results in journals: of chunks that are at work now, or were when the job was killed.

    List parts after calling this, not before: a chunk that becomes a part in between is then in
    both, and the part counts; the other way round it would be in neither.
    """
    journals = storage().journals(f"benchmarks/{benchmark_id}/journals")
    return [record for journal in journals for record in parse(journal)]


def parse(journal: bytes) -> Iterator[Record]:
    """The records in the lines of a journal."""
    return (line for line in _lines(journal) if "asked" not in line)


def _lines(journal: bytes) -> Iterator[Any]:
    """A write that failed half way (disk full) leaves a broken line, whose request counts as not
    done."""
    for line in journal.splitlines():
        try:
            yield orjson.loads(line)
        except orjson.JSONDecodeError:
            continue


def snapshot(benchmark_id: str, chunk_rows: int) -> tuple[list[Record], set[int]]:
    """All results at one moment: those in no part yet, in order, and which chunks have parts."""
    journal = unfinished(benchmark_id)
    finished = done(benchmark_id)
    # Of two writers of one journal the later line counts.
    by_row = {
        record["row_id"]: record
        for record in journal
        if record["row_id"] // chunk_rows not in finished
    }
    return [by_row[row_id] for row_id in sorted(by_row)], finished


def read(benchmark_id: str, index: int, columns: list[str] | None = None) -> pa.Table:
    """The results of a chunk that was done, also if a retry has just reopened it. At least
    ``columns`` of them, where only these are wanted."""
    try:
        return read_part(benchmark_id, index, columns)
    except FileNotFoundError:
        records = parse(storage().lines(journal_key(benchmark_id, index)))
        by_row = {record["row_id"]: record for record in records}
        return table(by_row[row_id] for row_id in sorted(by_row))


def read_part(benchmark_id: str, index: int, columns: list[str] | None = None) -> pa.Table:
    """A part, or some ``columns`` of it.

    Raises:
        FileNotFoundError: there is none.
    """
    with storage().open(part_key(benchmark_id, index)) as file:
        return pq.read_table(file, columns=columns)


def newest(benchmark_id: str) -> datetime | None:
    """When the last result that there is was finished."""
    times = [record["finished_at"] for record in unfinished(benchmark_id)]
    if finished := done(benchmark_id):
        with storage().connect() as db:
            query = "SELECT epoch(max(finished_at)) FROM read_parquet($1)"
            paths = part_paths(benchmark_id, sorted(finished))
            times += db.execute(query, [paths]).fetchone() or ()
    return datetime.fromtimestamp(max(times), UTC) if times else None


def part_key(benchmark_id: str, index: int) -> str:
    return f"benchmarks/{benchmark_id}/parts/{index:07d}.parquet"


def journal_key(benchmark_id: str, index: int) -> str:
    return f"benchmarks/{benchmark_id}/journals/{index:07d}.jsonl"


def part_paths(benchmark_id: str, indices: Iterable[int]) -> list[str]:
    """What DuckDB reads parts by, all made at once: making one takes as long as opening a part."""
    folder = storage().url(f"benchmarks/{benchmark_id}/parts")
    return [f"{folder}/{index:07d}.parquet" for index in indices]
