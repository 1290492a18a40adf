"""From a line of an upload to a validated request, or all that is wrong with it.

The accepted format is OpenAI's batch input (https://platform.openai.com/docs/guides/batch): a JSON
object per line with ``custom_id``, ``method``, ``url`` and ``body``. Also accepted is a bare body
(``{"messages": […]}``, ``{"prompt": …}``, ``{"input": …}``), which is given a ``custom_id``.
"""

import unicodedata
from functools import partial
from typing import Any, NamedTuple, cast

import jiter
import orjson

from jobs import losses
from jobs.schemas.requests import Endpoint, LineError

MAX_CUSTOM_ID = 512
_EXCERPT = 200
PREVIEW = 300
_ENVELOPE = ("custom_id", "method", "url", "body")
_KEPT_BESIDE_BODY = ("expected", "metadata")
_CHAT = Endpoint.CHAT.value
PROMPT_FIELD = {
    _CHAT: "messages",
    Endpoint.COMPLETIONS.value: "prompt",
    Endpoint.EMBEDDINGS.value: "input",
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
Problem = tuple[str, str | None, str]

# Refuses a key that occurs twice, and leaves a number with a point or an exponent as it is written.
_read = partial(
    jiter.from_json,
    allow_inf_nan=False,
    cache_mode="keys",
    catch_duplicate_keys=True,
    float_mode="lossless-float",
)


class Accepted(NamedTuple):
    """A valid line, normalized. JSON values are text: bodies have no common schema."""

    custom_id: str
    url: str
    body: str
    preview: str
    model: str | None
    extra: str | None


class BadLine(Exception):
    """A line that breaks the format, with each thing that is wrong with it."""

    def __init__(self, *problems: Problem) -> None:
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
    if len(line) > max_bytes and line.strip():
        raise BadLine(("line_too_long", None, f"The line is longer than {max_bytes:,} bytes."))
    try:
        record = _read(line)
    except ValueError:
        if not line.strip():
            return None
        # jiter says less well what is wrong, and refuses a little that is right.
        record = parse(line, number, cut)
    if not isinstance(record, dict):
        record = parse(line, number, cut)  # raises, saying what it is instead
    try:
        if bare and (url := _bare_url(record)):
            return _bare(record, url, number)
        return _enveloped(record)
    except orjson.JSONEncodeError:
        # What cannot be written: a number that would be changed, of which the other parser says
        # which, or more than 254 levels, of which orjson reads 1,024.
        parse(line, number, cut)
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


def _bare_url(record: Json) -> str | None:
    """Where a line that is the body alone goes; none for a line that is more."""
    if "body" in record or "url" in record or "method" in record:
        return None
    for url, field in PROMPT_FIELD.items():
        if field in record:
            return url
    return None


def _bare(record: Json, url: str, number: int) -> Accepted:
    beside = ("custom_id", *_KEPT_BESIDE_BODY)
    custom_id = record.get("custom_id", f"line-{number}")
    body = {key: value for key, value in record.items() if key not in beside}
    problems = [*_custom_id_problems(custom_id), *_body_problems(url, body, "")]
    if problems:
        raise BadLine(*problems)
    return _accept(custom_id, url, body, {k: record[k] for k in _KEPT_BESIDE_BODY if k in record})


def _enveloped(record: Json) -> Accepted:
    problems: list[Problem] = []
    if "custom_id" not in record:
        message = "Give the request a `custom_id`, unique in the file."
        problems.append(("missing_custom_id", "custom_id", message))
    else:
        problems += _custom_id_problems(record["custom_id"])
    if record.get("method") != "POST":
        present = "method" in record
        what = f"not {_short(record['method'])}" if present else "but it is missing"
        code = "wrong_method" if present else "missing_method"
        problems.append((code, "method", f'`method` must be "POST", {what}.'))
    url: Any = record.get("url")
    known = isinstance(url, str) and url in PROMPT_FIELD
    if not known:
        present = "url" in record
        what = f"not {_short(url)}" if present else "but it is missing"
        code = "unsupported_url" if present else "missing_url"
        urls = ", ".join(PROMPT_FIELD)
        problems.append((code, "url", f"`url` must be one of {urls}, {what}."))
    if not isinstance(record.get("body"), dict):
        code = "invalid_body" if "body" in record else "missing_body"
        problems.append((code, "body", "`body` must be an object: the request's parameters."))
    elif known:
        problems += _body_problems(url, record["body"], "body.")
    if problems:
        raise BadLine(*problems)
    extra: Json = {}
    if len(record) > len(_ENVELOPE):
        extra = {key: value for key, value in record.items() if key not in _ENVELOPE}
    return _accept(record["custom_id"], record["url"], record["body"], extra)


def _custom_id_problems(custom_id: Any) -> list[Problem]:
    if not isinstance(custom_id, str) or not custom_id or custom_id.isspace():
        message = f"`custom_id` must be a non-empty string, not {_short(custom_id)}."
        return [("invalid_custom_id", "custom_id", message)]
    if len(custom_id) > MAX_CUSTOM_ID:
        message = (
            f"`custom_id` has {len(custom_id):,} characters; at most {MAX_CUSTOM_ID} are kept."
        )
        return [("custom_id_too_long", "custom_id", message)]
    # What is printable has no control characters, and is told at once.
    if not custom_id.isprintable() and any(map(_is_control, custom_id)):
        return [("invalid_custom_id", "custom_id", "`custom_id` contains a control character.")]
    return []


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in _CONTROL


def _body_problems(url: str, body: Json, at: str) -> list[Problem]:
    field = PROMPT_FIELD[url]
    value = body.get(field)
    if url != _CHAT:
        if isinstance(value, str | list) and value:
            return []
        message = f"`{at}{field}` must be a non-empty string or list."
        return [(f"missing_{field}", f"{at}{field}", message)]
    if not isinstance(value, list) or not value:
        message = f"`{at}messages` must be a list with at least one message."
        return [("empty_messages", f"{at}messages", message)]
    messages: list[Any] = body[field]
    for message in messages:
        try:
            role = message["role"]
        except (TypeError, KeyError):
            role = None
        if not isinstance(role, str):
            place = f"{at}messages[{messages.index(message)}]"
            return [("invalid_message", place, f"`{place}` must be an object with a `role`.")]
    return []


def _accept(custom_id: str, url: str, body: Json, extra: Json) -> Accepted:
    model = body.get("model")
    return Accepted(
        custom_id,
        url,
        _written(body),
        _preview(url, body),
        model if isinstance(model, str) else None,
        _written(extra) if extra else None,
    )


def _preview(url: str, body: Json) -> str:
    """The beginning of what the user asked: the last message, or the prompt."""
    value = body[PROMPT_FIELD[url]]
    if url == _CHAT:
        value = value[-1].get("content")
        if isinstance(value, list):
            parts = [cast(Json, part) for part in cast(list[Any], value) if isinstance(part, dict)]
            value = " ".join(str(part["text"]) for part in parts if "text" in part)
    elif isinstance(value, list):
        value = cast(list[Any], value)[0]
    return value[:PREVIEW] if isinstance(value, str) else ""


def _written(value: Any) -> str:
    return orjson.dumps(value, losses.kept).decode()


def _short(value: Any) -> str:
    text = _written(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
