"""The SQL database: one engine a process, short sessions, migrations at start."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from filelock import FileLock
from psycopg import OperationalError as PostgresError
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from cluster.settings import settings

MIGRATIONS = Path(__file__).parent / "migrations"


_STARTS_OR_STOPS = ("08", "57P")
"""Of SQLSTATE: connection exceptions, and a server that shuts down or starts (PostgreSQL's manual,
appendix A)."""


def is_away(error: BaseException) -> bool:
    """Whether an error says that the database server does not answer."""
    if not isinstance(error, OperationalError) or not isinstance(error.orig, PostgresError):
        return False
    # Who could not connect has been told no state.
    return error.orig.sqlstate is None or error.orig.sqlstate.startswith(_STARTS_OR_STOPS)


@cache
def engine(url: str | None = None) -> Engine:
    """The pooled engine for ``url`` (default: the settings' database)."""
    parsed = make_url(url or settings().sql_url)
    if parsed.get_backend_name() != "sqlite":
        # A connection that the server closed (restart, idle timeout) is replaced, not handed out.
        return create_engine(parsed, pool_pre_ping=True)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    sqlite = create_engine(parsed)

    @event.listens_for(sqlite, "connect")
    def configure(connection: Any, _record: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        # WAL lets the API read while the tracker writes; NORMAL is durable against a killed
        # process, and with WAL never corrupts on power loss. SQLite checks foreign keys only when
        # asked to.
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("PRAGMA busy_timeout=30000")

    return sqlite


@contextmanager
def session() -> Generator[Session]:
    """A short transaction: commits at the end of the block, rolls back when it raises."""
    with Session(engine(), expire_on_commit=False) as opened, opened.begin():
        yield opened


def alembic_config(url: str) -> Config:
    """Alembic's configuration for the migrations in this package."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def migrate() -> None:
    """Bring the database to the newest schema. Safe to call from several processes at once."""
    url = settings().sql_url
    engine()  # makes the folder of a SQLite file
    settings().data_folder.mkdir(parents=True, exist_ok=True)
    with FileLock(settings().data_folder / "migrate.lock"):
        command.upgrade(alembic_config(url), "head")
