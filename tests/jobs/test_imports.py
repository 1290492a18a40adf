"""Results from a file: what is taken, what is refused and where, and that all of it is there."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from factories import chat, chats, embedding, jsonl
from factories import output_line as line

from cluster.storage import storage
from jobs import (
    benchmarks,
    compare,
    datasets,
    export,
    imported,
    parts,
    registry,
    rerun,
    results,
    retry,
    totals,
)
from jobs.errors import Conflict, InvalidRequest, NotFound, TooLarge
from jobs.imports import Import, InvalidResults
from jobs.schemas.benchmarks import Status
from jobs.schemas.datasets import Dataset
from jobs.schemas.imports import ResultsImported

Upload = Callable[..., Dataset]

# tests/serve_app/test_import_route.py writes the same rows to both databases.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def bring(
    dataset: Dataset, content: bytes, name: str = "Current system", file: str = "out.jsonl"
) -> ResultsImported:
    with Import(dataset.id, name, file) as opened:
        for start in range(0, len(content), 1000):
            opened.feed(content[start : start + 1000])
        return opened.finish()


@pytest.fixture
def dataset(upload: Upload) -> Dataset:
    return upload(*chats(3))


def refused(dataset: Dataset, content: bytes) -> dict[str, Any]:
    with pytest.raises(InvalidResults) as caught:
        bring(dataset, content)
    assert benchmarks.all_benchmarks(10, 0) == ([], 0)
    assert storage().list("benchmarks") == []
    return caught.value.details


def test_a_batch_output_becomes_a_finished_benchmark(dataset: Dataset) -> None:
    content = jsonl(line("r-2", "c"), line("r-0", "a"), line("r-1", "b"))
    answer = bring(dataset, b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n") + b"\r\n")
    assert (answer.completed, answer.failed, answer.missing, answer.unmatched) == (3, 0, 0, 0)
    found = benchmarks.get(answer.benchmark_id)
    assert (found.status, found.engine, found.model_name) == (
        Status.COMPLETED,
        "imported",
        "Current system",
    )
    assert (found.completed, found.failed, found.total, found.progress) == (3, 0, 3, 100)
    assert (found.prompt_tokens, found.output_tokens) == (15, 6)
    page = results.page(answer.benchmark_id, 10, 0)
    assert [(one.custom_id, one.text) for one in page.results] == [
        ("r-0", "a"),
        ("r-1", "b"),
        ("r-2", "c"),
    ]
    (first, *_) = page.results
    assert (first.prompt, first.finish_reason, first.latency_ms) == ("Question 0", "stop", None)
    assert first.response is not None
    assert first.response.body["usage"]["prompt_tokens"] == 5


def test_what_is_exported_can_be_imported(dataset: Dataset) -> None:
    refusal = {"status_code": 400, "request_id": "r", "body": {"error": {"message": "too long"}}}
    content = jsonl(
        line("r-0"),
        line("r-1", response=refusal),
        line("r-2", response=None, error={"code": "batch_expired", "message": "Not in time."}),
    )
    first = bring(dataset, content)
    exported = b"".join(export.download(first.benchmark_id, "jsonl"))
    second = bring(dataset, exported)
    assert (first.completed, first.failed) == (second.completed, second.failed) == (1, 2)
    pages = [results.page(one.benchmark_id, 10, 0).results for one in (first, second)]
    for before, after in zip(*pages, strict=True):
        kept = {"custom_id", "status_code", "text", "error", "finish_reason", "output_tokens"}
        assert before.model_dump(include=kept) == after.model_dump(include=kept)
    assert [one.text for one in pages[0]] == ["Yes", "too long", "Not in time."]
    assert [one.status_code for one in pages[0]] == [200, 400, 0]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv(dataset: Dataset, delimiter: str) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter)
    long = "x" * 200_000
    writer.writerows(
        [
            ["score", "custom_id", "response"],
            [1, "r-1", 'says "no",\nthen; yes'],
            [2, "r-0", ""],
            [3, "r-2", long],
        ]
    )
    answer = bring(dataset, buffer.getvalue().encode("utf-8-sig"), file="out.csv")
    assert (answer.completed, answer.failed) == (3, 0)
    page = results.page(answer.benchmark_id, 10, 0)
    assert [one.text for one in page.results] == ["", 'says "no",\nthen; yes', long]
    assert page.results[0].response is not None
    (choice,) = page.results[0].response.body["choices"]
    assert choice["message"] == {"role": "assistant", "content": ""}


def test_csv_for_completions(upload: Upload) -> None:
    dataset = upload(chat("r-0", url="/v1/completions", body={"prompt": "Once"}))
    answer = bring(dataset, b"custom_id,response\nr-0,upon a time\n")
    (result,) = results.page(answer.benchmark_id, 10, 0).results
    assert result.text == "upon a time"
    assert result.response is not None
    assert result.response.body["choices"][0]["text"] == "upon a time"


def test_csv_is_no_answer_to_embeddings(upload: Upload) -> None:
    with pytest.raises(InvalidRequest) as caught:
        bring(upload(embedding("r-0")), b"custom_id,response\nr-0,0.5\n")
    assert caught.value.code == "csv_for_embeddings"


def test_requests_without_a_result_have_failed_and_other_results_are_reported(
    dataset: Dataset,
) -> None:
    answer = bring(dataset, jsonl(line("x-1"), line("r-1"), line("x-2")))
    assert (answer.completed, answer.failed, answer.missing, answer.unmatched) == (1, 2, 2, 2)
    assert [(one.line, one.custom_id) for one in answer.unmatched_lines] == [(1, "x-1"), (3, "x-2")]
    found = results.page(answer.benchmark_id, 10, 0)
    assert found.total == 3
    assert [one.error and one.error.code for one in found.results] == [
        "missing_result",
        None,
        "missing_result",
    ]


def test_nothing_matches(dataset: Dataset) -> None:
    with pytest.raises(InvalidRequest, match="'x-1', on line 1") as caught:
        bring(dataset, jsonl(line("x-1"), line("x-2")))
    assert caught.value.code == "nothing_matches"
    assert storage().list("benchmarks") == []


def test_many_chunks(upload: Upload) -> None:
    dataset = upload(*chats(100))
    content = jsonl(*(line(f"r-{i}", f"answer {i}") for i in reversed(range(100))))
    answer = bring(dataset, content)
    assert parts.done(answer.benchmark_id) == {0, 1, 2, 3}
    page = results.page(answer.benchmark_id, 200, 0)
    assert [one.text for one in page.results] == [f"answer {i}" for i in range(100)]
    assert totals.count(answer.benchmark_id).finished == 100


def test_a_bad_line_refuses_the_file(dataset: Dataset) -> None:
    details = refused(dataset, jsonl(line("r-0")) + b"{\n" + jsonl(line("r-2")))
    (error,) = details["errors"]
    assert (error["line"], error["code"], details["total_errors"]) == (2, "invalid_json", 1)


def test_two_results_of_one_request_are_refused(dataset: Dataset) -> None:
    details = refused(dataset, jsonl(line("r-0"), line("r-1"), line("r-0"), line("x"), line("x")))
    assert [(error["line"], error["code"]) for error in details["errors"]] == [
        (3, "duplicate_custom_id"),
        (5, "duplicate_custom_id"),
    ]
    assert "by line 1 already" in details["errors"][0]["message"]


def test_more_errors_than_are_listed(dataset: Dataset, configure: Callable[..., None]) -> None:
    configure(max_reported_errors=2)
    with pytest.raises(InvalidResults, match=r"4 errors \(the first 2 are listed\)\. Line 1:"):
        bring(dataset, b"{\n" * 4)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"custom_id,response\n"])
def test_no_results(dataset: Dataset, content: bytes) -> None:
    with pytest.raises(InvalidResults) as caught:
        bring(dataset, content)
    assert caught.value.code == "empty_results"


def test_limits(dataset: Dataset, configure: Callable[..., None]) -> None:
    configure(max_line_bytes=300)
    (error,) = refused(dataset, jsonl(line("r-0"), line("r-1", "x" * 400)))["errors"]
    assert (error["line"], error["code"]) == (2, "line_too_long")
    configure(max_upload_bytes=100)
    with pytest.raises(TooLarge):
        bring(dataset, jsonl(line("r-0")))


def test_nothing_stays_of_an_import_that_fails(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    def full(*_: Any) -> None:
        raise OSError("no space")

    monkeypatch.setattr(imported, "store", full)
    with pytest.raises(OSError, match="no space"):
        bring(dataset, jsonl(line("r-0")))
    assert storage().list("benchmarks") == []
    assert list((tmp_path / "data" / "scratch").glob("import-*")) == []


def test_the_dataset_may_go_in_the_meantime(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = imported.store

    def deleted_before(*arguments: Any) -> None:
        datasets.delete(dataset.id)
        store(*arguments)

    monkeypatch.setattr(imported, "store", deleted_before)
    with pytest.raises(NotFound):
        bring(dataset, jsonl(line("r-0")))
    assert storage().list("benchmarks") == []


def test_the_model_is_named_by_benchmarks_only(dataset: Dataset, model_id: str) -> None:
    first = bring(dataset, jsonl(line("r-0")), name="Système actuel")
    again = bring(dataset, jsonl(line("r-0")), name="Système actuel")
    other = bring(dataset, jsonl(line("r-0")), name="现有系统")
    ids = [benchmarks.get(one.benchmark_id).model_id for one in (first, again, other)]
    assert ids[0] == ids[1] != ids[2]
    assert [benchmarks.get(one.benchmark_id).model_name for one in (first, other)] == [
        "Système actuel",
        "现有系统",
    ]
    assert all(one.startswith("imported/") for one in ids)
    registry.load()
    assert [model.model_id for model in registry.all_models()] == [model_id]
    with pytest.raises(NotFound):
        registry.get(ids[0])


def test_nothing_can_be_asked_again(dataset: Dataset) -> None:
    answer = bring(dataset, jsonl(line("r-0")))
    for act in (retry.retry_failed, rerun.rerun):
        with pytest.raises(Conflict) as caught:
            act(answer.benchmark_id)
        assert caught.value.code == "imported_results"


def test_it_is_compared_like_any_other(dataset: Dataset) -> None:
    first = bring(dataset, jsonl(line("r-0", "a"), line("r-1", "b")), name="One")
    second = bring(dataset, jsonl(line("r-0", "a"), line("r-1", "c")), name="Two")
    shown = compare.compare([first.benchmark_id, second.benchmark_id], 10, 0)
    assert [one.benchmark.model_name for one in shown.benchmarks] == ["One", "Two"]
    assert [one.statistics.latency_ms for one in shown.benchmarks] == [None, None]
    assert [(row.custom_id, row.similarity == 1) for row in shown.rows] == [
        ("r-1", False),
        ("r-0", True),
        ("r-2", True),
    ]
