"""Reading a file of results: what is wrong is named with its line, and the rest is read."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from factories import jsonl
from factories import output_line as line

from jobs import answers
from jobs.answers import Answered


def of_body(**body: Any) -> dict[str, Any]:
    return line(response={"status_code": 200, "request_id": "r", "body": body})


@pytest.fixture
def file(tmp_path: Path, data_folder: Path) -> Path:
    return tmp_path / "out.jsonl"


@pytest.mark.parametrize(
    ("bad", "code", "field"),
    [
        (b"{", "invalid_json", None),
        (b"[1]", "not_an_object", None),
        (b'{"custom_id": "\xff"}', "not_utf8", None),
        (orjson.dumps(line(custom_id="")), "missing_custom_id", "custom_id"),
        (orjson.dumps(line() | {"custom_id": 7}), "missing_custom_id", "custom_id"),
        (orjson.dumps(line(response=None)), "invalid_response", "response"),
        (orjson.dumps(line(response="Yes")), "invalid_response", "response"),
        (
            orjson.dumps(line(response={"status_code": "200", "body": {}})),
            "invalid_response",
            "response.status_code",
        ),
        (
            orjson.dumps(line(response={"status_code": 200, "body": "Yes"})),
            "invalid_response",
            "response.body",
        ),
        (
            orjson.dumps(of_body(choices=["Yes"])),
            "invalid_response",
            "response.body.choices.0",
        ),
        (
            orjson.dumps(of_body(choices=[{"message": {"content": [{"text": "Yes"}]}}])),
            "invalid_response",
            "response.body.choices.0.message.content",
        ),
        (
            orjson.dumps(of_body(usage={"prompt_tokens": "many"})),
            "invalid_response",
            "response.body.usage.prompt_tokens",
        ),
        (
            b'{"custom_id": "r-1", "response": {"status_code": 200, "body": {"a": '
            + b"[" * 500
            + b"]" * 500
            + b"}}}",
            "too_deep",
            None,
        ),
    ],
)
def test_a_bad_line_is_named(file: Path, bad: bytes, code: str, field: str | None) -> None:
    file.write_bytes(jsonl(line("r-0")) + bad + b"\n" + jsonl(line("r-2")))
    first, errors, last = answers.read(file)
    assert isinstance(errors, list)
    (error,) = errors
    assert (error.line, error.code, error.field) == (2, code, field)
    assert [one.custom_id for one in (first, last) if isinstance(one, Answered)] == ["r-0", "r-2"]


@pytest.mark.parametrize(
    ("content", "number", "code"),
    [
        (b"custom_id,text\nr-0,Yes\n", 1, "missing_column"),
        (b"custom_id,response\nr-0,Yes\n\nr-1,Yes,No\n", 4, "wrong_cells"),
        (b"custom_id,response\nr-0,Yes\n,No\n", 3, "missing_custom_id"),
        (b'custom_id,response\nr-0,"two\nlines"\nr-1,\xff\n', 4, "not_utf8"),
        (b'custom_id,response\nr-0,"open\nr-1,Yes\n', 2, "invalid_csv"),
        (b'custom_id,response\nr-0,"a"b\n', 2, "invalid_csv"),
        (b"\x1f\x8b\x08abc", 1, "compressed_file"),
        (b"just text\n", 1, "invalid_json"),
    ],
)
def test_a_bad_file_is_named(file: Path, content: bytes, number: int, code: str) -> None:
    file.write_bytes(content)
    (errors,) = (found for found in answers.read(file) if isinstance(found, list))
    (error,) = errors
    assert (error.line, error.code) == (number, code)


def test_numbers_of_an_answer_come_back_as_they_were_sent(file: Path) -> None:
    body = {"choices": [{"message": {"content": "Yes"}}], "logprob": -0.125, "cost": 1e-7}
    file.write_bytes(orjson.dumps(of_body(**body)) + b"\n")
    (found,) = answers.read(file)
    assert isinstance(found, answers.Answered)
    assert orjson.loads(found.body or "") == body


def test_an_answer_whose_numbers_would_be_changed_is_refused(file: Path) -> None:
    line = orjson.dumps(of_body(choices=[], logprob=0.5)).replace(b"0.5", b"0.12345678901234567891")
    file.write_bytes(line + b"\n")
    (errors,) = answers.read(file)
    assert isinstance(errors, list)
    assert [error.code for error in errors] == ["number_not_kept"]
