"""Pages of results, while a benchmark runs and afterwards."""

from collections.abc import Callable

import orjson
import pytest

from jobs import results
from jobs.errors import NotFound
from jobs.schemas.benchmarks import Benchmark, Status

Write = Callable[..., None]


def page_rows(benchmark: Benchmark, limit: int = 1000, offset: int = 0) -> list[int]:
    page = results.page(benchmark.benchmark_id, limit, offset)
    return [result.row_id for result in page.results]


def test_nothing_yet(benchmark: Benchmark) -> None:
    page = results.page(benchmark.benchmark_id, 10, 0)
    assert (page.results, page.total, page.status) == ([], 0, Status.RUNNING)


def test_a_page_says_what_it_is_of(benchmark: Benchmark, write: Write) -> None:
    write(0, range(32))
    page = results.page(benchmark.benchmark_id, limit=5, offset=3)
    assert (page.benchmark_id, page.model_name) == (benchmark.benchmark_id, "Echo")
    assert (page.dataset_name, page.total) == ("seventy.jsonl", 32)
    assert (page.limit, page.offset) == (5, 3)


def test_a_result_has_answer_and_figures(benchmark: Benchmark, write: Write) -> None:
    write(0, range(1))
    (result,) = results.page(benchmark.benchmark_id, 10, 0).results
    assert (result.custom_id, result.id) == ("r-0", "batch_req_cmpl-0")
    assert result.response is not None
    assert (result.response.status_code, result.response.request_id) == (200, "cmpl-0")
    assert result.response.body == {"choices": [{"message": {"content": "Answer 0"}}]}
    assert result.error is None
    assert (result.prompt_tokens, result.output_tokens, result.finish_reason) == (5, 7, "stop")
    assert (result.latency_ms, result.ttft_ms, result.itl_ms, result.queue_ms) == (1000, 100, 10, 1)
    assert result.finished_at.utcoffset() is not None


@pytest.mark.parametrize(
    ("limit", "offset"), [(10, 0), (10, 28), (3, 69), (1000, 0), (5, 70), (1, 2**53)]
)
def test_pages_are_in_the_order_of_the_dataset(
    benchmark: Benchmark, write: Write, limit: int, offset: int
) -> None:
    write(2, reversed(range(64, 70)))
    write(0, reversed(range(32)))
    write(1, reversed(range(32, 64)))
    assert page_rows(benchmark, limit, offset) == list(range(70))[offset : offset + limit]


def test_pages_skip_over_what_is_missing(benchmark: Benchmark, write: Write) -> None:
    write(0, range(0, 32, 2), finish=False)
    assert page_rows(benchmark, limit=3, offset=2) == [4, 6, 8]


def test_results_can_be_read_while_the_benchmark_runs(benchmark: Benchmark, write: Write) -> None:
    write(1, range(32, 64))
    write(0, range(10, 15), finish=False)
    write(2, range(64, 66), finish=False)
    assert page_rows(benchmark) == [*range(10, 15), *range(32, 66)]
    assert results.page(benchmark.benchmark_id, 1, 0).total == 39


def test_a_part_counts_over_the_journal_that_it_came_from(
    benchmark: Benchmark, write: Write
) -> None:
    write(0, range(3), text="part")
    write(0, range(2), finish=False, text="left over")
    assert page_rows(benchmark) == [0, 1, 2]


def test_of_two_writers_of_a_journal_the_later_counts(benchmark: Benchmark, write: Write) -> None:
    write(0, range(2), finish=False, finish_reason="first")
    write(0, range(1), finish=False, finish_reason="second")
    page = results.page(benchmark.benchmark_id, 10, 0)
    assert [result.finish_reason for result in page.results] == ["second", "first"]


def test_an_engine_that_gave_no_answer_is_an_error_without_response(
    benchmark: Benchmark, write: Write
) -> None:
    problem = {"code": "lost", "message": "The engine died."}
    write(0, range(1), body=None, error=orjson.dumps(problem).decode(), status_code=0)
    (result,) = results.page(benchmark.benchmark_id, 1, 0).results
    assert result.response is None
    assert result.error is not None
    assert result.error.model_dump() == problem


def test_an_unknown_benchmark(database: str) -> None:
    with pytest.raises(NotFound) as caught:
        results.page("bm_nope", 10, 0)
    assert caught.value.code == "benchmark_not_found"
