"""Work that goes on behind the thread that orders it: one piece after the other, a few at most."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Semaphore
from types import TracebackType
from typing import Any, ParamSpec, Self

P = ParamSpec("P")

# What waits is held in memory: of one, and of all that share a limit.
_MOST_WAITING = 2
_MOST_TOGETHER = 6


def limit() -> Semaphore:
    """What some share, so that many of them at once do not hold much in memory."""
    return Semaphore(_MOST_TOGETHER)


class Behind:
    """A thread for what releases the interpreter: compressing, hashing, writing.

    Used as a context manager; leaving the block drops what has not begun, and waits for what has.
    An error of a piece of work is raised by a later call of :meth:`do` or :meth:`wait`.
    """

    def __init__(self, together: Semaphore) -> None:
        """``together`` limits what waits or is under way of all that have it. Work may order work
        behind another thread, but only of another limit, or each could wait for the other."""
        self._together = together
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="behind")
        self._waiting: deque[Future[Any]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._thread.shutdown(cancel_futures=True)

    def do(self, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Have ``work`` done after all that was ordered before; waits while much is waiting."""
        while len(self._waiting) >= _MOST_WAITING:
            self._waiting.popleft().result()
        self._together.acquire()
        try:
            ordered = self._thread.submit(work, *args, **kwargs)
        except RuntimeError:  # it has ended
            self._together.release()
            raise
        # Also when it is dropped.
        ordered.add_done_callback(lambda _: self._together.release())
        self._waiting.append(ordered)

    def wait(self) -> None:
        """Wait until all is done."""
        while self._waiting:
            self._waiting.popleft().result()
