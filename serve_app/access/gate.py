"""The gate before every route: who calls, whether they may, and what is written down of it.

What is open is listed in :mod:`serve_app.access.scopes`; everything else needs a key, so a new
route is protected without doing anything for it.
"""

import math
from http import HTTPStatus
from urllib.parse import quote

import structlog
from anyio import to_thread
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cluster.settings import settings
from jobs.errors import TooLarge
from serve_app import errors
from serve_app.access import keys, logins, origin, scopes
from serve_app.access.audit import AuditLog
from serve_app.access.keys import Caller
from serve_app.access.rates import Rates
from serve_app.body import declared_length

log = structlog.get_logger()


class Gate:
    """ASGI middleware; ``has_login`` says whether there is a page to lead people to."""

    def __init__(self, app: ASGIApp, audit: AuditLog, *, has_login: bool) -> None:
        self._app = app
        self._audit = audit
        self._has_login = has_login
        self._rates = Rates()
        self._keys_exist = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        answer: Response | None = None
        caller: Caller | None = None
        if scopes.is_open(request.method, scope["path"]):
            # Nothing is looked up: the liveness probe must not fail with the database.
            answer = _refuse_foreign(request, by_browser=False)
        elif await self._needs_key():
            caller = await self._caller(request)
            answer = self._refuse(request, caller)
        else:
            answer = _refuse_strangers(request)
        if caller is not None:
            scope.setdefault("state", {})["caller"] = caller
            receive, send = _limited(receive, caller), self._audited(request, caller, send)
        with structlog.contextvars.bound_contextvars(**_who(caller)):
            if answer is not None:
                await answer(scope, receive, send)
            else:
                await self._pass(request, receive, send)

    async def _needs_key(self) -> bool:
        if not settings().keyless:
            return True
        # From the first key on for good, so it is asked no more.
        self._keys_exist = self._keys_exist or await to_thread.run_sync(keys.exist)
        return self._keys_exist

    async def _caller(self, request: Request) -> Caller | None:
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return await to_thread.run_sync(keys.find, secret.strip())
        if (token := request.cookies.get(logins.COOKIE)) is not None:
            return await to_thread.run_sync(logins.find, token)
        return None

    def _refuse(self, request: Request, caller: Caller | None) -> Response | None:
        """The answer to a call that may not pass; none if it may."""
        if caller is None:
            return self._ask_for_key(request)
        if caller.by_cookie and (foreign := _refuse_foreign(request, by_browser=True)):
            return foreign
        needed = scopes.needed(request.method, request.url.path)
        if not caller.scope.includes(needed):
            message = (
                f"This needs a key with scope `{needed}`; {caller.name!r} has `{caller.scope}`."
            )
            return errors.response(request, HTTPStatus.FORBIDDEN, "missing_scope", message)
        if wait := self._rates.wait(caller):
            message = f"Too many calls with the key {caller.name!r}. Try again in {wait:.1f} s."
            answer = errors.response(
                request, HTTPStatus.TOO_MANY_REQUESTS, "rate_limit_exceeded", message
            )
            answer.headers["retry-after"] = str(math.ceil(wait))
            return answer
        most = caller.max_body_bytes
        if most is not None and (declared_length(request.headers) or 0) > most:
            return _too_large(request, most)
        return None

    def _ask_for_key(self, request: Request) -> Response:
        wants_page = "text/html" in request.headers.get("accept", "")
        if wants_page and self._has_login and request.method in ("GET", "HEAD"):
            asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/login?next={quote(asked, safe='')}", HTTPStatus.SEE_OTHER)
        given = "authorization" in request.headers or logins.COOKIE in request.cookies
        # Not which key: what was sent may be one with a slip of the finger.
        log.warning("not authenticated", method=request.method, path=request.url.path, given=given)
        message = (
            "The API key is not known, or not in force any more."
            if given
            else "This needs an API key. Send it as `Authorization: Bearer …`, or log in at /login."
        )
        answer = errors.response(request, HTTPStatus.UNAUTHORIZED, "invalid_api_key", message)
        answer.headers["www-authenticate"] = "Bearer"
        return answer

    async def _pass(self, request: Request, receive: Receive, send: Send) -> None:
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(request.scope, receive, noting)
        except _BodyTooLarge as error:
            if started:
                raise
            await _too_large(request, error.most)(request.scope, receive, send)

    def _audited(self, request: Request, caller: Caller, send: Send) -> Send:
        method, path = request.method, request.url.path

        async def audited(message: Message) -> None:
            if message["type"] == "http.response.start":
                # A cache must not give it to others, nor a browser after logging out.
                MutableHeaders(scope=message).setdefault("cache-control", "private, no-cache")
                status: int = message["status"]
                if method in scopes.SAFE:
                    self._audit.gather(caller, method, path, status)
                else:
                    await to_thread.run_sync(self._audit.record, caller, method, path, status)
            await send(message)

        return audited


class _BodyTooLarge(TooLarge):
    def __init__(self, most: int) -> None:
        super().__init__("request_too_large", _too_large_message(most))
        self.most = most


def _limited(receive: Receive, caller: Caller) -> Receive:
    """Holds a body that did not say its length to what the key may send."""
    most = caller.max_body_bytes
    if most is None:
        return receive
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > most:
            raise _BodyTooLarge(most)
        return message

    return counted


def _refuse_strangers(request: Request) -> Response | None:
    """What a service that asks for no key refuses: pages of other sites."""
    if not origin.is_loopback(request.headers.get("host", "")):
        message = "Without API keys, the service answers to the name of this machine only."
        return errors.response(request, HTTPStatus.FORBIDDEN, "wrong_host", message)
    return _refuse_foreign(request, by_browser=False)


def _refuse_foreign(request: Request, *, by_browser: bool) -> Response | None:
    if request.method in scopes.SAFE:
        return None
    if not origin.is_foreign(request.headers, by_browser=by_browser):
        return None
    message = "A page of another site may not make this call."
    return errors.response(request, HTTPStatus.FORBIDDEN, "foreign_origin", message)


def _too_large(request: Request, most: int) -> Response:
    return errors.response(
        request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request_too_large", _too_large_message(most)
    )


def _too_large_message(most: int) -> str:
    return f"The request is longer than the {most:,} bytes that its key may send."


def _who(caller: Caller | None) -> dict[str, str]:
    return {} if caller is None else {"key": caller.name}
