"""Progress of one benchmark: from counts of its chunks to throughput, and to what
:mod:`jobs.forecast` makes its end of. Pure arithmetic."""

from collections.abc import Callable
from dataclasses import dataclass

from jobs import forecast
from jobs.forecast import Estimate, Past
from jobs.schemas.progress import Tally

# Long enough to hold several requests of a slow engine, short enough to follow a change.
WINDOW_SECONDS = 30.0
# A first guess for a model that was never loaded here: small models on CPU took 30 to 40 s.
FIRST_LOAD = Past(45.0, forecast.LOAD_SPREAD)
# Enough for every stretch of a benchmark of any length.
_MOST_SAMPLES = 1024


@dataclass(frozen=True, slots=True)
class Prior:
    """What the last benchmarks of the same model showed."""

    load: Past = FIRST_LOAD
    request: Past | None = None
    """Of all the time that requests took, a request's share; none if the model never ran."""


class Progress:
    """Folds absolute tallies; times are a monotonic clock's seconds."""

    def __init__(self, total: int, now: float, prior: Prior | None = None, slots: int = 1) -> None:
        """``slots``: requests that all engines work on at once."""
        self.total = total
        self._slots = slots
        self.load_seconds: float | None = None
        self._prior = prior or Prior()
        self._began = now
        self._base = Tally()
        self._in_base: set[int] = set()
        self._chunks: dict[int, Tally] = {}
        self._counts: Tally | None = None
        self._samples: list[tuple[float, Tally]] = []

    @property
    def loaded(self) -> bool:
        return self.load_seconds is not None

    @property
    def counts(self) -> Tally:
        """Counts over all chunks."""
        if self._counts is None:
            self._counts = sum(self._chunks.values(), self._base)
        return self._counts

    def recover(self, done: Tally, chunks: set[int]) -> None:
        """Start from ``done``: what the parts of ``chunks`` hold already."""
        self._base = done
        self._in_base = set(chunks)
        self._counts = None

    def fold(self, chunks: dict[int, Tally], load_seconds: float) -> None:
        """Take a replica's report. Tallies are absolute, so a repeated report changes nothing."""
        self.load_seconds = max(self.load_seconds or 0.0, load_seconds)
        for index, tally in chunks.items():
            # A smaller tally is an older report.
            newer = tally.finished >= self._chunks.get(index, Tally()).finished
            if newer and index not in self._in_base:
                self._chunks[index] = tally
        self._counts = None

    def sample(self, now: float) -> None:
        """Note the counts of this moment; call about once a second once loaded."""
        if not self._samples or now > self._samples[-1][0]:
            self._samples.append((now, self.counts))
        if len(self._samples) > _MOST_SAMPLES:
            # Coarser where it is long ago enough to be only a part of an average.
            self._samples[: _MOST_SAMPLES // 2] = self._samples[: _MOST_SAMPLES // 2 : 2]

    @property
    def output_rate(self) -> float:
        """Output tokens per second over the window."""
        return self._rate(lambda tally: tally.output_tokens)

    @property
    def total_rate(self) -> float:
        """Prompt and output tokens per second over the window."""
        return self._rate(lambda tally: tally.output_tokens + tally.prompt_tokens)

    def eta(self, now: float) -> Estimate:
        """Until the last request is finished, loading included."""
        if self.counts.finished >= self.total:
            return Estimate(0.0, 0.0, 0.0)
        samples = [(at, counts.finished) for at, counts in self._samples]
        began, finished_before = samples[0] if samples else (now, self.counts.finished)
        request = self._prior.request
        generation = request and request.times(self.total - finished_before)
        seen = forecast.forecast(samples, self.total, self._slots, generation)
        if seen is not None:
            return seen
        load = self._prior.load
        passed = load.seconds if self.loaded else now - self._began
        # What has been generated so far has given no result yet, but took its time.
        return forecast.guess(load.less(passed), generation and generation.less(now - began))

    def _rate(self, count: Callable[[Tally], int]) -> float:
        if len(self._samples) < 2:
            return 0.0
        end, after = self._samples[-1]
        start, before = next(one for one in self._samples if end - one[0] <= WINDOW_SECONDS)
        if start == end:  # the last samples are further apart
            start, before = self._samples[-2]
        return (count(after) - count(before)) / (end - start)
