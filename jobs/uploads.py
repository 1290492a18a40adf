"""A dataset on its way in: one validating pass over the bytes of an upload."""

import hashlib
import shutil
import sys
import tempfile
import unicodedata
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from cluster import space
from cluster.aside import thread_steps_aside
from cluster.database import session
from cluster.settings import settings
from cluster.storage import storage
from jobs import datasets, request_file
from jobs.behind import Behind
from jobs.datasets import file_id, original_key
from jobs.duplicates import CustomIds
from jobs.errors import InvalidDataset, TooLarge
from jobs.lines import HOPELESS, Accepted, BadLine, judge
from jobs.models import DatasetRow, FileRow
from jobs.request_file import OPTIONS, SCHEMA
from jobs.row_group import LINES, RowGroups, table
from jobs.scanner import scan
from jobs.schemas.datasets import Dataset, Kind
from jobs.schemas.openai import Purpose
from jobs.schemas.requests import LineError
from jobs.splitter import LineSplitter, Pieces

# Of all uploads of a process, which hold less memory so. Originals are kept by a thread of each
# upload's own: that may wait for an object store. What is read waits for the reader, and other
# calls for the event loop; writing and hashing give way to both.
_READER = ThreadPoolExecutor(1, "reader")
_WRITER = ThreadPoolExecutor(1, "writer", initializer=thread_steps_aside)

_MAX_MODELS = 20
_MAX_MODEL_NAME = 200
# Of lines that are read at once, at least; a piece of an upload is twice as much.
_BLOCK_BYTES = 2**19
# How much is written between two looks at the free space.
_SPACE_BYTES = 16 * 2**20


