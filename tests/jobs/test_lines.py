"""Judging a line: what is accepted, and what each malformed one is told."""

import bz2
import gzip
import io
import zipfile
from typing import Any

import orjson
import pytest
from factories import CHAT, chat, jsonl

from jobs.lines import Accepted, BadLine, judge

LIMIT = 10_000
GOOD = jsonl(chat()).rstrip()


def accept(line: bytes, number: int = 2) -> Accepted:
    accepted = judge(line, number, LIMIT)
    assert accepted is not None
    return accepted


def codes(line: Any, number: int = 2, **options: Any) -> list[str]:
    """The codes of all that is wrong with a line, given as bytes or as a JSON value."""
    raw = line if isinstance(line, bytes) else orjson.dumps(line)
    with pytest.raises(BadLine) as caught:
        judge(raw, number, LIMIT, **options)
    errors = caught.value.errors(number, raw)
    assert all(error.line == number and error.message for error in errors)
    return [error.code for error in errors]


def test_a_line_in_the_batch_format_is_kept_as_it_is() -> None:
    body = {"model": "any", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0.5}
    accepted = accept(jsonl(chat("c-1", body=body, expected="yes", metadata={"a": [1, None]})))
    assert accepted.custom_id == "c-1"
    assert accepted.url == CHAT
    assert orjson.loads(accepted.body) == body
    assert accepted.model == "any"
    assert accepted.preview == "Hi"
    assert orjson.loads(accepted.extra or "") == {"expected": "yes", "metadata": {"a": [1, None]}}


@pytest.mark.parametrize(
    ("url", "body", "preview"),
    [
        ("/v1/completions", {"prompt": "Once"}, "Once"),
        ("/v1/completions", {"prompt": ["Once", "Twice"]}, "Once"),
        ("/v1/completions", {"prompt": [1, 2, 3]}, ""),
        ("/v1/embeddings", {"input": "Words"}, "Words"),
        (CHAT, {"messages": [{"role": "system"}, {"role": "user", "content": "Last"}]}, "Last"),
    ],
)
def test_every_endpoint_is_accepted(url: str, body: dict[str, Any], preview: str) -> None:
    accepted = accept(jsonl(chat(url=url, body=body)))
    assert (accepted.url, accepted.preview) == (url, preview)


def test_the_preview_of_content_in_parts_is_its_text() -> None:
    parts = [
        {"type": "text", "text": "What is"},
        {"type": "image_url", "image_url": {"url": "https://example.org"}},
        "no object",
        {"type": "text", "text": "this?"},
    ]
    assert accept(jsonl(chat(content=parts))).preview == "What is this?"


@pytest.mark.parametrize("content", [None, 7, {"a": 1}, [], ["text"]])
def test_content_without_text_has_an_empty_preview(content: Any) -> None:
    assert accept(jsonl(chat(content=content))).preview == ""


def test_a_preview_is_short() -> None:
    assert len(accept(jsonl(chat(content="x" * 5000))).preview) == 300


@pytest.mark.parametrize(
    ("body", "url"),
    [
        ({"messages": [{"role": "user", "content": "Hi"}]}, CHAT),
        ({"prompt": "Hi", "max_tokens": 3}, "/v1/completions"),
        ({"input": ["a", "b"]}, "/v1/embeddings"),
    ],
)
def test_a_bare_body_is_given_a_custom_id(body: dict[str, Any], url: str) -> None:
    accepted = accept(jsonl(body), number=7)
    assert (accepted.custom_id, accepted.url) == ("line-7", url)
    assert orjson.loads(accepted.body) == body
    assert accepted.extra is None


def test_a_bare_body_keeps_its_own_custom_id_and_what_lies_beside_it() -> None:
    accepted = accept(jsonl({"custom_id": "mine", "prompt": "Hi", "expected": "Ho", "seed": 1}))
    assert accepted.custom_id == "mine"
    assert orjson.loads(accepted.body) == {"prompt": "Hi", "seed": 1}
    assert orjson.loads(accepted.extra or "") == {"expected": "Ho"}


@pytest.mark.parametrize("line", [b"", b"   ", b"\t", b"\r", b"  \r"])
def test_a_blank_line_is_no_request(line: bytes) -> None:
    assert judge(line, 3, LIMIT) is None


def test_windows_line_ends_and_a_byte_order_mark_are_accepted() -> None:
    assert accept(b"\xef\xbb\xbf" + GOOD + b"\r", number=1) == accept(GOOD)


def test_a_byte_order_mark_is_only_accepted_at_the_start_of_the_file() -> None:
    assert codes(b"\xef\xbb\xbf" + GOOD, number=2) == ["invalid_json"]


@pytest.mark.parametrize(
    "line", [b"hello", b"{", b"{'a': 1}", b"{} {}", b'{"a": NaN}', GOOD + b",", b"[1, 2"]
)
def test_not_json(line: bytes) -> None:
    assert codes(line) == ["invalid_json"]


