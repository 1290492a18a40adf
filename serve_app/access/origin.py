"""Where a call comes from, as browsers say it: another site must not use this one's login. Pure."""

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers

_PORTS = {"http": 80, "https": 443}


def is_foreign(headers: Headers, *, by_browser: bool) -> bool:
    """Whether a page of another site may have made a call.

    Browsers say ``Origin`` with everything but plain reading, and ``Sec-Fetch-Site`` wherever the
    connection is one that they trust. Programs say neither; with ``by_browser``, a call without
    both is foreign.
    """
    if (origin := headers.get("origin")) is not None:
        return not _same(origin, headers.get("host", ""))
    if (site := headers.get("sec-fetch-site")) is not None:
        return site != "same-origin"
    return by_browser


def is_loopback(host: str) -> bool:
    """Whether a ``Host`` header names this machine. A name that somebody else's DNS resolves to
    loopback does not, so that their page cannot read from a service that asks for no key."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _same(origin: str, host: str) -> bool:
    try:
        said, asked = urlsplit(origin), urlsplit(f"//{host}")
        default = _PORTS.get(said.scheme)
        return (
            default is not None
            and said.hostname is not None
            and said.hostname == asked.hostname
            and (said.port or default) == (asked.port or default)
        )
    except ValueError:  # a port that is none
        return False
