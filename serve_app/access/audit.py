"""The audit log: which key called what, when, and how it ended.

A call that changes something is written down before its answer leaves. Calls that only read are
many (a page asks each second), so those of a few seconds that are the same become one entry.
"""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.exc import SQLAlchemyError

from cluster.database import session
from cluster.settings import settings
from serve_app.access.keys import Caller
from serve_app.access.models import AuditRow, KeyRow
from serve_app.access.schemas import AuditEntry, AuditPage

log = structlog.get_logger()

_GATHER_SECONDS = 10.0
_MOST_CHARACTERS = 500

_Read = tuple[str, str, str, int]


class AuditLog:
    """Of one process. Reads that it has gathered are lost if it is killed."""

    def __init__(self) -> None:
        self._reads: Counter[_Read] = Counter()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        # An application may be started again after it was stopped.
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, daemon=True, name="audit")
        self._thread.start()

    def stop(self) -> None:
        """Write what was gathered."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def record(self, caller: Caller, method: str, path: str, status: int) -> None:
        """Write a call down now."""
        with session() as sql:
            sql.add(_row((caller.key_id, method, _text(path), status)))

    def gather(self, caller: Caller, method: str, path: str, status: int) -> None:
        """Note a call, to be written with others."""
        with self._lock:
            self._reads[caller.key_id, method, _text(path), status] += 1

    def flush(self) -> None:
        """Write the calls that were gathered."""
        with self._lock:
            reads, self._reads = self._reads, Counter()
        if not reads:
            return
        try:
            with session() as sql:
                sql.add_all(_row(read, count) for read, count in reads.items())
        except SQLAlchemyError:
            with self._lock:
                self._reads.update(reads)  # the database is away: the next time
            raise

    def _run(self) -> None:
        ended = False
        while not ended:
            ended = self._stopped.wait(_GATHER_SECONDS)
            try:
                self.flush()
                _forget_old()
            except SQLAlchemyError:
                log.exception("audit log not written; tried again later")


def page(limit: int, offset: int, name: str | None = None) -> AuditPage:
    """Entries, newest first; ``name`` is of the key."""
    entries, count = select(AuditRow), select(func.count()).select_from(AuditRow)
    if name is not None:
        of_key = AuditRow.key_id == select(KeyRow.id).where(KeyRow.name == name).scalar_subquery()
        entries, count = entries.where(of_key), count.where(of_key)
    with session() as sql:
        rows = sql.scalars(entries.order_by(AuditRow.id.desc()).limit(limit).offset(offset)).all()
        total = sql.scalar(count) or 0
    return AuditPage(entries=[_entry(row) for row in rows], total=total)


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        at=row.at,
        key=row.key.name,
        method=row.method,
        path=row.path,
        status=row.status,
        count=row.count,
    )


def _row(read: _Read, count: int = 1) -> AuditRow:
    key_id, method, path, status = read
    return AuditRow(
        at=datetime.now(UTC), key_id=key_id, method=method, path=path, status=status, count=count
    )


def _text(path: str) -> str:
    # PostgreSQL has no NUL.
    return path.replace("\x00", "\\0")[:_MOST_CHARACTERS]


def _forget_old() -> None:
    oldest = datetime.now(UTC) - timedelta(days=settings().audit_days)
    with session() as sql:
        sql.execute(delete(AuditRow).where(AuditRow.at < oldest))
