"""From a file of results to uniform rows: OpenAI's batch output, or CSV.

A bad line does not end the reading, so that
one import names all of them.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, cast

import orjson

from cluster.settings import settings
from jobs import bodies
from jobs.lines import HOPELESS, BadLine, Json, first, parse
from jobs.schemas.requests import LineError
from jobs.splitter import LineSplitter

_PIECE_BYTES = 2**20
_HEAD_BYTES = 4096
_BOM = b"\xef\xbb\xbf"
_COLUMNS = ("custom_id", "response")
# Spreadsheets write what their country uses.
_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class Answered:
    """One result of the file. Either ``body``, ``error`` (both JSON) or ``text`` is set."""

    line: int
    custom_id: str
    status_code: int
    """0: there was no answer."""
    body: str | None = None
    error: str | None = None
    text: str | None = None


def read(file: Path) -> Iterator[Answered | list[LineError]]:
    """The results of a file, and in the place of a bad line what is wrong with it."""
    return _csv(file) if is_csv(file) else _lines(file)


def is_csv(file: Path) -> bool:
    """Whether it is CSV; the reader of lines can say best what anything else is."""
    with file.open("rb") as opened:
        head = opened.read(_HEAD_BYTES).removeprefix(_BOM).lstrip()
    return head[:1] not in (b"{", b"[") and b"custom_id" in head.split(b"\n")[0]


def _lines(file: Path) -> Iterator[Answered | list[LineError]]:
    for number, line, is_last in _numbered(file):
        try:
            found = _judge(line, number, cut=is_last)
        except BadLine as bad:
            yield bad.errors(number, line)
            if bad.problems[0][0] == HOPELESS:
                return
        else:
            if found is not None:
                yield found


def _numbered(file: Path) -> Iterator[tuple[int, bytes, bool]]:
    splitter = LineSplitter(settings().max_line_bytes)
    number = 0
    with file.open("rb") as opened:
        while data := opened.read(_PIECE_BYTES):
            for line in b"".join(splitter.feed(data)).split(b"\n")[:-1]:
                number += 1
                yield number, line, False
    yield number + 1, splitter.end(), True


def _judge(line: bytes, number: int, *, cut: bool) -> Answered | None:
    if number == 1:
        line = first(line)
    line = line.removesuffix(b"\r")
    if not line.strip():
        return None
    most = settings().max_line_bytes
    if len(line) > most:
        raise BadLine(("line_too_long", None, f"The line is longer than {most:,} bytes."))
    record = parse(line, number, cut)
    custom_id = _custom_id(record.get("custom_id"))
    response, error = record.get("response"), record.get("error")
    try:
        if isinstance(response, dict):
            status, body = _response(cast(Json, response))
            return Answered(number, custom_id, status, body=orjson.dumps(body).decode())
        if response is None and isinstance(error, dict):
            said = {name: str(error.get(name) or "error") for name in ("code", "message")}
            return Answered(number, custom_id, 0, error=orjson.dumps(said).decode())
    except orjson.JSONEncodeError:
        raise BadLine(("too_deep", None, "The line's JSON is nested too deeply.")) from None
    message = (
        "`response` must be an object with `status_code` and `body`, or null beside an `error`."
    )
    raise BadLine(("invalid_response", "response", message))


def _custom_id(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        message = "Say which request it answers: `custom_id`, a non-empty string."
        raise BadLine(("missing_custom_id", "custom_id", message))
    return value


def _response(response: Json) -> tuple[int, Json]:
    status, body = response.get("status_code"), response.get("body")
    if not isinstance(status, int) or isinstance(status, bool) or not 100 <= status <= 599:
        message = "`response.status_code` must be an HTTP status."
        raise BadLine(("invalid_response", "response.status_code", message))
    if not isinstance(body, dict):
        message = "`response.body` must be an object: the answer, as OpenAI's API gives it."
        raise BadLine(("invalid_response", "response.body", message))
    if (wrong := bodies.problem(body)) is not None:
        field, why = wrong
        message = f"`response.body.{field}` is not as OpenAI's API has it: {why}."
        raise BadLine(("invalid_response", f"response.body.{field}", message))
    return status, cast(Json, body)


def _csv(file: Path) -> Iterator[Answered | list[LineError]]:
    # A response can be longer than the module's default of 128 KiB.
    csv.field_size_limit(settings().max_line_bytes)
    # Bytes that are not UTF-8 come through and are then found in their field, with its line.
    with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as opened:
        delimiter = _delimiter(opened)
        rows = csv.reader(opened, delimiter=delimiter, strict=True)
        header = [name.strip() for name in next(rows)]
        missing = [name for name in _COLUMNS if name not in header]
        if missing:
            message = f"There is no column {' or '.join(missing)}; there are {', '.join(header)}."
            yield BadLine(("missing_column", missing[0], message)).errors(1, b"")
            return
        at, text_at = (header.index(name) for name in _COLUMNS)
        number = rows.line_num + 1
        try:
            for row in rows:
                if row:
                    yield _cells(row, number, len(header), at, text_at)
                number = rows.line_num + 1
        except csv.Error as error:
            message = f"Not valid CSV: {error}."
            yield BadLine(("invalid_csv", None, message)).errors(number, b"")


def _delimiter(opened: TextIO) -> str:
    first = opened.readline()
    opened.seek(0)
    return max(_DELIMITERS, key=first.count)


def _cells(
    row: list[str], number: int, width: int, at: int, text_at: int
) -> Answered | list[LineError]:
    line = ",".join(row).encode("utf-8", "surrogateescape")
    try:
        if len(row) != width:
            message = f"The row has {len(row)} cells, the header {width}. Is a quote missing?"
            raise BadLine(("wrong_cells", None, message))
        try:
            line.decode()
        except UnicodeDecodeError:
            raise BadLine(("not_utf8", None, "The row is not UTF-8.")) from None
        return Answered(number, _custom_id(row[at]), 200, text=row[text_at])
    except BadLine as bad:
        return bad.errors(number, line)
