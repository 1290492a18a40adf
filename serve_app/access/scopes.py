"""What a key may do, and what a call needs. Pure."""

import re
from enum import StrEnum


class Scope(StrEnum):
    """Each includes those before it."""

    READ = "read"
    RUN = "run"
    ADMIN = "admin"

    def includes(self, other: "Scope") -> bool:
        order = list(Scope)
        return order.index(self) >= order.index(other)


SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Reading what others did, and taking away what others made.
_ADMIN = re.compile(
    r"(?:GET|HEAD|OPTIONS) /admin/audit"
    r"|DELETE /admin/(?:datasets|benchmarks)/[^/]+/?"
    r"|DELETE /admin/models/.+"
)
_LOGOUT = "POST /logout"


def needed(method: str, path: str) -> Scope:
    """The scope that a call needs: to read, to change, or to administer. A route that is new needs
    no entry here to be protected."""
    call = f"{method} {path}"
    if _ADMIN.fullmatch(call):
        return Scope.ADMIN
    return Scope.READ if method in SAFE or call == _LOGOUT else Scope.RUN


def is_open(method: str, path: str) -> bool:
    """Whether a call needs no key: the liveness probe, and the login page with what it loads."""
    if path == "/health":
        return method in SAFE
    if path == "/login":
        return method in SAFE or method == "POST"
    # No way out of the folder: `/login/../index.html` is another page.
    return path.startswith("/login/") and method in SAFE and ".." not in path.split("/")
