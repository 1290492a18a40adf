"""A row group of a dataset's requests in the making."""

import pyarrow as pa

from jobs.lines import Accepted
from jobs.request_file import SCHEMA

# A row group is what a replica reads at once: large enough to compress and to keep the footer
# small at a million rows, small enough that one in memory does not matter.
_GROUP_ROWS = 1024
_GROUP_BYTES = 16 * 2**20


class RowGroup:
    """Rows as they come; turned into columns all at once, which is faster than one by one."""

    def __init__(self) -> None:
        self._bytes = 0
        self._lines: list[int] = []
        self._requests: list[Accepted] = []

    def add(self, line: int, request: Accepted, size: int) -> bool:
        """Returns whether the group is full."""
        self._lines.append(line)
        self._requests.append(request)
        self._bytes += size
        return len(self._lines) >= _GROUP_ROWS or self._bytes >= _GROUP_BYTES

    def __len__(self) -> int:
        return len(self._lines)

    def table(self, first: int) -> pa.Table:
        """Its rows, at least one, the first of which is row ``first`` of the dataset."""
        row_ids = range(first, first + len(self))
        requests = zip(*self._requests, strict=True)
        return pa.table([row_ids, self._lines, *requests], schema=SCHEMA)
