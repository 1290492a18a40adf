"""What is read at once is read as by a close look, and the rest is left to one."""

import json
from typing import Any

import orjson
import pyarrow as pa
import pytest
from factories import chat
from hypothesis import example, given
from hypothesis import strategies as st
from test_lines_properties import dumped, json_values, requests

from jobs.lines import PREVIEW, Accepted, judge
from jobs.scanner import load, scan

FIRST = 7
NO_LIMIT = 10**9


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    load()  # not in the time that Hypothesis allows an example


def read(*lines: bytes, limit: int = NO_LIMIT) -> tuple[dict[int, Accepted], dict[int, bytes]]:
    table, others = scan([line + b"\n" for line in lines], FIRST, limit)
    table.validate(full=True)
    rows = [list(row.values()) for row in table.to_pylist()]
    return {line: Accepted(*request) for line, *request in rows}, dict(others)


def check(*lines: bytes) -> int:
    """Returns how many lines were read at once."""
    found, others = read(*lines)
    assert sorted([*found, *others]) == list(range(FIRST, FIRST + len(lines)))
    assert all(line == lines[number - FIRST] for number, line in others.items())
    for number, request in found.items():
        assert request == judge(lines[number - FIRST], number, NO_LIMIT)
    return len(found)


PLAIN = [
    chat(),
    chat(expected="yes", metadata={"a": [1, {}, None]}),
    chat(body={"model": "m", "prompt": "Why?"}, url="/v1/completions"),
    chat(body={"model": None, "prompt": "Why?"}, url="/v1/completions", custom_id="a b~!"),
    chat(body={"model": "", "input": "Why?", "dimensions": 8}, url="/v1/embeddings"),
    chat(body={"messages": [{"role": "a", "content": None}, {"content": "b", "role": "c"}]}),
    chat(body={"messages": [{"role": "a", "content": "b", "tool_calls": [{"c": [[], {}]}]}]}),
    chat(body={"messages": [{"role": "a", "content": "b"}], "stop": ["\n", "é"], "top_p": 0.9}),
    chat(content='a "b"\t\\ /\x7f é 中 😀'),
    chat(content="x" * 299 + "é" + "y" * 300),
    chat(content="😀" * 400),
    chat(content="\n" * 400),
]
DUMPED = {
    "orjson": orjson.dumps,
    "Python": lambda value: json.dumps(value).encode(),
    "Python, compact": lambda value: json.dumps(value, separators=(",", ":")).encode(),
    "Python, UTF-8": lambda value: json.dumps(value, ensure_ascii=False).encode(),
    "spaces": lambda value: json.dumps(value, separators=(" ,\t", "\r : ")).encode() + b" \r",
}


@pytest.mark.parametrize("how", DUMPED)
@pytest.mark.parametrize("record", PLAIN)
def test_what_most_files_consist_of_is_read_at_once(record: dict[str, Any], how: str) -> None:
    assert check(DUMPED[how](record)) == 1


@given(requests, st.sampled_from(list(DUMPED)), st.sampled_from([b"", b" ", b"\r", b",", b"}"]))
def test_right_and_wrong_lines_are_read_as_by_a_close_look(
    request: dict[str, Any], how: str, end: bytes
) -> None:
    try:
        line = DUMPED[how](request)
    except TypeError:  # orjson writes no larger integers
        line = dumped(request)
    check(line.replace(b"\n", b"") + end)


@given(st.sampled_from(PLAIN), st.sampled_from(list(DUMPED)), st.data())
def test_damaged_lines_are_read_as_by_a_close_look(
    record: dict[str, Any], how: str, data: st.DataObject
) -> None:
    line = DUMPED[how](record)
    at = data.draw(st.integers(0, len(line)))
    length = data.draw(st.integers(0, 3))
    signs = st.text('{}[]",:\\u0e-.ntf /', max_size=3).map(str.encode)
    put = data.draw(st.binary(max_size=3) | signs)
    check((line[:at] + put + line[at + length :]).replace(b"\n", b""))


@given(st.lists(st.binary() | st.text('{}[]",:ab\\u0 ').map(str.encode)))
def test_arbitrary_bytes_are_left_to_a_close_look(pieces: list[bytes]) -> None:
    lines = b"".join(pieces).split(b"\n")
    assert check(*lines) == 0


@given(json_values)
def test_any_value_is_kept_or_left_to_a_close_look(value: Any) -> None:
    check(orjson.dumps(chat(metadata=0)).replace(b"0", dumped(value).replace(b"\n", b"")))


NUMBERS = st.from_regex(r"-?(0|[0-9]{1,17})(\.[0-9]{1,17})?([eE][-+]?[0-9]{1,3})?", fullmatch=True)


