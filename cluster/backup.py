"""Back-up and restore: the database and the storage in one file, whatever database it is.

The file is a tar: ``backup.json``, a file of JSON lines per table, and the storage's objects. Rows
are read in one transaction, so they agree with each other; objects are read after them. Benchmarks
that run meanwhile are in it as far as they had come, and go on from there after a restore. As rows
are plain values, a back-up of SQLite can be restored into PostgreSQL: that is the way to move.
"""

import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO

from alembic import command
from pydantic import BaseModel
from sqlalchemy import Connection, DateTime, MetaData, Table, insert, select, text

from cluster.database import alembic_config, engine, migrate
from cluster.settings import settings
from cluster.storage import storage

_ABOUT = "backup.json"
_TABLES = "tables"
_OBJECTS = "storage"
_BATCH_ROWS = 1000


class BackupError(Exception):
    """The back-up cannot be made or restored; the message says why."""


class About(BaseModel):
    """What a back-up says of itself."""

    made_at: datetime
    revision: str
    """Of the schema."""
    rows: dict[str, int]


def backup(file: Path) -> About:
    """Write all there is to ``file``, which must not exist. The service may go on running.

    Raises:
        BackupError: the file exists.
    """
    migrate()
    try:
        target = tarfile.open(file, "x:gz", compresslevel=1)  # noqa: SIM115 - closed below
    except FileExistsError:
        raise BackupError(f"{file} exists; a back-up does not overwrite anything.") from None
    with target as tar:
        about = _write_rows(tar)
        _add(tar, _ABOUT, about.model_dump_json(indent=2).encode())
        for key, content in storage().contents():
            _add_object(tar, key, content)
    return about


def restore(file: Path) -> About:
    """Put a back-up into a database without rows and a storage without objects.

    Raises:
        BackupError: the file is no back-up, or something is there already.
    """
    if next(storage().contents(), None) is not None:
        raise BackupError(f"{storage().uri} is not empty. Restore into an empty storage.")
    with tarfile.open(file, "r:gz") as tar:
        about = _about(tar, file)
        settings().data_folder.mkdir(parents=True, exist_ok=True)
        engine()  # makes the folder of a SQLite file
        command.upgrade(alembic_config(settings().sql_url), about.revision)
        with engine().begin() as sql:
            tables = _reflected(sql)
            if filled := [one.name for one in tables if sql.execute(select(one).limit(1)).first()]:
                raise BackupError(f"The database has rows already, in {', '.join(filled)}.")
            for table in tables:
                _read_rows(tar, sql, table)
        for member in tar:
            if member.isfile() and member.name.startswith(f"{_OBJECTS}/"):
                key = PurePosixPath(member.name).relative_to(_OBJECTS).as_posix()
                content = tar.extractfile(member)
                assert content is not None
                with storage().write(key) as target:
                    while piece := content.read(2**20):
                        target.write(piece)
    migrate()
    return about


def _write_rows(tar: tarfile.TarFile) -> About:
    counts: dict[str, int] = {}
    # PostgreSQL's default lets each statement see what was committed meanwhile.
    isolation = {} if engine().dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with engine().connect().execution_options(**isolation) as sql:
        revision = sql.scalar(text("SELECT version_num FROM alembic_version"))
        for table in _reflected(sql):
            lines = [_line(dict(row)) for row in sql.execute(select(table)).mappings()]
            counts[table.name] = len(lines)
            _add(tar, f"{_TABLES}/{table.name}.jsonl", "".join(lines).encode())
    return About(made_at=datetime.now(UTC), revision=str(revision), rows=counts)


def _read_rows(tar: tarfile.TarFile, sql: Connection, table: Table) -> None:
    member = f"{_TABLES}/{table.name}.jsonl"
    content = tar.extractfile(member) if member in tar.getnames() else None
    if content is None:
        return  # a table that the back-up's revision does not have
    for rows in _batches(_values(table, json.loads(line)) for line in content):
        sql.execute(insert(table), rows)
    keys = list(table.primary_key)
    if sql.dialect.name == "postgresql" and len(keys) == 1 and keys[0].autoincrement is True:
        sql.execute(
            text(
                f"SELECT setval(pg_get_serial_sequence('{table.name}', '{keys[0].name}'), "
                f"coalesce(max({keys[0].name}), 1)) FROM {table.name}"
            )
        )


def _reflected(sql: Connection) -> list[Table]:
    """The tables that there are, those that others refer to first."""
    metadata = MetaData()
    metadata.reflect(sql)
    return [table for table in metadata.sorted_tables if table.name != "alembic_version"]


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, default=lambda value: value.isoformat(), ensure_ascii=False) + "\n"


def _values(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    for name, value in row.items():
        if value is not None and isinstance(table.columns[name].type, DateTime):
            at = datetime.fromisoformat(value)
            row[name] = at if at.tzinfo else at.replace(tzinfo=UTC)  # SQLite forgets the zone
    return row


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _about(tar: tarfile.TarFile, file: Path) -> About:
    try:
        content: IO[bytes] | None = tar.extractfile(_ABOUT)
    except KeyError:
        content = None
    if content is None:
        raise BackupError(f"{file} is no back-up of this service: it has no {_ABOUT}.")
    return About.model_validate_json(content.read())


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    member.mode = 0o600
    tar.addfile(member, io.BytesIO(data))


def _add_object(tar: tarfile.TarFile, key: str, content: BinaryIO) -> None:
    member = tarfile.TarInfo(f"{_OBJECTS}/{key}")
    # A journal may grow while it is read: it is taken as it was, as a kill would leave it.
    member.size = content.seek(0, io.SEEK_END)
    member.mode = 0o600
    content.seek(0)
    tar.addfile(member, content)
