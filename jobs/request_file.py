"""The requests of a dataset on storage: one Parquet file, normalized and in order.

Read by replicas as well, so nothing here needs the database.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cluster.storage import storage

SCHEMA = pa.schema(
    [
        ("row_id", pa.int64()),
        ("line", pa.int64()),
        ("custom_id", pa.string()),
        ("url", pa.string()),
        ("body", pa.string()),
        ("preview", pa.string()),
        ("model", pa.string()),
        ("extra", pa.string()),
    ]
)
# What never repeats is not worth a dictionary, and nobody asks for the smallest prompt. An upload
# waits for all this: LZ4 and these pages take half of the time of zstd and the old ones, and less
# to read. English prompts and code take half as much again on the disk, beside the original.
OPTIONS: dict[str, Any] = {
    "compression": "lz4",
    "data_page_version": "2.0",
    "use_dictionary": ["url", "model"],
    "write_statistics": ["row_id", "line", "custom_id"],
}
"""How it is written."""


def key(dataset_id: str) -> str:
    return f"datasets/{dataset_id}/requests.parquet"


def custom_ids(dataset_id: str) -> Iterator[str]:
    """The ids of all requests in their order; memory is flat."""
    file = pq.ParquetFile(storage().open(key(dataset_id)))
    for batch in file.iter_batches(columns=["custom_id"]):
        yield from batch.column(0).to_pylist()


def shown(dataset_id: str, row_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """What is shown of requests beside their results, ``preview`` and ``extra``, by row id."""
    return pick(dataset_id, row_ids, ["preview", "extra"])


def pick(dataset_id: str, row_ids: Iterable[int], columns: list[str]) -> dict[int, dict[str, Any]]:
    """Requests by row id, with ``columns`` of :data:`SCHEMA`; none when the dataset was deleted.

    Only the row groups that hold them are read: DuckDB took three times as long to find these.
    """
    wanted = np.array(sorted(set(row_ids)), np.int64)
    if not len(wanted):
        return {}
    try:
        stored = storage().open(key(dataset_id))
    except FileNotFoundError:
        return {}
    with stored, pq.ParquetFile(stored) as file:
        ends = np.cumsum([file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)])
        groups = np.unique(np.searchsorted(ends, wanted[wanted < ends[-1]], side="right"))
        table = file.read_row_groups(groups.tolist(), ["row_id", *columns])
    found = table.filter(pa.array(np.isin(table["row_id"].to_numpy(), wanted)))
    return {row["row_id"]: row for row in found.to_pylist()}


class Reader:
    """Random access to the requests of a dataset by row number. Threads may share one."""

    _KEPT_GROUPS = 4

    def __init__(self, dataset_id: str, columns: list[str] | None = None) -> None:
        self._columns = columns
        self._file = pq.ParquetFile(storage().open(key(dataset_id)))
        self._lock = Lock()
        self._groups: OrderedDict[int, list[dict[str, Any]]] = OrderedDict()
        self._starts = [0]
        for group in range(self._file.num_row_groups):
            self._starts.append(self._starts[-1] + self._file.metadata.row_group(group).num_rows)

    def rows(self, start: int, stop: int) -> Iterator[dict[str, Any]]:
        """Rows ``start`` to ``stop - 1`` as dictionaries of :data:`SCHEMA`'s fields, or of the
        columns that were asked for."""
        for group, (first, end) in enumerate(zip(self._starts, self._starts[1:], strict=False)):
            if first < stop and start < end:
                yield from self._read(group)[max(start - first, 0) : stop - first]

    def _read(self, group: int) -> list[dict[str, Any]]:
        with self._lock:
            if group not in self._groups:
                self._groups[group] = self._file.read_row_group(group, self._columns).to_pylist()
                if len(self._groups) > self._KEPT_GROUPS:
                    self._groups.popitem(last=False)
            self._groups.move_to_end(group)
            return self._groups[group]
