"""From a stream of bytes to lines."""


class LineSplitter:
    """Cuts a stream of bytes into lines, holding at most ``limit + 1`` bytes of one line.

    A line longer than ``limit`` comes out as its first ``limit + 1`` bytes, so that it can be
    reported; the rest of it is dropped unseen.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._line = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that ``data`` completes, without their newlines."""
        first, *others = data.split(b"\n")
        self._keep(first)
        if not others:
            return []
        lines = [self.end(), *others[:-1]]
        self._keep(others[-1])
        most = self._limit + 1
        return [line[:most] for line in lines] if len(data) > most else lines

    def end(self) -> bytes:
        """What follows the last newline."""
        line = bytes(self._line)
        self._line.clear()
        return line

    def _keep(self, data: bytes) -> None:
        self._line += data[: self._limit + 1 - len(self._line)]
