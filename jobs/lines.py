"""From the bytes of an upload to validated requests: splitting into lines, and judging each.

The accepted format is OpenAI's batch input (https://platform.openai.com/docs/guides/batch): a JSON
object per line with ``custom_id``, ``method``, ``url`` and ``body``. Also accepted is a bare body
(``{"messages": […]}``, ``{"prompt": …}``, ``{"input": …}``), which is given a ``custom_id``.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import orjson

from jobs import losses
from jobs.schemas.requests import Endpoint, LineError

MAX_CUSTOM_ID = 512
_EXCERPT = 200
_PREVIEW = 300
_ENVELOPE = ("custom_id", "method", "url", "body")
_KEPT_BESIDE_BODY = ("expected", "metadata")
_PROMPT_FIELD = {
    Endpoint.CHAT: "messages",
    Endpoint.COMPLETIONS: "prompt",
    Endpoint.EMBEDDINGS: "input",
}
# Control characters, and those that change how the text around them is shown.
_CONTROL = ("Cc", "Cf", "Zl", "Zp")
_BOM = b"\xef\xbb\xbf"
# How files begin of ZIP (three ways), gzip, compress, bzip2, xz, Zstandard, LZ4, 7-Zip and RAR.
_COMPRESSED = (
    *(b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"\x1f\x8b", b"\x1f\x9d", b"BZh"),
    *(b"\xfd7zXZ\0", b"(\xb5/\xfd", b"\x04\x22M\x18", b"7z\xbc\xaf", b"Rar!\x1a\x07"),
)

HOPELESS = "compressed_file"
"""The error after which the rest of the file is more of the same, and millions of lines of it."""

Json = dict[str, Any]


class LineSplitter:
    """Cuts a stream of bytes into lines, holding at most ``limit + 1`` bytes of one line.

    A line longer than ``limit`` comes out as its first ``limit + 1`` bytes, so that it can be
    reported; the rest of it is dropped unseen.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._line = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The lines that ``data`` completes, without their newlines."""
        first, *others = data.split(b"\n")
        self._keep(first)
        for other in others:
            yield self.end()
            self._keep(other)

    def end(self) -> bytes:
        """What follows the last newline."""
        line = bytes(self._line)
        self._line.clear()
        return line

    def _keep(self, data: bytes) -> None:
        self._line += data[: self._limit + 1 - len(self._line)]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A valid line, normalized. JSON values are text: bodies have no common schema."""

    custom_id: str
    url: str
    body: str
    preview: str
    model: str | None
    extra: str | None


class BadLine(Exception):
    """A line that breaks the format, with each thing that is wrong with it."""

    def __init__(self, *problems: tuple[str, str | None, str]) -> None:
        super().__init__(problems[0][2])
        self.problems = problems

    def errors(self, number: int, line: bytes) -> list[LineError]:
        text = line[:_EXCERPT].decode("utf-8", "replace")
        return [
            LineError(line=number, code=code, field=field, message=message, text=text)
            for code, field, message in self.problems
        ]


def judge(
    line: bytes, number: int, max_bytes: int, *, cut: bool = False, bare: bool = True
) -> Accepted | None:
    """The request on line ``number`` (from 1); none for a blank line.

    ``cut`` says that the file ended without a newline, so that a broken line is probably one whose
    upload or writer was interrupted. ``bare`` says that a line may be the body alone.

    Raises:
        BadLine: naming everything that is wrong with the line.
    """
    if number == 1:
        line = first(line)
    line = line.removesuffix(b"\r")
    if not line.strip():
        return None
    if len(line) > max_bytes:
        raise BadLine(("line_too_long", None, f"The line is longer than {max_bytes:,} bytes."))
    record = parse(line, number, cut)
    try:
        enveloped = any(key in record for key in _ENVELOPE[1:])
        if bare and not enveloped and _bare_endpoint(record):
            return _bare(record, number)
        return _enveloped(record)
    except orjson.JSONEncodeError:
        # orjson reads up to 1,024 levels and writes up to 254.
        raise _too_deep() from None


def first(line: bytes) -> bytes:
    """The first line of a file without its byte order mark.

    Raises:
        BadLine: the file is compressed, so that none of its lines can be read.
    """
    if line.startswith(_COMPRESSED):
        raise BadLine((HOPELESS, None, "The file is compressed. Upload the file itself."))
    return line.removeprefix(_BOM)


def parse(line: bytes, number: int, cut: bool) -> Json:
    """The JSON object on a line.

    Raises:
        BadLine: saying why there is none.
    """
    if number == 1 and line.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadLine(("not_utf8", None, "The file is UTF-16. Save it as UTF-8."))
    if b"\0" in line:
        raise BadLine(("nul_byte", None, "The line contains a NUL byte. Is the file damaged?"))
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadLine(
            ("not_utf8", None, f"Byte {error.start + 1} of the line is not UTF-8.")
        ) from None
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        if cut:
            message = (
                f"The last line is cut off or not JSON ({error}), and no newline follows it. "
                "Was the file copied completely?"
            )
            raise BadLine(("truncated_line", None, message)) from None
        raise BadLine(("invalid_json", None, f"Not valid JSON: {error}.")) from None
    try:
        losses.check(text)
    except losses.Loss as loss:
        raise BadLine((loss.code, None, loss.message)) from None
    except RecursionError:
        raise _too_deep() from None
    if not isinstance(record, dict):
        kind = type(record).__name__
        raise BadLine(("not_an_object", None, f"The line must be a JSON object, not {kind}."))
    return cast(Json, record)


