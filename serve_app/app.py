"""The FastAPI application."""

import importlib.metadata
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI
from fastapi.routing import APIRoute

from cluster.settings import settings
from serve_app import errors, headers, limits, metrics, openai, web
from serve_app.access.audit import AuditLog
from serve_app.access.gate import Gate
from serve_app.routes import (
    access,
    benchmarks,
    comparisons,
    datasets,
    golden,
    graders,
    health,
    imports,
    manifests,
    marks,
    models,
    results,
    votes,
)

_ROUTERS = (
    datasets,
    imports,
    models,
    benchmarks,
    manifests,
    results,
    graders,
    golden,
    marks,
    comparisons,
    votes,
    access,
    health,
)

_DESCRIPTION = """
Upload a dataset of requests, run models over it, read and compare the results.

Calls need an API key, sent as `Authorization: Bearer …` or by logging in, unless the service
listens to its own machine only and no key was made. Without one the answer is 401, with one of too
narrow a scope 403, with too many calls 429 with `Retry-After`. `benchmark-runner keys` makes keys.

Every error has the body `{"error": {"code", "message", "details"}}` with a stable `code`.

Under `/v1` is OpenAI's API for files, batches and models, for OpenAI's own clients; its errors are
`{"error": {"message", "type", "param", "code"}}`.
"""


def create_app() -> FastAPI:
    """The application, without starting anything."""
    audit = AuditLog()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        audit.start()
        yield
        await to_thread.run_sync(audit.stop)

    app = FastAPI(
        title="Benchmark Runner",
        description=_DESCRIPTION,
        version=importlib.metadata.version("benchmark-runner"),
        generate_unique_id_function=_operation_id,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    errors.install(app)
    app.add_middleware(limits.BodyLimit)
    app.add_middleware(Gate, audit=audit, has_login=web.has_login(settings().web_folder))
    app.add_middleware(metrics.Counted)
    headers.install(app)
    for routes in _ROUTERS:
        app.include_router(routes.router, responses=errors.responses(422))
    openai.install(app)
    web.install(app, settings().web_folder)
    return app


def _operation_id(route: APIRoute) -> str:
    """Plain names in generated clients."""
    return route.name
