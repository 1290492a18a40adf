"""Work on behalf of readers that takes longer than they should wait for: one at a time, each once.

A reader waits a moment; if it is not done then, it is told how far it is and asks again. What a
build makes lies on storage, so nothing is lost when the process ends, but the work until then.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from jobs.errors import NotReady

Report = Callable[[float], None]
"""Takes the share that is done, 0 to 1."""


class _Build:
    def __init__(self, build: Callable[[Report], None]) -> None:
        self.share = 0.0
        self.future: Future[None] = _thread.submit(build, self._report)

    def _report(self, share: float) -> None:
        self.share = share


_lock = threading.Lock()
_running: dict[str, _Build] = {}
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="build")


def ensure(key: str, build: Callable[[Report], None], patience: float | None) -> None:
    """Return when the ``build`` of ``key`` is done; who asks meanwhile waits for the same one.

    ``patience`` is the time to wait for it in seconds, without end if None.

    Raises:
        NotReady: it goes on; ask again.
        Exception: what ``build`` raised. The next to ask has it tried again.
    """
    started = False
    with _lock:
        running = _running.get(key)
        if running is None:
            running = _running[key] = _Build(build)
            started = True
    if started:
        # Not under the lock, which it takes itself: of a build that is done already it runs here.
        running.future.add_done_callback(lambda _: _forget(key))
    try:
        running.future.result(patience)
    except TimeoutError:
        if running.future.done():
            raise
        raise NotReady(
            "not_ready",
            f"This takes a while to prepare: {running.share:.0%} is done. Ask again in a few "
            "seconds.",
            progress=round(running.share, 3),
        ) from None


def _forget(key: str) -> None:
    with _lock:
        _running.pop(key, None)