@given(NUMBERS | st.floats(0, 2).map(repr))
@example("0.7")
@example("0.05")
@example("0.0001")
@example("0.00001")
@example("-0")
@example("-0.5")
@example("1.50")
@example("1.0")
@example("123456789012345")
@example("12345678901234567890")
@example("0.1000000000000000055")
def test_a_number_is_kept_as_it_is_or_left_to_a_close_look(number: str) -> None:
    check(orjson.dumps(chat(metadata=[8])).replace(b"8", number.encode()))


@pytest.mark.parametrize("number", ["0", "17", "-1", "0.7", "0.05", "1.0", "1024", "4294967296"])
def test_usual_numbers_are_read_at_once(number: str) -> None:
    assert check(orjson.dumps(chat(metadata=[8])).replace(b"8", number.encode())) == 1


@pytest.mark.parametrize(
    "key", ["custom_id", "method", "body", "extra", "messages", "role", "content", "deep", "中", ""]
)
def test_no_key_occurs_twice(key: str) -> None:
    record = chat(extra={"deep": 1, "中": 2, "": 3, "long enough": 4, "long enouch": 5})
    line = orjson.dumps(record)
    assert check(line) == 1
    name = orjson.dumps(key) + b":"
    assert line.count(name) == 1
    assert check(line.replace(name, name + b"8," + name)) == 0
    if key:
        escaped = b'"\\u%04x%s":' % (ord(key[0]), key[1:].encode())
        assert check(line.replace(name, escaped + b"8," + name)) == 0


@pytest.mark.parametrize("special", ['"', "\\", "\t", "\x7f", "/", "é", "€", "\U0001f600"])
def test_what_is_special_in_a_text_is_found_wherever_it_is(special: str) -> None:
    """Texts are read 32 bytes at a time, and previews end in the middle of one."""
    texts = [
        "a" * before + special + "b" * after
        for before in (*range(70), *range(PREVIEW - 40, PREVIEW + 2))
        for after in (0, 1, 30, 31, 32, 33)
    ]
    assert check(*(orjson.dumps(chat(content=text)) for text in texts)) == len(texts)


@pytest.mark.parametrize("byte", [b"\x00", b"\x1f", b"\r", b'"', b"\\"])
def test_what_no_text_has_in_it_is_found_wherever_it_is(byte: bytes) -> None:
    line = orjson.dumps(chat(content="a" * 70))
    begin = line.index(b"aaa")
    assert check(*(line[:at] + byte + line[at + 1 :] for at in range(begin, begin + 70))) == 0


def test_lines_that_are_not_utf8_spoil_their_block_only() -> None:
    good, bad = orjson.dumps(chat()), orjson.dumps(chat(content="X")).replace(b"X", b"\xed\xa0\x80")
    assert check(good, bad) == 0
    assert check(good, good) == 2


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":[', b'{"a":[{"b":'])
def test_deep_nesting_is_left_to_a_close_look(opening: bytes) -> None:
    closing = {"[": "]", "{": "}"}
    deep = opening * 1000
    end = "".join(closing[c] for c in reversed(deep.decode()) if c in closing).encode()
    line = orjson.dumps(chat(metadata="@"))
    assert check(line.replace(b'"@"', deep + b"1" + end)) == 0
    assert check(line.replace(b'"@"', deep)) == 0


def test_many_keys_are_left_to_a_close_look() -> None:
    assert check(orjson.dumps(chat(**{f"key {i}": i for i in range(1000)}))) == 0


def test_a_line_that_is_too_long_is_left_to_a_close_look() -> None:
    line = orjson.dumps(chat())
    assert len(read(line, limit=len(line))[0]) == 1
    assert len(read(line, limit=len(line) - 1)[0]) == 0


def test_lines_of_all_kinds_in_one_block() -> None:
    fine = [orjson.dumps(record) for record in PLAIN]
    bad = [b"", b"{", b'{"messages":[{"role":"user","content":"bare"}]}', fine[0][:-1]]
    lines = [line for pair in zip(fine, bad * 3, strict=True) for line in pair]
    assert check(*lines) == len(fine)


def test_pieces_are_one_block() -> None:
    line = orjson.dumps(chat()) + b"\n"
    whole, none = scan([line * 3], 1, NO_LIMIT)
    assert scan([line[:9], memoryview(line)[9:], line, line], 1, NO_LIMIT) == (whole, none)


def test_nothing_is_no_request() -> None:
    assert scan([], 1, NO_LIMIT) == (pa.schema(scan([], 1, NO_LIMIT)[0].schema).empty_table(), [])


@pytest.mark.parametrize("record", PLAIN[:4])
def test_every_letter_of_a_name_is_looked_at(record: dict[str, Any]) -> None:
    line = orjson.dumps(record)
    names = ["custom_id", "method", "POST", "url", "/v1/chat/completions", "/v1/completions"]
    for name in [*names, "body", "messages", "prompt", "role"]:
        begin = line.find(f'"{name}"'.encode()) + 1
        for at in range(begin, begin + len(name) if begin else 0):
            assert check(line[:at] + b"x" + line[at + 1 :]) == 0
