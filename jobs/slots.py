"""Slots of an engine. Unlike a semaphore's, all that are free can be taken at once, so that what
comes before a request (a look at the disk, a line in the journal) is done once for all of them."""

import asyncio
from collections import deque


class Slots:
    """Of one event loop. Who has waited longest is served first, with all that are free."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._free = count
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self, most: int) -> int:
        """Wait until there is one, and take up to ``most``; how many were taken."""
        if not self._free or self._waiting:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                # Until it has ended, nobody else takes any: who comes now sees that it waits.
                await turn
            except asyncio.CancelledError:
                self._waiting.remove(turn)
                self._call_next()
                raise
            self._waiting.remove(turn)
        taken = min(self._free, most)
        self._free -= taken
        self._call_next()
        return taken

    async def take_all(self) -> None:
        """Wait until nobody has one, and take all. Two must not do this at once."""
        missing = self._count
        while missing:
            missing -= await self.take(missing)

    def give_back(self, count: int = 1) -> None:
        self._free += count
        self._call_next()

    def _call_next(self) -> None:
        if self._free and self._waiting and not self._waiting[0].done():
            self._waiting[0].set_result(None)
