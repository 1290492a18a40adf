"""A dataset's errors in OpenAI's words."""

import pytest
from factories import chat, jsonl

from jobs.batch_errors import of_line
from jobs.lines import BadLine, judge


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        (b"{broken", [("invalid_json_line", None)]),
        (b'"text"', [("invalid_json_line", None)]),
        (b'{"a": "\0"}', [("invalid_json_line", None)]),
        (b"x" * 5000, [("invalid_json_line", None)]),
        (jsonl(chat(custom_id=...)), [("missing_required_parameter", "custom_id")]),
        (jsonl(chat(custom_id=7)), [("invalid_custom_id", "custom_id")]),
        (jsonl(chat(custom_id="x" * 600)), [("invalid_custom_id", "custom_id")]),
        (jsonl(chat(method="GET")), [("invalid_method", "method")]),
        (jsonl(chat(url="/v1/images")), [("invalid_url", "url")]),
        (jsonl(chat(body=...)), [("missing_required_parameter", "body")]),
        (jsonl(chat(body=[])), [("invalid_request", "body")]),
        (jsonl(chat(body={})), [("invalid_request", "body.messages")]),
        (jsonl(chat(body={"messages": [1]})), [("invalid_request", "body.messages[0]")]),
        (
            jsonl(chat(method=..., url=...)),
            [("missing_required_parameter", "method"), ("missing_required_parameter", "url")],
        ),
    ],
)
def test_code_and_parameter(line: bytes, codes: list[tuple[str, str | None]]) -> None:
    with pytest.raises(BadLine) as caught:
        judge(line.rstrip(b"\n"), 4, 1000, bare=False)
    errors = [of_line(error) for error in caught.value.errors(4, line)]
    assert [(error.code, error.param) for error in errors] == codes
    assert all(error.line == 4 and error.message for error in errors)
