"""Files of the OpenAI API: inputs of batches, which are datasets, and what batches wrote.

Every dataset is a file, whichever way it was uploaded; a file that was uploaded with bad lines is
no dataset, and a batch of it fails with what is wrong. A deleted file's row stays, so that a client
can page on from it.
"""

from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from cluster.database import session
from cluster.settings import settings
from cluster.storage import storage
from jobs import cursors, datasets
from jobs.cursors import Order
from jobs.errors import Conflict, InvalidParameter, NotFound
from jobs.models import FileRow
from jobs.schemas.openai import ExpiresAfter, File, FilePage, Purpose
from jobs.uploads import Upload

log = structlog.get_logger()


def upload(name: str) -> Upload:
    """A file on its way in, within a batch's limits. OpenAI takes no bare bodies as lines."""
    return Upload(name, max_bytes=settings().batch_max_bytes, bare=False)


def store(received: Upload, expires_after: ExpiresAfter | None) -> File:
    """Store an upload as a file, whatever is in its lines.

    Raises:
        InvalidParameter: it is empty, or is to expire too soon or too late.
    """
    if received.size == 0:
        raise InvalidParameter(
            "invalid_file_format", "Invalid file format for Batch API. Must be .jsonl.", "file"
        )
    if expires_after is None:
        return record(received.finish_file(None))
    check_expiry(expires_after, "expires_after")
    return record(received.finish_file(timedelta(seconds=expires_after.seconds)))


def check_expiry(expires_after: ExpiresAfter, param: str) -> None:
    """Raise :class:`InvalidParameter` for a life that is too short or too long."""
    low, high = settings().file_min_expiry_seconds, settings().file_max_expiry_seconds
    cursors.check_bounds(f"{param}.seconds", expires_after.seconds, low, high)


def get(file_id: str) -> File:
    with session() as sql:
        return record(row(sql, file_id))


def key(file_id: str) -> str:
    """Where a file's content is on storage."""
    with session() as sql:
        return row(sql, file_id).key


def row(sql: Session, file_id: str) -> FileRow:
    """A file that is there: neither deleted nor expired."""
    found = sql.get(FileRow, file_id)
    if found is None or found.deleted_at is not None or _expired(found):
        raise NotFound("file_not_found", f"No such File object: {file_id}", param="id")
    return found


def page(limit: int, after: str | None, order: Order, purpose: str | None) -> FilePage:
    """Files by the time of their creation."""
    present = or_(FileRow.expires_at.is_(None), FileRow.expires_at > datetime.now(UTC))
    query = select(FileRow).where(FileRow.deleted_at.is_(None), present)
    if purpose is not None:
        query = query.where(FileRow.purpose == purpose)
    with session() as sql:
        rows, has_more = cursors.cut(sql, query, FileRow, limit, after, order)
    items = [record(found) for found in rows]
    first, last = cursors.ends([item.id for item in items])
    return FilePage(data=items, first_id=first, last_id=last, has_more=has_more)


def delete(file_id: str) -> None:
    """Delete a file and its content; if it is a dataset, that.

    Raises:
        Conflict: a live batch or benchmark uses it.
        NotFound: no such file.
    """
    with session() as sql:
        found = row(sql, file_id)
    _delete(found)


def remove_expired() -> None:
    """Delete files whose time has come; those in use later."""
    query = select(FileRow).where(
        FileRow.expires_at <= datetime.now(UTC), FileRow.deleted_at.is_(None)
    )
    with session() as sql:
        expired = sql.scalars(query).all()
    for found in expired:
        try:
            _delete(found)
        except Conflict:
            continue
        log.info("file expired", file_id=found.id)


def _delete(found: FileRow) -> None:
    if found.dataset_id is not None:
        datasets.delete(found.dataset_id)
        return
    with session() as sql:
        datasets.delete_file(sql, found.id)
    # An upload's content lies in a folder, with what was read from it.
    uploaded = found.purpose == Purpose.BATCH.value
    storage().delete(found.key.rsplit("/", 1)[0] if uploaded else found.key)


def _expired(found: FileRow) -> bool:
    return found.expires_at is not None and found.expires_at <= datetime.now(UTC)


def record(found: FileRow) -> File:
    return File(
        id=found.id,
        bytes=found.bytes,
        created_at=int(found.created_at.timestamp()),
        expires_at=int(found.expires_at.timestamp()) if found.expires_at else None,
        filename=found.filename,
        purpose=Purpose(found.purpose),
        # OpenAI judges the lines when a batch is made, and says `processed` here whatever they are.
        status="processed",
        status_details=None,
    )
