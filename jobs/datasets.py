"""Datasets: what can be asked of a stored one. They come in through :mod:`jobs.uploads`.

Each dataset is also a file of the OpenAI API (:mod:`jobs.files`), and goes with it.

A dataset is two objects: ``datasets/<id>/original.jsonl``, the file as it came, and
``datasets/<id>/requests.parquet``, its requests normalized and in order. Its row in SQL is written
last, so a dataset exists completely or not at all; objects without a row are swept at start.
"""

import shutil
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from cluster import cache
from cluster.database import session
from cluster.settings import settings
from cluster.storage import storage
from jobs.errors import Conflict, NotFound
from jobs.models import BatchRow, BenchmarkRow, DatasetRow, FileRow
from jobs.schemas.benchmarks import Status
from jobs.schemas.datasets import Dataset, Kind
from jobs.schemas.openai import LIVE
from jobs.schemas.requests import Endpoint, Request, RequestPage

SCHEMA = pa.schema(
    [
        ("row_id", pa.int64()),
        ("line", pa.int64()),
        ("custom_id", pa.string()),
        ("url", pa.string()),
        ("body", pa.string()),
        ("preview", pa.string()),
        ("model", pa.string()),
        ("extra", pa.string()),
    ]
)
# An upload of another process (a job given a local file) may be at work; after this it is dead.
_ABANDONED_SECONDS = 24 * 3600


def requests_key(dataset_id: str) -> str:
    return f"datasets/{dataset_id}/requests.parquet"


def file_id(dataset_id: str) -> str:
    """The id of the file that a dataset is in the OpenAI API."""
    return f"file-{dataset_id.removeprefix('ds_')}"


def original_key(dataset_id: str) -> str:
    return f"datasets/{dataset_id}/original.jsonl"


def all_datasets(limit: int, offset: int) -> tuple[list[Dataset], int]:
    """Datasets, newest first, and how many there are; without those made for judges."""
    with session() as sql:
        present = select(DatasetRow).where(
            DatasetRow.deleted_at.is_(None), DatasetRow.kind == Kind.ORDINARY.value
        )
        newest_first = present.order_by(DatasetRow.uploaded_at.desc(), DatasetRow.id)
        rows = sql.scalars(newest_first.limit(limit).offset(offset)).all()
        total = sql.scalar(select(func.count()).select_from(present.subquery()))
    return [record(row) for row in rows], total or 0


def get(dataset_id: str) -> Dataset:
    with session() as sql:
        row = sql.get(DatasetRow, dataset_id)
    if row is None or row.deleted_at is not None:
        raise NotFound("dataset_not_found", f"There is no dataset {dataset_id!r}.")
    return record(row)


def delete(dataset_id: str) -> None:
    """Delete a dataset and its files. Results of finished benchmarks stay.

    Raises:
        Conflict: while a benchmark that is queued or running, or a batch that is live, uses it.
    """
    get(dataset_id)
    with session() as sql:
        users = sql.scalars(select(BenchmarkRow).where(BenchmarkRow.dataset_id == dataset_id)).all()
        live = [user.id for user in users if not Status(user.status).is_terminal()]
        if live:
            raise Conflict(
                "dataset_in_use",
                f"Dataset {dataset_id!r} is used by {', '.join(live)}. Cancel first, or wait.",
                benchmarks=live,
            )
        delete_file(sql, file_id(dataset_id))
        row = sql.get_one(DatasetRow, dataset_id)
        if users:
            row.deleted_at = datetime.now(UTC)
        else:
            sql.delete(row)
    storage().delete(f"datasets/{dataset_id}")
    cache.drop(dataset_id)


def delete_file(sql: Session, file: str) -> None:
    """Mark a file as deleted.

    Raises:
        Conflict: a live batch is made of it.
    """
    of_file = select(BatchRow.id).where(BatchRow.input_file_id == file, BatchRow.status.in_(LIVE))
    if batches := sql.scalars(of_file).all():
        raise Conflict(
            "file_in_use",
            f"File {file!r} is used by {', '.join(batches)}. Cancel first, or wait.",
            batches=list(batches),
        )
    gone = update(FileRow).where(FileRow.id == file, FileRow.deleted_at.is_(None))
    sql.execute(gone.values(deleted_at=datetime.now(UTC)))