def _too_deep() -> BadLine:
    return BadLine(("too_deep", None, "The line's JSON is nested too deeply."))


def _bare_endpoint(record: Json) -> Endpoint | None:
    return next((url for url, field in _PROMPT_FIELD.items() if field in record), None)


def _bare(record: Json, number: int) -> Accepted:
    url = _bare_endpoint(record)
    assert url is not None
    beside = ("custom_id", *_KEPT_BESIDE_BODY)
    custom_id = record.get("custom_id", f"line-{number}")
    body = {key: value for key, value in record.items() if key not in beside}
    problems = [*_custom_id_problems(custom_id), *_body_problems(url, body, "")]
    if problems:
        raise BadLine(*problems)
    return _accept(custom_id, url, body, {k: record[k] for k in _KEPT_BESIDE_BODY if k in record})


def _enveloped(record: Json) -> Accepted:
    custom_id, method, url, body = (record.get(key) for key in _ENVELOPE)
    problems: list[tuple[str, str | None, str]] = []
    if "custom_id" not in record:
        problems.append(
            (
                "missing_custom_id",
                "custom_id",
                "Give the request a `custom_id`, unique in the file.",
            )
        )
    else:
        problems += _custom_id_problems(custom_id)
    if method != "POST":
        present = "method" in record
        what = f"not {_short(method)}" if present else "but it is missing"
        code = "wrong_method" if present else "missing_method"
        problems.append((code, "method", f'`method` must be "POST", {what}.'))
    endpoint = next((known for known in Endpoint if known == url), None)
    if endpoint is None:
        present = "url" in record
        what = f"not {_short(url)}" if present else "but it is missing"
        code = "unsupported_url" if present else "missing_url"
        known = ", ".join(Endpoint)
        problems.append((code, "url", f"`url` must be one of {known}, {what}."))
    if not isinstance(body, dict):
        code = "invalid_body" if "body" in record else "missing_body"
        problems.append((code, "body", "`body` must be an object: the request's parameters."))
    elif endpoint is not None:
        problems += _body_problems(endpoint, cast(Json, body), "body.")
    if problems:
        raise BadLine(*problems)
    assert endpoint is not None
    extra = {key: value for key, value in record.items() if key not in _ENVELOPE}
    return _accept(cast(str, custom_id), endpoint, cast(Json, body), extra)


def _custom_id_problems(custom_id: Any) -> Iterator[tuple[str, str | None, str]]:
    if not isinstance(custom_id, str) or not custom_id.strip():
        message = f"`custom_id` must be a non-empty string, not {_short(custom_id)}."
        yield "invalid_custom_id", "custom_id", message
    elif len(custom_id) > MAX_CUSTOM_ID:
        message = (
            f"`custom_id` has {len(custom_id):,} characters; at most {MAX_CUSTOM_ID} are kept."
        )
        yield "custom_id_too_long", "custom_id", message
    elif any(unicodedata.category(character) in _CONTROL for character in custom_id):
        yield "invalid_custom_id", "custom_id", "`custom_id` contains a control character."


def _body_problems(url: Endpoint, body: Json, at: str) -> Iterator[tuple[str, str | None, str]]:
    field = _PROMPT_FIELD[url]
    value = body.get(field)
    if url is Endpoint.CHAT:
        if not isinstance(value, list) or not value:
            message = f"`{at}messages` must be a list with at least one message."
            yield "empty_messages", f"{at}messages", message
            return
        for index, message in enumerate(cast(list[Any], value)):
            if not isinstance(message, dict) or not isinstance(
                cast(Json, message).get("role"), str
            ):
                place = f"{at}messages[{index}]"
                yield "invalid_message", place, f"`{place}` must be an object with a `role`."
                return
    elif not isinstance(value, str | list) or not value:
        message = f"`{at}{field}` must be a non-empty string or list."
        yield f"missing_{field}", f"{at}{field}", message


def _accept(custom_id: str, url: Endpoint, body: Json, extra: Json) -> Accepted:
    model = body.get("model")
    return Accepted(
        custom_id=custom_id,
        url=url.value,
        body=orjson.dumps(body).decode(),
        preview=_preview(url, body),
        model=model if isinstance(model, str) else None,
        extra=orjson.dumps(extra).decode() if extra else None,
    )


def _preview(url: Endpoint, body: Json) -> str:
    """The beginning of what the user asked: the last message, or the prompt."""
    value = body[_PROMPT_FIELD[url]]
    if url is Endpoint.CHAT:
        value = cast(Json, value[-1]).get("content")
        if isinstance(value, list):
            parts = [cast(Json, part) for part in cast(list[Any], value) if isinstance(part, dict)]
            value = " ".join(str(part["text"]) for part in parts if "text" in part)
    elif isinstance(value, list):
        value = cast(list[Any], value)[0]
    return value[:_PREVIEW] if isinstance(value, str) else ""


def _short(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 80 else f"{text[:80]}…"
