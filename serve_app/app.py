"""The FastAPI application."""

import importlib.metadata

from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from serve_app import errors
from serve_app.routes import benchmarks, datasets, health, models, results

_DESCRIPTION = """
Upload a dataset of requests, run models over it, read and compare the results.

Every error has the body `{"error": {"code", "message", "details"}}` with a stable `code`.
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
    for routes in (datasets, models, benchmarks, results, health):
        app.include_router(routes.router)

    @app.get("/", include_in_schema=False)
    def root() -> RedirectResponse:  # pyright: ignore[reportUnusedFunction]
        return RedirectResponse("/docs")

    return app


def _operation_id(route: APIRoute) -> str:
    """Plain names in generated clients."""
    return route.name