def sweep() -> None:
    """Remove what uploads and deletions that were killed, or were elsewhere, have left behind."""
    with session() as sql:
        kept = set(sql.scalars(select(FileRow.id).where(FileRow.deleted_at.is_(None))))
    for dataset_id, written in storage().written("datasets").items():
        if file_id(dataset_id) not in kept and _is_old(written / 1e9):
            storage().delete(f"datasets/{dataset_id}")
    cache.sweep()
    scratch = settings().data_folder / "scratch"
    for left in filter(_is_abandoned, scratch.iterdir() if scratch.is_dir() else ()):
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def _is_abandoned(path: Path) -> bool:
    try:
        return _is_old(path.stat().st_mtime)
    except FileNotFoundError:  # its writer has just finished
        return False


def _is_old(written: float) -> bool:
    return time.time() - written > _ABANDONED_SECONDS


def page(dataset_id: str, limit: int, offset: int) -> RequestPage:
    """Requests of a dataset in their order."""
    dataset = get(dataset_id)
    requests = [
        Request(
            row_id=row["row_id"],
            custom_id=row["custom_id"],
            url=Endpoint(row["url"]),
            body=orjson.loads(row["body"]),
            extra=orjson.loads(row["extra"]) if row["extra"] else None,
        )
        for row in Reader(dataset_id).rows(offset, min(offset + limit, dataset.count))
    ]
    return RequestPage(
        dataset_id=dataset_id, requests=requests, total=dataset.count, limit=limit, offset=offset
    )


def custom_ids(dataset_id: str) -> Iterator[str]:
    """The ids of all requests in their order; memory is flat."""
    file = pq.ParquetFile(storage().open(requests_key(dataset_id)))
    for batch in file.iter_batches(columns=["custom_id"]):
        yield from batch.column(0).to_pylist()


def shown(dataset_id: str, row_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """What is shown of requests beside their results, ``preview`` and ``extra``, by row id."""
    return pick(dataset_id, row_ids, ["preview", "extra"])


def pick(dataset_id: str, row_ids: Iterable[int], columns: list[str]) -> dict[int, dict[str, Any]]:
    """Requests by row id, with ``columns`` of :data:`SCHEMA`; none when the dataset was deleted.

    Only the row groups that hold them are read: DuckDB took three times as long to find these.
    """
    wanted = np.array(sorted(set(row_ids)), np.int64)
    if not len(wanted):
        return {}
    try:
        stored = storage().open(requests_key(dataset_id))
    except FileNotFoundError:
        return {}
    with stored, pq.ParquetFile(stored) as file:
        ends = np.cumsum([file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)])
        groups = np.unique(np.searchsorted(ends, wanted[wanted < ends[-1]], side="right"))
        table = file.read_row_groups(groups.tolist(), ["row_id", *columns])
    found = table.filter(pa.array(np.isin(table["row_id"].to_numpy(), wanted)))
    return {row["row_id"]: row for row in found.to_pylist()}


class Reader:
    """Random access to the requests of a dataset by row number. Threads may share one."""

    _KEPT_GROUPS = 4

    def __init__(self, dataset_id: str, columns: list[str] | None = None) -> None:
        self._columns = columns
        self._file = pq.ParquetFile(storage().open(requests_key(dataset_id)))
        self._lock = Lock()
        self._groups: OrderedDict[int, list[dict[str, Any]]] = OrderedDict()
        self._starts = [0]
        for group in range(self._file.num_row_groups):
            self._starts.append(self._starts[-1] + self._file.metadata.row_group(group).num_rows)

    def rows(self, start: int, stop: int) -> Iterator[dict[str, Any]]:
        """Rows ``start`` to ``stop - 1`` as dictionaries of :data:`SCHEMA`'s fields, or of the
        columns that were asked for."""
        for group, (first, end) in enumerate(zip(self._starts, self._starts[1:], strict=False)):
            if first < stop and start < end:
                yield from self._read(group)[max(start - first, 0) : stop - first]

    def _read(self, group: int) -> list[dict[str, Any]]:
        with self._lock:
            if group not in self._groups:
                self._groups[group] = self._file.read_row_group(group, self._columns).to_pylist()
                if len(self._groups) > self._KEPT_GROUPS:
                    self._groups.popitem(last=False)
            self._groups.move_to_end(group)
            return self._groups[group]


def record(row: DatasetRow) -> Dataset:
    return Dataset(
        id=row.id,
        name=row.name,
        count=row.count,
        uploaded_at=row.uploaded_at,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        endpoints=[Endpoint(url) for url in row.endpoints],
        models=row.models,
    )
