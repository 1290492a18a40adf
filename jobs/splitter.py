"""From a stream of bytes to whole lines."""

from collections.abc import Sequence

Pieces = Sequence[bytes | memoryview]


class LineSplitter:
    """Cuts a stream of bytes after newlines, holding at most ``limit + 1`` bytes of one line.

    A line longer than ``limit`` that comes in several pieces comes out as its first ``limit + 1``
    bytes, so that it can be reported; the rest of it is dropped unseen. Lines are kept back until
    they are ``least`` bytes together.
    """

    def __init__(self, limit: int, least: int = 1) -> None:
        self._limit = limit
        self._least = least
        self._whole: list[bytes | memoryview] = []
        self._size = 0
        self._line = bytearray()

    def feed(self, data: bytes) -> Pieces:
        """Lines that ``data`` and what came before it complete, each with its newline."""
        end = data.rfind(b"\n") + 1
        if end:
            first = data.find(b"\n")
            self._keep(data[:first])
            self._whole += self.end(), memoryview(data)[first:end]
            self._size += end
        self._keep(data[end:])
        return self.rest() if self._size >= self._least else ()

    def rest(self) -> Pieces:
        """The lines that were kept back."""
        lines, self._whole, self._size = self._whole, [], 0
        return lines

    def end(self) -> bytes:
        """What follows the last newline."""
        line = bytes(self._line)
        self._line.clear()
        return line

    def _keep(self, data: bytes) -> None:
        self._line += data[: self._limit + 1 - len(self._line)]
