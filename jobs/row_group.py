"""Row groups of a dataset's requests in the making."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from jobs.lines import Accepted
from jobs.request_file import SCHEMA

# A row group is what a replica reads at once: large enough to compress and to keep the footer
# small at a million rows, small enough that one in memory does not matter.
_GROUP_ROWS = 1024
_GROUP_BYTES = 16 * 2**20

LINES = SCHEMA.remove(SCHEMA.get_field_index("row_id"))
"""The columns of requests whose row is not known yet."""


class RowGroups:
    """Requests as they come, as tables of :data:`LINES`; cut into groups, with their rows."""

    def __init__(self) -> None:
        self._held = LINES.empty_table()
        self._row = 0

    def add(self, requests: pa.Table) -> Iterator[pa.Table]:
        """The groups that are full now, as tables of :data:`SCHEMA`."""
        self._held = pa.concat_tables([self._held, requests])
        while len(self._held) >= _GROUP_ROWS or self._held.nbytes >= _GROUP_BYTES:
            yield self._group()

    def rest(self) -> Iterator[pa.Table]:
        """The last group, if there is one."""
        while len(self._held):
            yield self._group()

    def _group(self) -> pa.Table:
        group = self._held.slice(0, _GROUP_ROWS)
        self._held = self._held.slice(_GROUP_ROWS)
        rows = np.arange(self._row, self._row + len(group))
        self._row += len(group)
        return group.add_column(0, SCHEMA.field("row_id"), pa.array(rows))


def table(numbers: list[int], requests: list[Accepted]) -> pa.Table:
    """Requests, at least one, with the numbers of their lines."""
    return pa.table([numbers, *zip(*requests, strict=True)], schema=LINES)
