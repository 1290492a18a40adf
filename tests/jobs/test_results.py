"""Pages of results, while a benchmark runs and afterwards."""

from collections.abc import Callable

import orjson
import pytest

from jobs import results
from jobs.errors import NotFound
from jobs.schemas import Benchmark, Status

Write = Callable[..., None]


def page_rows(benchmark: Benchmark, limit: int = 1000, offset: int = 0) -> list[int]:
    page = results.page(benchmark.benchmark_id, limit, offset)
    return [result.row_id for result in page.results]


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