@pytest.mark.parametrize("value", [None, 1, 1.5, True, "text", [], [{}]])
def test_not_an_object(value: Any) -> None:
    assert codes(value) == ["not_an_object"]


@pytest.mark.parametrize(
    ("custom_id", "code"),
    [
        (..., "missing_custom_id"),
        *((bad, "invalid_custom_id") for bad in (None, 5, "", "  ", ["a"], {"a": 1}, True)),
        *((f"a{bad}b", "invalid_custom_id") for bad in ("\0", "\n", "\x1b", "\x7f", "\u202e")),
        ("x" * 513, "custom_id_too_long"),
    ],
)
def test_custom_id(custom_id: Any, code: str) -> None:
    assert codes(chat(custom_id)) == [code]


@pytest.mark.parametrize("custom_id", ["x" * 512, "候補者-1", "a b", "é", "../../etc/passwd"])
def test_any_printable_text_is_a_custom_id(custom_id: str) -> None:
    assert accept(jsonl(chat(custom_id))).custom_id == custom_id


@pytest.mark.parametrize("method", [..., None, "GET", "post", 1])
def test_wrong_method(method: Any) -> None:
    code = "missing_method" if method is ... else "wrong_method"
    assert codes(chat(method=method)) == [code]


@pytest.mark.parametrize("url", [..., None, "/v1/images", "v1/chat/completions", f"{CHAT}/", 1, []])
def test_unsupported_url(url: Any) -> None:
    code = "missing_url" if url is ... else "unsupported_url"
    assert codes(chat(url=url)) == [code]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (..., "missing_body"),
        *((bad, "invalid_body") for bad in (None, "text", [], 1)),
        *(({"messages": bad}, "empty_messages") for bad in ([], None, "text", {}, 0)),
        ({}, "empty_messages"),
        *(({"messages": [bad]}, "invalid_message") for bad in ({}, None, "text", {"role": 1})),
    ],
)
def test_body(body: Any, code: str) -> None:
    assert codes(chat(body=body)) == [code]


@pytest.mark.parametrize("value", [..., None, "", [], 5])
@pytest.mark.parametrize(
    ("url", "field"), [("/v1/completions", "prompt"), ("/v1/embeddings", "input")]
)
def test_missing_prompt_or_input(url: str, field: str, value: Any) -> None:
    body = {} if value is ... else {field: value}
    assert codes(chat(url=url, body=body)) == [f"missing_{field}"]


def test_everything_that_is_wrong_is_said_at_once_with_its_field() -> None:
    raw = jsonl(chat(5, method="GET", url="/v2", body=[]))
    with pytest.raises(BadLine) as caught:
        judge(raw, 3, LIMIT)
    errors = caught.value.errors(3, raw)
    assert [error.field for error in errors] == ["custom_id", "method", "url", "body"]
    assert all(error.text == raw[:200].decode() for error in errors)


def test_the_message_at_fault_is_numbered() -> None:
    messages = [{"role": "user", "content": "Hi"}, {"content": "no role"}]
    raw = jsonl(chat(body={"messages": messages}))
    with pytest.raises(BadLine, match=r"messages\[1\]") as caught:
        judge(raw, 1, LIMIT)
    assert caught.value.errors(1, raw)[0].field == "body.messages[1]"


def test_a_nul_byte_and_invalid_utf8() -> None:
    assert codes(GOOD.replace(b"Hello", b"He\0lo")) == ["nul_byte"]
    assert codes(GOOD.replace(b"Hello", b"He\xfflo")) == ["not_utf8"]
    assert codes(GOOD.replace(b"Hello", "é".encode("latin-1"))) == ["not_utf8"]
    assert codes(GOOD.replace(b"Hello", b"\xed\xa0\x80")) == ["not_utf8"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_refused(encoding: str) -> None:
    first = "\ufeff" if encoding.endswith(("le", "be")) else ""
    assert codes((first + GOOD.decode()).encode(encoding), number=1) == ["not_utf8"]


def zipped() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a.jsonl", GOOD)
    return target.getvalue()


@pytest.mark.parametrize("data", [gzip.compress(GOOD), bz2.compress(GOOD), zipped()])
def test_a_compressed_file_is_called_so(data: bytes) -> None:
    assert codes(data.split(b"\n")[0], number=1) == ["compressed_file"]


def test_a_line_that_is_too_long() -> None:
    assert codes(b"x" * (LIMIT + 1)) == ["line_too_long"]
    padding = b" " * (LIMIT - len(GOOD))
    assert accept(GOOD + padding) == accept(GOOD)


def test_a_truncated_last_line_is_called_so() -> None:
    assert codes(GOOD[:-10], cut=True) == ["truncated_line"]
    assert codes(GOOD[:-10], cut=False) == ["invalid_json"]
    assert judge(GOOD, 2, LIMIT, cut=True) == accept(GOOD)
