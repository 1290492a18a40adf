"""The OpenAI API: files, batches and models as OpenAI's own clients speak of them."""

from fastapi import FastAPI

from serve_app.openai import batches, files, models
from serve_app.openai.request_ids import RequestIds


def install(app: FastAPI) -> None:
    for routes in (files, batches, models):
        app.include_router(routes.router)
    app.add_middleware(RequestIds)
