"""The service's side of the tracker."""

import ray
import structlog
from ray.exceptions import GetTimeoutError, RayError

from jobs import tracker
from jobs.tracking import Report

log = structlog.get_logger()

_WAIT_SECONDS = 5.0


def engines() -> list[Report]:
    """What each replica that is at work said last; none while the tracker does not answer, which
    ``/ready`` says."""
    try:
        return ray.get(tracker.handle().engines.remote(), timeout=_WAIT_SECONDS)
    except (RayError, GetTimeoutError) as error:
        log.warning("tracker does not answer; nothing is known of engines", error=str(error))
        return []


def wake() -> None:
    """Have the queue looked at now. Without it the tracker does so within a second anyway."""
    try:
        ray.get(tracker.handle().wake.remote(), timeout=_WAIT_SECONDS)
    except (RayError, GetTimeoutError) as error:
        log.warning("tracker does not answer; it will look at the queue later", error=str(error))
