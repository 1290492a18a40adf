"""In which order queued benchmarks are admitted: first in, first out, but for one courtesy.

People ask for several models over several datasets at once. Of those that were asked for within a
minute of the oldest, one with the model that was loaded last goes first: its weights are in the
page cache. Nobody is overtaken by what was asked for more than a minute later.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

_TOGETHER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queued benchmark."""

    benchmark_id: str
    model_id: str
    asked_at: datetime


def order(waiting: Iterable[Waiting], last_model: str | None) -> list[str]:
    """Ids in the order of admission, when ``last_model`` is the model admitted last."""
    left = sorted(waiting, key=lambda one: (one.asked_at, one.benchmark_id))
    ordered: list[str] = []
    while left:
        latest = left[0].asked_at + _TOGETHER
        same = (one for one in left if one.model_id == last_model and one.asked_at <= latest)
        chosen = next(same, left[0])
        left.remove(chosen)
        ordered.append(chosen.benchmark_id)
        last_model = chosen.model_id
    return ordered
