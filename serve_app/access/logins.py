"""Logins of browsers: a random cookie that stands for a key until it expires."""

import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete

from cluster.database import session
from cluster.settings import settings
from serve_app.access import keys
from serve_app.access.keys import Caller
from serve_app.access.models import LoginRow

COOKIE = "benchmark_runner_login"


def begin(caller: Caller) -> str:
    """Log a browser in; returns the value of its cookie."""
    token = secrets.token_urlsafe(32)
    now = datetime.now(UTC)
    with session() as sql:
        sql.execute(delete(LoginRow).where(LoginRow.expires_at < now))
        sql.add(
            LoginRow(
                digest=keys.digest(token),
                key_id=caller.key_id,
                created_at=now,
                expires_at=now + lifetime(),
            )
        )
    return token


def find(token: str) -> Caller | None:
    """Who logged in with the cookie; none when it has expired, or its key is not in force."""
    with session() as sql:
        row = sql.get(LoginRow, keys.digest(token))
        if row is None or row.expires_at < datetime.now(UTC) or not keys.in_force(row.key):
            return None
        return keys.caller(row.key, by_cookie=True)


def end(token: str) -> None:
    """Log out. Repeating it changes nothing."""
    with session() as sql:
        sql.execute(delete(LoginRow).where(LoginRow.digest == keys.digest(token)))


def lifetime() -> timedelta:
    return timedelta(hours=settings().login_hours)
