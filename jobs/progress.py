"""Progress of one benchmark: from counts of its chunks to throughput, and to what
:mod:`jobs.forecast` makes its end of. Pure arithmetic."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from jobs import forecast
from jobs.forecast import Estimate, Past
from jobs.schemas.progress import EngineLoad, Tally

# Long enough to hold several requests of a slow engine, short enough to follow a change.
WINDOW_SECONDS = 30.0
# A first guess for a model that was never loaded here: small models on CPU took 30 to 40 s.
FIRST_LOAD = Past(45.0, forecast.LOAD_SPREAD)
# Enough for every stretch of a benchmark of any length.
_MOST_SAMPLES = 1024

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Prior:
    """What the last benchmarks of the same model showed."""

    load: Past = FIRST_LOAD
    request: Past | None = None
    """Of all the time that requests took, a request's share; none if the model never ran."""
    stretch: float = 1.0
    """Of the band, by what it was off: see :func:`jobs.forecast.stretch`."""

    @classmethod
    def learned(
        cls, loads: Sequence[float], requests: Sequence[float], stretches: Sequence[float]
    ) -> "Prior":
        """From what each of them took, seconds, and by what its bands were off. There is at least
        one load."""
        return cls(
            forecast.learn(loads, forecast.LOAD_SPREAD),
            forecast.learn(requests, forecast.PRIOR_SPREAD) if requests else None,
            forecast.learn_stretch(stretches),
        )


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
        self._engines: dict[str, EngineLoad] = {}
        self._generated = Tally()
        self._samples: list[tuple[float, Tally]] = []
        self._looks: list[tuple[float, Estimate]] = []

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

    def fold(
        self,
        chunks: dict[int, Tally],
        load_seconds: float,
        replica: str = "",
        engine: EngineLoad | None = None,
    ) -> None:
        """Take a replica's report. Its figures are absolute, so that to repeat it changes
        nothing."""
        self.load_seconds = max(self.load_seconds or 0.0, load_seconds)
        for index, tally in chunks.items():
            # A smaller tally is an older report.
            newer = tally.finished >= self._chunks.get(index, Tally()).finished
            if newer and index not in self._in_base:
                self._chunks[index] = tally
        self._counts = None
        if engine is not None:
            # What it did before its first report is not known to have been in this time.
            before = self._engines.get(replica, engine)
            self._generated += Tally(
                prompt_tokens=max(engine.prompt_tokens - before.prompt_tokens, 0),
                output_tokens=max(engine.output_tokens - before.output_tokens, 0),
            )
            self._engines[replica] = engine

    def sample(self, now: float) -> None:
        """Note the counts of this moment; call about once a second once loaded."""
        if not self._samples or now > self._samples[-1][0]:
            _append(self._samples, (now, self._seen()))

    def _seen(self) -> Tally:
        """The counts; with what engines have generated, where they tell: requests that take
        minutes would else count when they are finished, and all at once."""
        if not self._engines:
            return self.counts
        tokens = {
            "prompt_tokens": self._generated.prompt_tokens,
            "output_tokens": self._generated.output_tokens,
        }
        return self.counts.model_copy(update=tokens)

    @property
    def output_rate(self) -> float:
        """Output tokens per second over the window."""
        return self._rate(lambda tally: tally.output_tokens)

    @property
    def total_rate(self) -> float:
        """Prompt and output tokens per second over the window."""
        return self._rate(lambda tally: tally.output_tokens + tally.prompt_tokens)

    def eta(self, now: float) -> Estimate:
        """Until the last request is finished, loading included. It is remembered what was said."""
        found = self._eta(now)
        _append(self._looks, (now, found))
        return found.stretched(self._prior.stretch)

    def stretch(self, end: float) -> float | None:
        """By what factor the bands were off, now that the ``end`` is known; none if there were
        none."""
        return forecast.stretch(self._looks, end)

    def _eta(self, now: float) -> Estimate:
        if self.counts.finished >= self.total:
            return Estimate(0.0, 0.0, 0.0)
        samples = [(at, counts.finished) for at, counts in self._samples]
        began, finished_before = samples[0] if samples else (now, self.counts.finished)
        request = self._prior.request
        generation = request and request.times(self.total - finished_before)
        seen = forecast.forecast(samples, self.total, self._slots, generation)
        if seen is not None:
            return seen
        load = forecast.NOTHING if self.loaded else self._prior.load.left(now - self._began)
        # What has been generated so far has given no result yet, but took its time.
        return forecast.guess(load, generation and generation.left(now - began))

    def _rate(self, count: Callable[[Tally], int]) -> float:
        if len(self._samples) < 2:
            return 0.0
        end, after = self._samples[-1]
        start, before = next(one for one in self._samples if end - one[0] <= WINDOW_SECONDS)
        if start == end:  # the last samples are further apart
            start, before = self._samples[-2]
        return (count(after) - count(before)) / (end - start)


def _append(to: list[T], what: T) -> None:
    """In bounded memory: coarser where it is long ago enough to be only a part of an average."""
    to.append(what)
    if len(to) > _MOST_SAMPLES:
        to[: _MOST_SAMPLES // 2] = to[: _MOST_SAMPLES // 2 : 2]
