"""A server that only keeps what is uploaded: Starlette's own form parser, and a file.

python -m bench.keeper PORT FILE
"""

import shutil
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route


def main() -> None:
    port, kept = int(sys.argv[1]), Path(sys.argv[2])

    async def keep(request: Request) -> PlainTextResponse:
        async with request.form() as form:
            file = form["file"]
            assert isinstance(file, UploadFile)
            with kept.open("wb") as target:
                await run_in_threadpool(shutil.copyfileobj, file.file, target, 2**20)
        return PlainTextResponse("kept")

    async def up(_: Request) -> PlainTextResponse:
        return PlainTextResponse("up")

    routes = [Route("/", keep, methods=["POST"]), Route("/", up)]
    uvicorn.run(Starlette(routes=routes), port=port, log_level="error")


if __name__ == "__main__":
    main()
