"""Errors as responses: one JSON shape, ``{"error": {"code", "message", "details"}}``.

Under ``/v1`` it is OpenAI's: :mod:`serve_app.openai.errors`.
"""

from http import HTTPStatus
from typing import Any

import duckdb
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from cluster import space
from cluster.database import is_away
from cluster.space import StorageFull
from cluster.storage import unavailable
from jobs.errors import BenchmarkRunnerError
from serve_app.openai import errors as openai
from serve_app.problems import ErrorResponse, Problem

log = structlog.get_logger()


def install(app: FastAPI) -> None:
    """Make every error of ``app`` come out in the one shape."""
    app.add_exception_handler(BenchmarkRunnerError, _known)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    for may_be_full in (OSError, SQLAlchemyError, duckdb.Error):
        app.add_exception_handler(may_be_full, _storage)
    app.add_exception_handler(Exception, _unexpected)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route declares in OpenAPI: the error statuses that it can answer with."""
    return {
        status: {"model": ErrorResponse, "description": HTTPStatus(status).phrase}
        for status in statuses
    }


def response(
    request: Request, status: int, code: str, message: str, **details: Any
) -> JSONResponse:
    if openai.covers(request):
        return openai.response(status, code, message, details.get("param"))
    body = ErrorResponse(error=Problem(code=code, message=message, details=details))
    return JSONResponse(body.model_dump(mode="json"), status_code=status)


async def _known(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, BenchmarkRunnerError)
    return response(request, error.status, error.code, error.message, **error.details)


async def _validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    if openai.covers(request):
        return openai.invalid(error)
    errors = [
        {"field": ".".join(str(part) for part in one["loc"][1:]), "message": one["msg"]}
        for one in error.errors()
    ]
    first = errors[0]
    where = f"{first['field']}: " if first["field"] else ""
    message = f"The request is not valid. {where}{first['message']}."
    return response(
        request, 422, "invalid_request", message, errors=errors, total_errors=len(errors)
    )


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "_")
    message = f"{phrase}: {request.method} {request.url.path}"
    if openai.covers(request) and error.status_code in openai.NO_ROUTE:
        answer = openai.no_route(request, error.status_code)
    elif error.status_code == 400 and not openai.covers(request):
        # FastAPI's own, and the only one: a body that is not even text.
        message = "The request is not valid. Its body is not JSON in UTF-8."
        answer = response(request, 422, "invalid_request", message)
    else:
        answer = response(request, error.status_code, code, message)
    answer.headers.update(error.headers or {})
    return answer


async def _storage(request: Request, error: Exception) -> JSONResponse:
    if space.is_full(error):
        message = "The storage is full. Free some space and try again; what is stored stays."
        told = isinstance(error, StorageFull)
        return response(request, 507, "storage_full", str(error) if told else message)
    if said := unavailable(error):
        log.warning("storage unavailable", path=request.url.path, why=said)
        return response(
            request,
            503,
            "storage_unavailable",
            "The object store that holds datasets and results does not answer. Nothing is lost; "
            "try again in a moment. If it stays away, /ready and the log say more.",
        )
    return await _unexpected(request, error)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    # Here, since the gate asks the database as well, before any route.
    if is_away(error):
        log.warning("database unavailable", path=request.url.path)
        return response(
            request,
            503,
            "database_unavailable",
            "The database does not answer. Nothing is lost, and benchmarks that run go on; try "
            "again in a moment.",
        )
    log.error("unexpected error", path=request.url.path, exc_info=error)
    message = "Something went wrong on the server; its log says more."
    return response(request, 500, "internal_error", message)
