"""A row group of a dataset's requests in the making."""

import pyarrow as pa

from jobs.lines import Accepted
from jobs.request_file import SCHEMA

# A row group is what a replica reads at once: large enough to compress and to keep the footer
# small at a million rows, small enough that one in memory does not matter.
_GROUP_ROWS = 1024
_GROUP_BYTES = 16 * 2**20


class RowGroup:
    """Rows by columns: rows as objects would cost the garbage collector more than the reading."""

    def __init__(self) -> None:
        self._bytes = 0
        self.lines: list[int] = []
        self.urls: list[str] = []
        self.models: list[str | None] = []
        self._custom_ids: list[str] = []
        self._bodies: list[str] = []
        self._previews: list[str] = []
        self._extras: list[str | None] = []

    def add(self, line: int, request: Accepted, size: int) -> None:
        custom_id, url, body, preview, model, extra = request
        self.lines.append(line)
        self._custom_ids.append(custom_id)
        self.urls.append(url)
        self._bodies.append(body)
        self._previews.append(preview)
        self.models.append(model)
        self._extras.append(extra)
        self._bytes += size

    def is_full(self) -> bool:
        return len(self.lines) >= _GROUP_ROWS or self._bytes >= _GROUP_BYTES

    def table(self, first: int) -> pa.Table:
        """Its rows, the first of which is row ``first`` of the dataset."""
        row_ids = range(first, first + len(self.lines))
        columns = [row_ids, self.lines, self._custom_ids, self.urls]
        columns += [self._bodies, self._previews, self.models, self._extras]
        return pa.table(columns, schema=SCHEMA)
