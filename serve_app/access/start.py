"""Keys and the start of a service: none without them where others can reach it."""

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta

from cluster.database import migrate
from cluster.launch import LaunchError
from serve_app.access import keys
from serve_app.access.scopes import Scope

_OWN_LIFETIME = timedelta(hours=24)


def require_keys(host: str, *, keyless: bool) -> None:
    """Refuse to serve others than this machine while there is no key to know them by.

    Raises:
        LaunchError: no key was made, and ``keyless`` does not say that none is needed.
    """
    if keyless:
        return
    migrate()
    if not keys.exist():
        raise LaunchError(
            f"The service refuses to listen on {host} while there is no API key: it would be open "
            "to everybody. Make one first: benchmark-runner keys create NAME --scope admin"
        )


@contextmanager
def own_key() -> Generator[str | None]:
    """A key for this process, revoked at the end of the block; none where none is needed."""
    migrate()
    if not keys.exist():
        yield None
        return
    name = f"demo-{secrets.token_hex(4)}"
    secret = keys.create(name, Scope.RUN, lifetime=_OWN_LIFETIME)
    try:
        yield secret
    finally:
        keys.revoke(name)
