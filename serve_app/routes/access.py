"""Logging in and out, and the audit log."""

import importlib.metadata
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from cluster.settings import settings
from jobs.errors import BenchmarkRunnerError
from jobs.schemas.base import Id
from serve_app.access import audit, keys, logins
from serve_app.access.caller import CurrentCaller
from serve_app.access.schemas import AuditPage, LoginRequest, Me
from serve_app.access.scopes import Scope
from serve_app.errors import responses
from serve_app.paging import Limit, Offset

router = APIRouter(tags=["access"])


class WrongKey(BenchmarkRunnerError):
    status = 401


@router.post("/login", status_code=204, summary="Log in", responses=responses(401, 403, 422))
def log_in(asked: LoginRequest, response: Response) -> None:
    """Give a browser a cookie that stands for a key until it expires. Programs send the key
    itself."""
    caller = keys.find(asked.key.strip())
    if caller is None:
        raise WrongKey("invalid_api_key", "There is no such key, or it is not in force any more.")
    response.set_cookie(
        logins.COOKIE,
        logins.begin(caller),
        max_age=int(logins.lifetime().total_seconds()),
        httponly=True,
        samesite="strict",
        secure=settings().secure_cookie,
    )


@router.post("/logout", status_code=204, summary="Log out", responses=responses(401, 403, 422))
def log_out(request: Request, response: Response) -> None:
    """End the login of a browser."""
    if (token := request.cookies.get(logins.COOKIE)) is not None:
        logins.end(token)
    response.delete_cookie(
        logins.COOKIE, httponly=True, samesite="strict", secure=settings().secure_cookie
    )


@router.get("/admin/me", summary="Who am I", responses=responses(401))
def get_me(caller: CurrentCaller) -> Me:
    """The caller's key, by its name and scope."""
    version = importlib.metadata.version("benchmark-runner")
    if caller is None:
        return Me(name=None, scope=Scope.ADMIN, logged_in=False, version=version)
    return Me(name=caller.name, scope=caller.scope, logged_in=caller.by_cookie, version=version)


@router.get("/admin/audit", summary="Audit log", responses=responses(401, 403, 422))
def list_audit_entries(
    limit: Limit = 100,
    offset: Offset = 0,
    key: Annotated[Id | None, Query(description="Only calls with the key of this name.")] = None,
) -> AuditPage:
    """Calls that came with a key, newest first. Needs scope `admin`."""
    return audit.page(limit, offset, key)
