"""Is the process alive, and can the service do its work?"""

from typing import Literal

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from serve_app import metrics, readiness
from serve_app.readiness import Readiness

router = APIRouter(tags=["health"])


class Health(BaseModel):
    status: Literal["ok"]


@router.get("/health", summary="Liveness")
def health() -> Health:
    """The process answers. It needs no key, and says nothing else."""
    return Health(status="ok")


@router.get("/ready", summary="Readiness", responses={503: {"model": Readiness}})
def ready(response: Response) -> Readiness:
    """Database, storage, tracker and Ray answer; 503 when one does not, saying which and why."""
    checks = readiness.checks()
    all_well = all(check.ok for check in checks.values())
    response.status_code = 200 if all_well else 503
    return Readiness(ready=all_well, checks=checks)


@router.get("/metrics", summary="Prometheus metrics", response_class=PlainTextResponse)
def get_metrics() -> Response:
    """Calls, rows, tokens, queue, live benchmarks, parts of the service and disk, in Prometheus's
    text format. Needs scope `read`."""
    return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)
