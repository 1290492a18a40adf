"""API keys: made, listed and revoked by the command line; found by what a client sends."""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from cluster.database import session
from jobs.errors import Conflict, NotFound
from serve_app.access.models import AuditRow, KeyRow
from serve_app.access.scopes import Scope

# What cluster.logs hides begins so.
_MARK = "br_"
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, by a key that is in force."""

    key_id: str
    name: str
    scope: Scope
    requests_per_second: float | None = None
    """Its own limit, in place of the setting."""
    max_body_bytes: int | None = None
    """The largest body that it may send, where that is less than the service's own limits."""
    by_cookie: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A key as an operator sees it."""

    key_id: str
    name: str
    prefix: str
    scope: Scope
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


def create(
    name: str,
    scope: Scope,
    *,
    lifetime: timedelta | None = None,
    requests_per_second: float | None = None,
    max_body_bytes: int | None = None,
) -> str:
    """Make a key; returns its secret, which nobody can read again.

    Raises:
        Conflict: the name belongs to a key, in force or not.
    """
    secret = _MARK + secrets.token_urlsafe(32)
    now = datetime.now(UTC)
    with session() as sql:
        if sql.scalar(select(KeyRow.id).where(KeyRow.name == name)) is not None:
            raise Conflict(
                "key_exists",
                f"There is, or was, a key named {name!r}. Names are not used twice, so that the "
                "audit log stays clear: choose another.",
            )
        sql.add(
            KeyRow(
                id=f"key_{uuid.uuid4().hex[:12]}",
                name=name,
                prefix=secret[: len(_MARK) + _SHOWN],
                digest=digest(secret),
                scope=scope,
                requests_per_second=requests_per_second,
                max_body_bytes=max_body_bytes,
                created_at=now,
                expires_at=None if lifetime is None else now + lifetime,
            )
        )
    return secret


def all_keys() -> list[Listed]:
    """Every key that was ever made, oldest first."""
    last_used = select(func.max(AuditRow.at)).where(AuditRow.key_id == KeyRow.id).scalar_subquery()
    with session() as sql:
        found = sql.execute(select(KeyRow, last_used).order_by(KeyRow.created_at, KeyRow.id)).all()
    return [
        Listed(
            key_id=row.id,
            name=row.name,
            prefix=row.prefix,
            scope=Scope(row.scope),
            created_at=row.created_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            last_used_at=used,
        )
        for row, used in found
    ]


def revoke(name: str) -> None:
    """Take a key out of force, and with it the browsers that logged in by it. Repeating it changes
    nothing.

    Raises:
        NotFound: no key has the name.
    """
    with session() as sql:
        row = sql.scalar(select(KeyRow).where(KeyRow.name == name))
        if row is None:
            raise NotFound("key_not_found", f"There is no key named {name!r}.")
        row.revoked_at = row.revoked_at or datetime.now(UTC)


def exist() -> bool:
    """Whether there is a key, or was one: from the first on, keys are needed for good."""
    with session() as sql:
        return sql.scalar(select(KeyRow.id).limit(1)) is not None


def find(secret: str) -> Caller | None:
    """Whose secret it is; none if it is nobody's, or not in force any more."""
    with session() as sql:
        row = sql.scalar(select(KeyRow).where(KeyRow.digest == digest(secret)))
        return caller(row) if row is not None and in_force(row) else None


def caller(row: KeyRow, *, by_cookie: bool = False) -> Caller:
    return Caller(
        key_id=row.id,
        name=row.name,
        scope=Scope(row.scope),
        requests_per_second=row.requests_per_second,
        max_body_bytes=row.max_body_bytes,
        by_cookie=by_cookie,
    )


def in_force(row: KeyRow) -> bool:
    alive = row.expires_at is None or row.expires_at > datetime.now(UTC)
    return alive and row.revoked_at is None


def digest(secret: str) -> str:
    """SHA-256: a random secret of 256 bits cannot be guessed, so nothing slow is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()
