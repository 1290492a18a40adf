"""The Ray Serve application: what ``configs/serve.yaml`` deploys."""

from threading import Thread
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, PositiveInt
from ray import serve

from cluster import heap
from cluster.database import migrate
from cluster.logs import configure_logs
from cluster.settings import settings
from jobs import datasets, duplicates, registry, scanner, tracker, warmup
from serve_app.access.start import require_keys
from serve_app.app import create_app

# Requests are short reads, or uploads that wait on the network and run in threads.
_MAX_ONGOING_REQUESTS = 256


class Arguments(BaseModel):
    """``args`` of the application in the Serve config."""

    replicas: PositiveInt = 1


def application(args: Arguments) -> serve.Application:
    """Build the application; Serve calls this with ``args`` of the config."""
    deployment: Any = serve.deployment(
        name="api",
        num_replicas=args.replicas,
        max_ongoing_requests=_MAX_ONGOING_REQUESTS,
        # The API only waits; CPUs are for engines.
        ray_actor_options={"num_cpus": 0},
    )
    return deployment(serve.ingress(_start)()).bind()


def _compile() -> None:
    scanner.load()
    duplicates.load()


def _start() -> FastAPI:
    """Run in each replica when it starts."""
    configure_logs()
    migrate()
    require_keys("the network", keyless=settings().keyless)
    registry.load()
    datasets.sweep()
    tracker.handle()
    warmup.begin()
    Thread(target=_compile, daemon=True).start()
    app = create_app()
    heap.settle()
    return app
