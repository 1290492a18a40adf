"""The FastAPI application."""

import importlib.metadata

from fastapi import FastAPI
from fastapi.routing import APIRoute

from cluster.settings import settings
from serve_app import errors, headers, limits, openai, web
from serve_app.routes import (
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
    health,
)

_DESCRIPTION = """
Upload a dataset of requests, run models over it, read and compare the results.

Every error has the body `{"error": {"code", "message", "details"}}` with a stable `code`.

Under `/v1` is OpenAI's API for files, batches and models, for OpenAI's own clients; its errors are
`{"error": {"message", "type", "param", "code"}}`.
"""


def create_app() -> FastAPI:
    """The application, without starting anything."""
    app = FastAPI(
        title="Benchmark Runner",
        description=_DESCRIPTION,
        version=importlib.metadata.version("benchmark-runner"),
        generate_unique_id_function=_operation_id,
        redirect_slashes=False,
    )
    errors.install(app)
    app.add_middleware(limits.BodyLimit)
    headers.install(app)
    for routes in _ROUTERS:
        app.include_router(routes.router, responses=errors.responses(422))
    openai.install(app)
    web.install(app, settings().web_folder)
    return app


def _operation_id(route: APIRoute) -> str:
    """Plain names in generated clients."""
    return route.name
