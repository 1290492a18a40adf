"""The checks behind ``/ready``."""

import uuid
from collections.abc import Callable

import ray
from pydantic import BaseModel, Field
from sqlalchemy import text

from cluster.database import session
from cluster.logs import hide
from cluster.storage import storage
from jobs import tracker

_TIMEOUT_SECONDS = 5.0


class Check(BaseModel):
    ok: bool
    message: str


class Readiness(BaseModel):
    ready: bool
    checks: dict[str, Check] = Field(description="database, storage, tracker and ray.")


def checks() -> dict[str, Check]:
    """Try each part of the service once."""
    parts = {"database": _database, "storage": _storage, "tracker": _tracker, "ray": _ray}
    return {name: _tried(part) for name, part in parts.items()}


def _tried(part: Callable[[], str]) -> Check:
    try:
        return Check(ok=True, message=part())
    except Exception as error:  # whatever it is, it is the answer
        return Check(ok=False, message=hide(f"{type(error).__name__}: {error}")[:300])


def _database() -> str:
    with session() as sql:
        sql.execute(text("SELECT 1 FROM benchmarks LIMIT 1"))
    return "answers"


def _storage() -> str:
    key = f"probes/{uuid.uuid4().hex}"
    with storage().write(key) as file:
        file.write(b"ok")
    storage().delete(key)
    return "writable"


def _tracker() -> str:
    ray.get(tracker.handle().ping.remote(), timeout=_TIMEOUT_SECONDS)
    return "answers"


def _ray() -> str:
    resources = ray.cluster_resources()
    return f"{resources.get('CPU', 0):g} CPUs, {resources.get('GPU', 0):g} GPUs"
