"""Progress of one benchmark: from counts of its chunks to throughput and ETA. Pure arithmetic."""

from collections import deque
from dataclasses import dataclass

from jobs.schemas import Tally

# Long enough to hold several requests of a slow engine, short enough to follow a change.
WINDOW_SECONDS = 30.0
# A first guess for a model that was never loaded here: small models on CPU took 30 to 40 s.
DEFAULT_LOAD_SECONDS = 45.0


@dataclass(frozen=True, slots=True)
class Prior:
    """What the last benchmark of the same model showed."""

    load_seconds: float = DEFAULT_LOAD_SECONDS
    seconds_per_request: float = 0.0


class Progress:
    """Folds absolute tallies; times are a monotonic clock's seconds."""

    def __init__(self, total: int, now: float, prior: Prior | None = None) -> None:
        self.total = total
        self.load_seconds: float | None = None
        self._prior = prior or Prior()
        self._began = now
        self._base = Tally()
        self._in_base: set[int] = set()
        self._chunks: dict[int, Tally] = {}
        self._samples: deque[tuple[float, Tally]] = deque()

    @property
    def loaded(self) -> bool:
        return self.load_seconds is not None

    @property
    def counts(self) -> Tally:
        """Counts over all chunks."""
        return sum(self._chunks.values(), self._base)

    def recover(self, done: Tally, chunks: set[int]) -> None:
        """Start from ``done``: what the parts of ``chunks`` hold already."""
        self._base = done
        self._in_base = set(chunks)

    def fold(self, chunks: dict[int, Tally], load_seconds: float) -> None:
        """Take a replica's report. Tallies are absolute, so a repeated report changes nothing."""
        self.load_seconds = max(self.load_seconds or 0.0, load_seconds)
        for index, tally in chunks.items():
            # A smaller tally is an older report.
            newer = tally.finished >= self._chunks.get(index, Tally()).finished
            if newer and index not in self._in_base:
                self._chunks[index] = tally

    def sample(self, now: float) -> None:
        """Note the counts of this moment; call about once a second once loaded."""
        self._samples.append((now, self.counts))
        while len(self._samples) > 2 and now - self._samples[1][0] > WINDOW_SECONDS:
            self._samples.popleft()

    @property
    def output_rate(self) -> float:
        """Output tokens per second over the window."""
        return self._rate(lambda tally: tally.output_tokens)

    @property
    def total_rate(self) -> float:
        """Prompt and output tokens per second over the window."""
        return self._rate(lambda tally: tally.output_tokens + tally.prompt_tokens)

    def eta(self, now: float) -> float:
        """Seconds until the last request is finished, loading included."""
        remaining = self.total - self.counts.finished
        rate = self._rate(lambda tally: tally.finished)
        if rate > 0:
            return remaining / rate
        load = 0.0 if self.loaded else max(self._prior.load_seconds - (now - self._began), 0.0)
        return load + remaining * self._prior.seconds_per_request

    def _rate(self, count) -> float:  # pyright: ignore
        if len(self._samples) < 2:
            return 0.0
        (start, before), (end, after) = self._samples[0], self._samples[-1]
        return (count(after) - count(before)) / (end - start) if end > start else 0.0
