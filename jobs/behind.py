"""Work that goes on behind the thread that orders it: one piece after the other, a few at most."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any, ParamSpec, Self

P = ParamSpec("P")

# What waits is held in memory.
_MOST_WAITING = 2


class Behind:
    """Threads for what releases the interpreter: compressing, hashing, writing.

    Used as a context manager; leaving the block drops what has not begun, and waits for what has.
    An error of a piece of work is raised by a later call of :meth:`do` or :meth:`wait`.
    """

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        """``threads`` may be shared: what one orders is done in its order all the same. Each
        thread keeps some megabytes of what it has freed, so not everyone has its own."""
        self._threads = threads
        self._waiting: deque[Future[Any]] = deque()
        self._last: Future[Any] | None = None
        self._left = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._left = True
        wait([ordered for ordered in self._waiting if not ordered.cancel()])

    def do(self, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Have ``work`` done after all that was ordered before; waits while much is waiting."""
        while len(self._waiting) >= _MOST_WAITING:
            self._waiting.popleft().result()
        before = self._last

        def in_order() -> None:
            # What was ordered before has a thread before, so that threads do not run out of this.
            if before is not None:
                wait([before])
            if not self._left:
                work(*args, **kwargs)

        self._last = self._threads.submit(in_order)
        self._waiting.append(self._last)

    def wait(self) -> None:
        """Wait until all is done."""
        while self._waiting:
            self._waiting.popleft().result()
