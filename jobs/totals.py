"""What the parts of a benchmark say as a whole: the truth about it, whatever was counted before."""

from functools import partial

import numpy as np
import pyarrow as pa

from cluster.storage import storage
from jobs import parts
from jobs.schemas.progress import Tally


class Totals(Tally):
    """Counts of all parts."""

    generation_seconds: float = 0.0
    """Time in which at least one request was at an engine: from the first hand-over to the last
    result, less pauses (a job restarted, failed requests asked again the next day)."""


def count(benchmark_id: str) -> Totals:
    """Count the results in the parts, one part after the other: it is the tracker that asks, whose
    memory is not to grow with the number of requests."""
    counts = Totals()
    spans = _Spans()
    columns = ["status_code", "prompt_tokens", "output_tokens", "finished_at", "latency_ms"]
    reading = partial(parts.read, benchmark_id, columns=columns)
    for table in storage().each(reading, sorted(parts.done(benchmark_id))):
        status = table["status_code"].to_numpy()
        completed = int(((status >= 200) & (status < 300)).sum())
        counts.completed += completed
        counts.failed += len(table) - completed
        for name in ("prompt_tokens", "output_tokens"):
            tokens = int(np.nansum(table[name].to_numpy()))
            setattr(counts, name, getattr(counts, name) + tokens)
        stops = table["finished_at"].cast(pa.int64()).to_numpy() / 1e6
        spans.add(stops - np.nan_to_num(table["latency_ms"].to_numpy()) / 1000, stops)
    counts.generation_seconds = spans.seconds()
    return counts


class _Spans:
    """A union of spans of time."""

    def __init__(self) -> None:
        self._starts = np.empty(0)
        self._stops = np.empty(0)

    def add(self, starts: np.ndarray, stops: np.ndarray) -> None:
        starts = np.concatenate([self._starts, starts])
        stops = np.concatenate([self._stops, stops])
        order = np.argsort(starts)
        starts, until = starts[order], np.maximum.accumulate(stops[order])
        begins = np.append(True, starts[1:] > until[:-1])
        self._starts, self._stops = starts[begins], until[np.append(begins[1:], True)]

    def seconds(self) -> float:
        return float((self._stops - self._starts).sum())
