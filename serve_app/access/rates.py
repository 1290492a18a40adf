"""How many calls a key may make: a token bucket each, in every replica of the API."""

import time
from collections.abc import Callable

from cluster.settings import settings
from serve_app.access.keys import Caller

# A page that opens asks for a dozen things at once, one that is scrolled for one after the other.
_BURST_SECONDS = 4.0


class Bucket:
    """Holds ``size`` tokens at most and gains ``rate`` of them a second."""

    def __init__(self, rate: float, size: float, now: float) -> None:
        self._rate = rate
        self._size = size
        self._tokens = size
        self._at = now

    def take(self, now: float) -> float:
        """Take a token. Returns 0, or in how many seconds there is one, and takes none."""
        self._tokens = min(self._size, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return (1 - self._tokens) / self._rate
        self._tokens -= 1
        return 0.0


class Rates:
    """The buckets of the keys that have called."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}

    def wait(self, caller: Caller) -> float:
        """Seconds that the caller has to wait; 0: go on."""
        now = self._clock()
        bucket = self._buckets.get(caller.key_id)
        if bucket is None:
            rate = caller.requests_per_second or settings().requests_per_second
            bucket = Bucket(rate, max(1.0, rate * _BURST_SECONDS), now)
            self._buckets[caller.key_id] = bucket
        return bucket.take(now)