class Upload:
    """A dataset on its way in: :meth:`feed` it bytes, then :meth:`finish` it.

    Used as a context manager; leaving the block without having finished removes every trace.
    Memory is bounded by a few row groups and one line, whatever the size of the file.
    """

    def __init__(
        self,
        name: str,
        *,
        kind: Kind = Kind.ORDINARY,
        max_bytes: int | None = None,
        bare: bool = True,
    ) -> None:
        """``max_bytes`` limits the file below the setting; ``bare`` as of :func:`judge`."""
        self.kind = kind
        self.dataset_id = f"ds_{uuid.uuid4().hex[:12]}"
        self.name = clean_name(name)
        self._max_bytes = min(max_bytes or sys.maxsize, settings().max_upload_bytes)
        self._bare = bare
        self._splitter = LineSplitter(settings().max_line_bytes, _BLOCK_BYTES)
        self._size = 0
        self._line = 0
        self._count = 0
        self._digest = hashlib.sha256()
        self._endpoints: set[str] = set()
        self._models: set[str] = set()
        self._errors: list[LineError] = []
        self._total_errors = 0
        self._groups = RowGroups()
        self._finished = False

    @property
    def size(self) -> int:
        """Bytes taken so far."""
        return self._size

    def __enter__(self) -> Self:
        self._require_space()
        with ExitStack() as stack:
            stack.callback(self._remove_unfinished)
            self._original = stack.enter_context(storage().write(original_key(self.dataset_id)))
            # The Parquet file stays local until its custom_ids are known to be unique.
            folder = stack.enter_context(tempfile.TemporaryDirectory(dir=self._scratch()))
            self._parquet = Path(folder) / "requests.parquet"
            self._custom_ids = stack.enter_context(closing(CustomIds(Path(folder))))
            self._writer = pq.ParquetWriter(self._parquet, SCHEMA, **OPTIONS)
            stack.callback(self._writer.close)
            keeper = stack.enter_context(
                ThreadPoolExecutor(1, "keeper", initializer=thread_steps_aside)
            )
            self._kept = stack.enter_context(Behind(keeper))
            self._written = stack.enter_context(Behind(_WRITER))
            self._read = stack.enter_context(Behind(_READER))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        if error is None and not self._finished:
            error = RuntimeError("upload left unfinished")
            kind = RuntimeError
        return self._stack.__exit__(kind, error, traceback)

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the file, in pieces of any size.

        Raises:
            TooLarge: when the file exceeds the limit on uploads.
            InvalidDataset: when it is not text at all, so that reading on is of no use.
            StorageFull: there is no room for more.
        """
        before = self._size
        self._size += len(data)
        if self._size > self._max_bytes:
            limit = self._max_bytes
            raise TooLarge("upload_too_large", f"The file is larger than {limit:,} bytes.")
        if before // _SPACE_BYTES != self._size // _SPACE_BYTES:
            self._require_space()
        self._kept.do(self._keep, data)
        if lines := self._splitter.feed(data):
            self._read.do(self._take, lines)

    def finish(self) -> Dataset:
        """Store the dataset.

        Raises:
            InvalidDataset: when any line breaks the format; ``details`` hold the first errors.
        """
        self._end()
        if self._total_errors:
            raise self._rejected()
        if self._count == 0:
            raise InvalidDataset("empty_dataset", f"{self.name!r} contains no request.")
        dataset = self._dataset_row()
        self._store(dataset, self._file_row(dataset.id, None))
        return datasets.record(dataset)

    def finish_file(self, life: timedelta | None) -> FileRow:
        """Store the file whatever is in it, as OpenAI does: a batch of it says what is wrong.

        Where no line is, it is a dataset as well.
        """
        self._end()
        if self._total_errors or self._count == 0:
            file = self._file_row(None, life)
            file.errors = [error.model_dump() for error in self._errors]
            self._store(file)
            return file
        dataset = self._dataset_row()
        file = self._file_row(dataset.id, life)
        self._store(dataset, file)
        return file

    def _end(self) -> None:
        self._read.do(self._take, self._splitter.rest())
        self._read.wait()
        self._add(LINES.empty_table(), [(self._line + 1, self._splitter.end())], cut=True)
        self._written.do(self._write, self._groups.rest())
        self._written.wait()
        self._kept.wait()
        self._writer.close()
        pa.default_memory_pool().release_unused()
        if self._count > 0:
            self._note(self._custom_ids.repeated(self._parquet, settings().max_reported_errors))

    def _store(self, *rows: DatasetRow | FileRow) -> None:
        with (
            self._parquet.open("rb") as parquet,
            storage().write(request_file.key(self.dataset_id)) as target,
        ):
            shutil.copyfileobj(parquet, target, 2**20)
        self._finished = True
        try:
            self._stack.close()
        except Exception:  # the original could not be stored
            storage().delete(f"datasets/{self.dataset_id}")
            raise
        self._insert(rows)

    def _dataset_row(self) -> DatasetRow:
        return DatasetRow(
            id=self.dataset_id,
            name=self.name,
            file_path=original_key(self.dataset_id),
            count=self._count,
            uploaded_at=datetime.now(UTC),
            size_bytes=self._size,
            sha256=self._digest.hexdigest(),
            endpoints=sorted(self._endpoints),
            models=sorted(self._models),
            kind=self.kind,
        )

    def _file_row(self, dataset_id: str | None, life: timedelta | None) -> FileRow:
        now = datetime.now(UTC)
        return FileRow(
            id=file_id(self.dataset_id),
            purpose=Purpose.BATCH.value,
            filename=self.name,
            bytes=self._size,
            created_at=now,
            expires_at=now + life if life else None,
            key=original_key(self.dataset_id),
            dataset_id=dataset_id,
        )

    def _insert(self, rows: tuple[DatasetRow | FileRow, ...]) -> None:
        try:
            with session() as sql:
                sql.add_all(rows)
        except Exception as error:
            # The answer to a commit can get lost, and then the row is there after all. Where even
            # that cannot be found out, the files stay until a sweep.
            if space.is_full(error) or not self._is_inserted():
                storage().delete(f"datasets/{self.dataset_id}")
            raise

    def _is_inserted(self) -> bool:
        with session() as sql:
            return sql.get(FileRow, file_id(self.dataset_id)) is not None

    def _keep(self, data: bytes) -> None:
        self._original.write(data)
        self._digest.update(data)

    def _take(self, lines: Pieces) -> None:
        requests, others = scan(lines, self._line + 1, settings().max_line_bytes)
        self._line += len(requests) + len(others)
        self._add(requests, others)

    def _add(
        self, requests: pa.Table, others: list[tuple[int, bytes]], *, cut: bool = False
    ) -> None:
        """Requests, and lines that have to be looked at closely, between which they were."""
        numbers: list[int] = []
        judged: list[Accepted] = []
        for number, line in others:
            if request := self._judge(number, line, cut):
                numbers.append(number)
                judged.append(request)
        if judged:
            late = table(numbers, judged)
            requests = pa.concat_tables([requests, late]).sort_by("line") if requests else late
        self._count += len(requests)
        self._endpoints.update(requests["url"].unique().to_pylist())
        self._name_models(set(requests["model"].unique().to_pylist()))
        self._written.do(self._write, list(self._groups.add(requests)))

    def _write(self, groups: Iterable[pa.Table]) -> None:
        for group in groups:
            self._writer.write_table(group)
            self._custom_ids.add(group["custom_id"])

    def _judge(self, number: int, line: bytes, cut: bool) -> Accepted | None:
        try:
            return judge(line, number, settings().max_line_bytes, cut=cut, bare=self._bare)
        except BadLine as bad:
            self._note((len(bad.problems), bad.errors(number, line)))
            # A batch's file is taken whatever is in it.
            if bad.problems[0][0] == HOPELESS and self._bare:
                raise self._rejected() from None
            return None

    def _name_models(self, names: set[str | None]) -> None:
        for name in sorted(name for name in names - self._models if name):
            if len(name) <= _MAX_MODEL_NAME and len(self._models) < _MAX_MODELS:
                self._models.add(name)

    def _note(self, found: tuple[int, list[LineError]]) -> None:
        count, errors = found
        self._total_errors += count
        most = settings().max_reported_errors
        self._errors = sorted([*self._errors, *errors], key=lambda error: error.line)[:most]

    def _rejected(self) -> InvalidDataset:
        first = self._errors[0]
        count = self._total_errors
        listed = (
            "" if count == len(self._errors) else f" (the first {len(self._errors)} are listed)"
        )
        return InvalidDataset(
            "invalid_dataset",
            f"{self.name!r} was not stored: {count:,} error{'s' * (count != 1)}{listed}. "
            f"Line {first.line}: {first.message}",
            errors=[error.model_dump() for error in self._errors],
            total_errors=count,
        )

    def _remove_unfinished(self) -> None:
        if not self._finished:
            storage().delete(f"datasets/{self.dataset_id}")

    def _require_space(self) -> None:
        storage().require()
        space.require(settings().data_folder)

    @staticmethod
    def _scratch() -> Path:
        folder = settings().data_folder / "scratch"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def clean_name(name: str) -> str:
    """A file name fit to be shown and offered for download: no folders, no control characters."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(c for c in base if unicodedata.category(c)[0] != "C").strip(" .")
    return printable[:200] or "dataset.jsonl"


def store(path: Path) -> Dataset:
    """Store a local JSONL file as a dataset."""
    with Upload(path.name) as upload, path.open("rb") as file:
        while data := file.read(2**20):
            upload.feed(data)
        return upload.finish()
