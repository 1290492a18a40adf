"""Results as files: both forms, also while the benchmark runs."""

import csv
import io
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from jobs import export, tables
from jobs.errors import NotFound
from jobs.schemas.benchmarks import Benchmark

Write = Callable[..., None]


def lines(benchmark: Benchmark) -> list[dict[str, Any]]:
    data = b"".join(export.download(benchmark.benchmark_id, "jsonl"))
    return [orjson.loads(line) for line in data.splitlines()]


def table(benchmark: Benchmark) -> list[dict[str, str]]:
    data = b"".join(export.download(benchmark.benchmark_id, "csv"))
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_nothing_yet(benchmark: Benchmark) -> None:
    assert lines(benchmark) == []
    assert table(benchmark) == []


def test_files_can_be_had_while_the_benchmark_runs(benchmark: Benchmark, write: Write) -> None:
    write(1, range(32, 64))
    write(0, range(10, 15), finish=False)
    write(2, range(64, 66), finish=False)
    there = [*range(10, 15), *range(32, 66)]
    assert [line["custom_id"] for line in lines(benchmark)] == [f"r-{row}" for row in there]
    assert [row["custom_id"] for row in table(benchmark)] == [f"r-{row}" for row in there]


def test_a_part_counts_over_the_journal_that_it_came_from(
    benchmark: Benchmark, write: Write
) -> None:
    write(0, range(3), text="part")
    write(0, range(2), finish=False, text="left over")
    assert [row["text"] for row in table(benchmark)] == ["part"] * 3


def test_of_two_writers_of_a_journal_the_later_counts(benchmark: Benchmark, write: Write) -> None:
    write(0, range(2), finish=False, text="first")
    write(0, range(1), finish=False, text="second")
    assert [row["text"] for row in table(benchmark)] == ["second", "first"]


def test_a_line_of_the_download_is_a_line_of_openais_batch_output(
    benchmark: Benchmark, write: Write
) -> None:
    write(0, range(1))
    assert lines(benchmark) == [
        {
            "id": "batch_req_cmpl-0",
            "custom_id": "r-0",
            "response": {
                "status_code": 200,
                "request_id": "cmpl-0",
                "body": {"choices": [{"message": {"content": "Answer 0"}}]},
            },
            "error": None,
        }
    ]


def test_an_engine_that_gave_no_answer_is_an_error_without_response(
    benchmark: Benchmark, write: Write
) -> None:
    problem = {"code": "lost", "message": "The engine died."}
    write(0, range(1), body=None, error=orjson.dumps(problem).decode(), status_code=0)
    (line,) = lines(benchmark)
    assert (line["response"], line["error"]) == (None, problem)


def test_an_answer_with_an_error_status_is_a_response(benchmark: Benchmark, write: Write) -> None:
    body = {"error": {"message": "too long", "code": 400}}
    write(0, range(1), body=orjson.dumps(body).decode(), status_code=400, text="too long")
    (line,) = lines(benchmark)
    assert (line["response"]["status_code"], line["response"]["body"]) == (400, body)
    assert line["error"] is None


def test_a_table_has_a_row_per_result_with_its_figures(benchmark: Benchmark, write: Write) -> None:
    text = 'Two lines,\n"quoted", and ünïcode 🎉'
    write(0, range(1), text=text, ttft_ms=None, latency_ms=1.23456)
    (row,) = table(benchmark)
    assert row["text"] == text
    assert (row["custom_id"], row["status_code"], row["output_tokens"]) == ("r-0", "200", "7")
    assert (row["latency_ms"], row["ttft_ms"]) == ("1.235", "")
    assert row["finished_at"].endswith("+00:00")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_a_spreadsheet_does_not_take_text_for_a_formula(
    benchmark: Benchmark, write: Write, start: str
) -> None:
    write(0, range(1), text=f"{start}1+1", custom_id=f"{start}id")
    (row,) = table(benchmark)
    assert row["text"] == f"'{start}1+1"
    assert row["custom_id"] == f"'{start}id"


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://evil.example","x")',
        "=cmd|' /C calc'!A0",
        "@SUM(1+1)*cmd|' /C calc'!A0",
        "+1\n=2",
        '-"=3",=4',
    ],
)
def test_no_cell_of_a_table_is_a_formula(benchmark: Benchmark, write: Write, text: str) -> None:
    """Whatever the text has in it, it is one cell, and that does not begin like a formula."""
    write(0, range(1), text=text, custom_id=text, finish_reason=text)
    (row,) = table(benchmark)
    assert all(row[name] == f"'{text}" for name in ("custom_id", "text", "finish_reason"))
    assert not [cell for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


def test_lines_keep_text_as_it_is(benchmark: Benchmark, write: Write) -> None:
    """Only the table is for spreadsheets."""
    write(0, range(1), custom_id="=1+1\u2028\0")
    assert [line["custom_id"] for line in lines(benchmark)] == ["=1+1\u2028\0"]


def test_numbers_and_harmless_text_are_left_alone(benchmark: Benchmark, write: Write) -> None:
    write(0, range(1), text="1 = 1", itl_ms=-0.5)
    (row,) = table(benchmark)
    assert (row["text"], row["itl_ms"]) == ("1 = 1", "-0.5")


def test_a_long_table_comes_in_pieces(
    benchmark: Benchmark, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "PIECE_BYTES", 1000)
    write(0, range(32))
    write(1, range(32, 64))
    pieces = list(export.download(benchmark.benchmark_id, "csv"))
    assert len(pieces) > 3
    assert max(map(len, pieces)) < 1200
    assert [row["custom_id"] for row in table(benchmark)] == [f"r-{i}" for i in range(64)]


def test_an_unknown_benchmark_is_refused_before_the_first_byte(database: str) -> None:
    for form in ("jsonl", "csv"):
        with pytest.raises(NotFound):
            export.download("bm_nope", form)  # type: ignore[arg-type]
