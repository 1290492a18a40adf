"""Datasets: what can be asked of a stored one. They come in through :mod:`jobs.uploads`.

Each dataset is also a file of the OpenAI API (:mod:`jobs.files`), and goes with it.

A dataset is two objects: ``datasets/<id>/original.jsonl``, the file as it came, and
``datasets/<id>/requests.parquet``, its :mod:`jobs.requests`. Its row in SQL is written
last, so a dataset exists completely or not at all; objects without a row are swept at start.
"""

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import orjson
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from cluster import cache
from cluster.database import session
from cluster.settings import settings
from cluster.storage import storage
from jobs.errors import Conflict, NotFound
from jobs.models import BatchRow, BenchmarkRow, DatasetRow, FileRow
from jobs.request_file import Reader
from jobs.schemas.benchmarks import Status
from jobs.schemas.datasets import Dataset, Kind
from jobs.schemas.openai import LIVE
from jobs.schemas.requests import Endpoint, Request, RequestPage

# An upload of another process (a job given a local file) may be at work; after this it is dead.
_ABANDONED_SECONDS = 24 * 3600


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
