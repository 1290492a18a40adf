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
    """A thread for what releases the interpreter: compressing, hashing, writing.

    Used as a context manager; leaving the block drops what has not begun, and waits for what has.
    An error of a piece of work is raised by a later call of :meth:`do` or :meth:`wait`.
    """

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        """``thread`` is an executor that has one, so that all is done in its order. Several may
        share it: a thread keeps some megabytes of what Arrow has freed in it."""
        self._thread = thread
        self._waiting: deque[Future[Any]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        wait([ordered for ordered in self._waiting if not ordered.cancel()])

    def do(self, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Have ``work`` done after all that was ordered before; waits while much is waiting."""
        while len(self._waiting) >= _MOST_WAITING:
            self._waiting.popleft().result()
        self._waiting.append(self._thread.submit(work, *args, **kwargs))

    def wait(self) -> None:
        """Wait until all is done."""
        while self._waiting:
            self._waiting.popleft().result()
