"""The built web UI, from the same origin as the API."""

from functools import partial
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.responses import FileResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

# Paths of programs: what is unknown there is an error, not a page.
_API = (
    "/admin",
    "/v1",
    "/docs",
    "/redoc",
    "/openapi.json",
    "/health",
    "/ready",
    "/metrics",
    "/logout",
)
_ASSETS = "/assets"
# The login page has files of its own, so that nothing else need be open to strangers.
_LOGIN = "login/login.html"
# The names of files under /assets have a hash of their contents.
_FOREVER = "public, max-age=31536000, immutable"


def install(app: FastAPI, folder: Path) -> None:
    """Serve the UI in ``folder``; without one, ``/`` leads to the API's documentation."""
    if not (folder / "index.html").is_file():
        app.add_api_route("/", _to_docs, include_in_schema=False)
        return
    app.add_api_route("/static/benchmark-runner.html", _to_runner, include_in_schema=False)
    app.add_api_route("/static/benchmark-results.html", _to_results, include_in_schema=False)
    if has_login(folder):
        # The path is also a route, for POST, so the router's default is not asked.
        page = partial(FileResponse, folder / _LOGIN, headers={"cache-control": "no-cache"})
        app.add_route("/login", lambda _request: page(), include_in_schema=False)
    # The router's default is asked when no route has the path. A mount at / would also take paths
    # that a route has for another method, and a 405 would become a page.
    app.router.default = Web(folder)


def has_login(folder: Path) -> bool:
    """Whether the UI in ``folder`` has a page on which people log in."""
    return (folder / _LOGIN).is_file()


class Web:
    """An ASGI application: files of the UI, and its index for every other page of it."""

    def __init__(self, folder: Path) -> None:
        self._files = StaticFiles(directory=folder)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        path: str = scope["path"]
        if any(path == prefix or path.startswith(f"{prefix}/") for prefix in _API):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        response = await self._response(path, scope)
        await response(scope, receive, send)

    async def _response(self, path: str, scope: Scope) -> Response:
        is_asset = path.startswith((f"{_ASSETS}/", "/login/"))
        try:
            response = await self._files.get_response(path.lstrip("/") or "index.html", scope)
        except HTTPException as error:
            # A page of the UI, whose router knows it. An asset that is gone is an error: a script
            # that is given HTML fails in a way that nobody understands.
            if error.status_code != HTTPStatus.NOT_FOUND or is_asset:
                raise
            response = await self._files.get_response("index.html", scope)
        response.headers["cache-control"] = _FOREVER if is_asset else "no-cache"
        return response


def _to_docs() -> RedirectResponse:
    return RedirectResponse("/docs")


def _to_runner() -> RedirectResponse:
    return RedirectResponse("/runner")


def _to_results(benchmark_id: str = "") -> RedirectResponse:
    # Wholly encoded, slashes too, so that no id can lead anywhere else.
    return RedirectResponse(
        f"/results/{quote(benchmark_id, safe='')}" if benchmark_id else "/runner"
    )
