"""Batches from validation to the files they leave, on both databases, without Ray.

The states as a client sees them are in tests/openai_api; here is what it cannot see: kills between
two steps, races with the page, and a benchmark that goes another way.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from factories import CHAT, MODEL_ID, chat, jsonl, record

from cluster.database import session
from cluster.storage import storage
from jobs import (
    batch_steps,
    batches,
    benchmarks,
    datasets,
    export,
    files,
    request_file,
    retry,
    scheduler,
)
from jobs.errors import Conflict
from jobs.models import BatchRow
from jobs.parts import Chunk
from jobs.schemas.benchmarks import Status
from jobs.schemas.datasets import Dataset
from jobs.schemas.openai import Batch, BatchStatus, CreateBatch
from jobs.schemas.requests import Endpoint
from jobs.schemas.sampling import Sampling

ROWS = 40  # two chunks, of 32 and of 8

Make = Callable[..., Batch]


@pytest.fixture
def make(model_id: str, upload: Callable[..., Dataset]) -> Make:
    """A new batch of ``ROWS`` requests."""

    def create(**fields: Any) -> Batch:
        body = chat()["body"] | {"model": model_id}
        dataset = upload(*(chat(f"r-{i}", body=body) for i in range(ROWS)))
        asked = {
            "input_file_id": datasets.file_id(dataset.id),
            "endpoint": CHAT,
            "completion_window": "24h",
        }
        return batches.create(CreateBatch.model_validate(asked | fields))

    return create


def benchmark_of(batch: Batch) -> str:
    return batch.id.replace("batch_", "bm_")


def begin(batch: Batch) -> str:
    """Take the batch to where its benchmark runs; the benchmark."""
    batch_steps.step()
    benchmark_id = benchmark_of(batch)
    with session() as sql:
        assert benchmarks.advance(sql, benchmark_id, [Status.QUEUED], Status.RUNNING)
    return benchmark_id


def answer(benchmark_id: str, rows: range, *, finish: bool = True, **fields: Any) -> None:
    chunk = Chunk(benchmark_id, rows.start // 32)
    chunk.open()
    for row in rows:
        chunk.add(record(row, **fields))
    if finish:
        chunk.finish()
    elif chunk._file is not None:
        chunk._file.close()


def answer_all(benchmark_id: str) -> None:
    answer(benchmark_id, range(32))
    answer(benchmark_id, range(32, ROWS))


def read(file_id: str | None) -> list[dict[str, Any]]:
    if file_id is None:
        return []
    return [orjson.loads(line) for line in storage().read(files.key(file_id)).splitlines()]


def expire(batch: Batch) -> None:
    with session() as sql:
        sql.get_one(BatchRow, batch.id).expires_at = datetime.now(UTC) - timedelta(seconds=1)


def test_a_batch_becomes_a_benchmark_and_then_files(make: Make) -> None:
    batch = make(
        metadata={"a": "b"}, output_expires_after={"anchor": "created_at", "seconds": 3600}
    )
    assert batch.status is BatchStatus.VALIDATING
    benchmark_id = begin(batch)
    assert batches.get(batch.id).status is BatchStatus.IN_PROGRESS

    answer(benchmark_id, range(32), cached_tokens=2)
    thought = {"usage": {"completion_tokens_details": {"reasoning_tokens": 3}}}
    answer(benchmark_id, range(32, 39), finish=False, body=orjson.dumps(thought).decode())
    answer(benchmark_id, range(39, 40), status_code=400, prompt_tokens=None, output_tokens=None)
    assert scheduler.settle(benchmark_id, Status.COMPLETED)
    batch_steps.step()

    ended = batches.get(batch.id)
    assert ended.status is BatchStatus.COMPLETED
    assert ended.request_counts.model_dump() == {"total": 40, "completed": 39, "failed": 1}
    assert ended.usage.model_dump() == {
        "input_tokens": 39 * 5,
        "input_tokens_details": {"cached_tokens": 64},
        "output_tokens": 39 * 7,
        "output_tokens_details": {"reasoning_tokens": 21},
        "total_tokens": 39 * 12,
    }
    assert ended.model == MODEL_ID
    assert [line["custom_id"] for line in read(ended.output_file_id)] == [
        f"r-{i}" for i in range(39)
    ]
    assert [line["custom_id"] for line in read(ended.error_file_id)] == ["r-39"]
    for file_id in (ended.output_file_id, ended.error_file_id):
        assert file_id is not None
        file = files.get(file_id)
        assert file.expires_at == file.created_at + 3600


def test_a_step_says_when_the_queue_has_changed(make: Make) -> None:
    batch = make()
    assert batch_steps.step()  # a benchmark was queued
    assert not batch_steps.step()
    batches.cancel(batch.id)
    assert not batch_steps.step()


def test_a_kill_between_benchmark_and_batch_makes_no_second_benchmark(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = make()

    def killed(*_: Any, **__: Any) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(batches, "advance", killed)
        with pytest.raises(KeyboardInterrupt):
            batch_steps.step()
    assert batches.get(batch.id).status is BatchStatus.VALIDATING

    batch_steps.step()

    assert batches.get(batch.id).status is BatchStatus.IN_PROGRESS
    listed, _ = benchmarks.all_benchmarks(10, 0)
    assert [one.benchmark_id for one in listed] == [benchmark_of(batch)]


def test_a_kill_after_the_files_were_written_writes_them_again(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = make()
    benchmark_id = begin(batch)
    answer_all(benchmark_id)
    scheduler.settle(benchmark_id, Status.COMPLETED)
    real = batches.advance

    def killed(sql: Any, batch_id: str, expected: Any, status: BatchStatus, **values: Any) -> bool:
        if status.is_terminal():
            raise KeyboardInterrupt
        return real(sql, batch_id, expected, status, **values)

    with monkeypatch.context() as patched:
        patched.setattr(batches, "advance", killed)
        with pytest.raises(KeyboardInterrupt):
            batch_steps.step()
    assert batches.get(batch.id).status is BatchStatus.FINALIZING
    assert files.page(10, None, "desc", "batch_output").data == []

    batch_steps.step()

    ended = batches.get(batch.id)
    assert ended.status is BatchStatus.COMPLETED
    assert len(read(ended.output_file_id)) == ROWS
    assert len(storage().list("files")) == 1


def test_one_batch_that_cannot_go_on_does_not_hold_up_others(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make(), make()
    for benchmark_id in (begin(first), begin(second)):
        answer_all(benchmark_id)
        scheduler.settle(benchmark_id, Status.COMPLETED)
    monkeypatch.setattr(export, "in_order", _only(second, export.in_order))
    batch_steps.step()
    assert batches.get(first.id).status is BatchStatus.FINALIZING
    assert batches.get(second.id).status is BatchStatus.COMPLETED


def _only(batch: Batch, real: Callable[..., Any]) -> Callable[..., Any]:
    def in_order(benchmark_id: str, *args: Any, **more: Any) -> Any:
        if benchmark_id != benchmark_of(batch):
            raise OSError(28, "No space left on device")
        return real(benchmark_id, *args, **more)

    return in_order


def test_an_expired_batch_returns_what_was_finished(make: Make) -> None:
    batch = make()
    benchmark_id = begin(batch)
    answer(benchmark_id, range(32))
    answer(benchmark_id, range(32, 35), finish=False)
    expire(batch)

    assert batch_steps.step()
    assert batches.get(batch.id).status is BatchStatus.FINALIZING
    assert benchmarks.get(benchmark_id).status is Status.CANCELLING
    assert not batch_steps.step()  # the job is stopping
    scheduler.settle(benchmark_id, Status.CANCELLED)
    batch_steps.step()

    ended = batches.get(batch.id)
    assert ended.status is BatchStatus.EXPIRED
    assert ended.expired_at is not None
    assert ended.cancelled_at is None
    assert len(read(ended.output_file_id)) == 35
    rest = read(ended.error_file_id)
    assert [line["custom_id"] for line in rest] == [f"r-{i}" for i in range(35, 40)]
    assert {line["error"]["code"] for line in rest} == {"batch_expired"}
    assert ended.request_counts.model_dump() == {"total": 40, "completed": 35, "failed": 0}


def test_a_batch_that_waited_too_long_expires_without_having_begun(make: Make) -> None:
    batch = make()
    expire(batch)
    batch_steps.step()
    ended = batches.get(batch.id)
    assert (ended.status, ended.output_file_id) == (BatchStatus.EXPIRED, None)
    assert len(read(ended.error_file_id)) == ROWS
    assert benchmarks.all_benchmarks(10, 0) == ([], 0)


def test_what_is_complete_when_the_window_ends_is_completed(make: Make) -> None:
    batch = make()
    benchmark_id = begin(batch)
    answer_all(benchmark_id)
    scheduler.settle(benchmark_id, Status.COMPLETED)
    expire(batch)
    batch_steps.step()
    assert batches.get(batch.id).status is BatchStatus.COMPLETED


def test_cancelling_the_benchmark_cancels_the_batch(make: Make) -> None:
    batch = make()
    benchmark_id = begin(batch)
    answer(benchmark_id, range(32))
    benchmarks.cancel(benchmark_id)
    batch_steps.step()
    assert batches.get(batch.id).status is BatchStatus.CANCELLING
    scheduler.settle(benchmark_id, Status.CANCELLED)
    batch_steps.step()
    ended = batches.get(batch.id)
    assert ended.status is BatchStatus.CANCELLED
    assert (len(read(ended.output_file_id)), len(read(ended.error_file_id))) == (32, 8)


def test_cancelling_the_batch_cancels_the_benchmark(make: Make) -> None:
    batch = make()
    benchmark_id = begin(batch)
    assert batches.cancel(batch.id).status is BatchStatus.CANCELLING
    assert benchmarks.get(benchmark_id).status is Status.CANCELLING


def test_a_batch_cancelled_while_it_is_validated_leaves_no_benchmark_at_work(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = make()
    real = benchmarks.create

    def create(*args: Any, **more: Any) -> Any:
        batches.cancel(batch.id)
        return real(*args, **more)

    monkeypatch.setattr(benchmarks, "create", create)
    batch_steps.step()
    assert batches.get(batch.id).status is BatchStatus.CANCELLING
    batch_steps.step()
    assert benchmarks.get(benchmark_of(batch)).status is Status.CANCELLED
    batch_steps.step()
    ended = batches.get(batch.id)
    assert ended.status is BatchStatus.CANCELLED
    assert len(read(ended.error_file_id)) == ROWS


def test_a_batch_is_cancelled_while_its_files_are_written(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = make()
    benchmark_id = begin(batch)
    answer_all(benchmark_id)
    scheduler.settle(benchmark_id, Status.COMPLETED)
    real = request_file.custom_ids

    def custom_ids(dataset_id: str) -> Any:
        batches.cancel(batch.id)
        return real(dataset_id)

    with monkeypatch.context() as patched:
        patched.setattr(request_file, "custom_ids", custom_ids)
        batch_steps.step()
    assert batches.get(batch.id).status is BatchStatus.CANCELLING
    batch_steps.step()
    ended = batches.get(batch.id)
    assert ended.status is BatchStatus.CANCELLED
    assert len(read(ended.output_file_id)) == ROWS


def test_a_failed_benchmark_fails_its_batch_and_what_was_finished_is_kept(make: Make) -> None:
    batch = make()
    benchmark_id = begin(batch)
    answer(benchmark_id, range(32))
    scheduler.settle(benchmark_id, Status.FAILED, "out of memory")
    batch_steps.step()
    ended = batches.get(batch.id)
    assert ended.status is BatchStatus.FAILED
    assert ended.errors is not None
    assert [error.message for error in ended.errors.data] == ["out of memory"]
    assert (len(read(ended.output_file_id)), len(read(ended.error_file_id))) == (32, 8)


def test_retrying_failed_requests_waits_for_what_it_gives(make: Make) -> None:
    """The page may ask failed requests again in the second before the files are written."""
    batch = make()
    benchmark_id = begin(batch)
    answer(benchmark_id, range(32))
    answer(benchmark_id, range(32, ROWS), status_code=500)
    scheduler.settle(benchmark_id, Status.COMPLETED)
    with session() as sql:
        finalizing = {"outcome": "completed", "finalizing_at": datetime.now(UTC)}
        batches.advance(sql, batch.id, ["in_progress"], BatchStatus.FINALIZING, **finalizing)
    retry.retry_failed(benchmark_id)

    assert not batch_steps.step()
    assert batches.get(batch.id).status is BatchStatus.FINALIZING

    answer(benchmark_id, range(32, ROWS))
    scheduler.settle(benchmark_id, Status.COMPLETED)
    batch_steps.step()
    ended = batches.get(batch.id)
    assert ended.request_counts.model_dump() == {"total": 40, "completed": 40, "failed": 0}
    assert ended.error_file_id is None


def test_an_ended_batch_stays_as_it_is_whatever_becomes_of_its_benchmark(make: Make) -> None:
    batch = make()
    benchmark_id = begin(batch)
    answer(benchmark_id, range(32))
    answer(benchmark_id, range(32, ROWS), status_code=500)
    scheduler.settle(benchmark_id, Status.COMPLETED)
    with pytest.raises(Conflict, match="still writing"):
        benchmarks.delete(benchmark_id)
    batch_steps.step()
    ended = batches.get(batch.id)

    retry.retry_failed(benchmark_id)
    batch_steps.step()
    assert batches.get(batch.id) == ended
    benchmarks.cancel(benchmark_id)
    benchmarks.delete(benchmark_id)
    batch_steps.step()
    assert batches.get(batch.id) == ended
    assert len(read(ended.output_file_id)) == 32


def test_a_benchmark_that_was_made_otherwise_is_no_batch(
    make: Make, upload: Callable[..., Dataset], model_id: str
) -> None:
    benchmarks.create(model_id, upload(chat()).id, Sampling())
    assert batches.page(10, None).data == []


@pytest.mark.parametrize(
    ("lines", "endpoint", "expected"),
    [
        ([{"model": MODEL_ID}, {"model": MODEL_ID}], CHAT, []),
        ([{"model": MODEL_ID}, {"model": "other"}], CHAT, [("model_not_found", 2)]),
        ([{}, {"model": MODEL_ID}], CHAT, [("invalid_request", 1)]),
        ([{"model": MODEL_ID}, {"model": 5}], CHAT, [("invalid_request", 2)]),
        ([{"model": MODEL_ID}], "/v1/completions", [("invalid_url", 1)]),
        ([{"model": MODEL_ID, "stream": True}], CHAT, [("streaming_unsupported", 1)]),
        ([{"model": MODEL_ID, "stream": False}], CHAT, []),
        ([{"model": MODEL_ID, "stop": '"stream"'}], CHAT, []),
    ],
)
def test_lines_are_held_against_the_batch(
    models_folder: Any,
    upload: Callable[..., Dataset],
    lines: list[dict[str, Any]],
    endpoint: str,
    expected: list[tuple[str, int]],
) -> None:
    body = chat()["body"]
    dataset = upload(*(chat(f"r-{i}", body=body | own) for i, own in enumerate(lines)))
    batch = batches.create(
        CreateBatch(
            input_file_id=datasets.file_id(dataset.id),
            endpoint=Endpoint(endpoint),
            completion_window="24h",
        )
    )
    batch_steps.step()
    found = batches.get(batch.id).errors
    assert [(error.code, error.line) for error in (found.data if found else [])] == expected


def test_bad_lines_and_lines_that_do_not_fit_are_listed_together(
    models_folder: Any, configure: Callable[..., None]
) -> None:
    configure(max_reported_errors=3)
    with files.upload("mixed.jsonl") as upload:
        upload.feed(jsonl(chat("a", body=chat()["body"] | {"model": "none"})) + b"{\n[]\n{\n")
        file = files.store(upload, None)
    batch = batches.create(
        CreateBatch(input_file_id=file.id, endpoint=Endpoint.CHAT, completion_window="24h")
    )
    batch_steps.step()
    found = batches.get(batch.id)
    assert found.status is BatchStatus.FAILED
    assert found.errors is not None
    assert [error.line for error in found.errors.data] == [1, 2, 3]


def test_ticks_do_not_overlap_and_go_on_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    go, calls, woken = threading.Event(), [0], threading.Event()

    def step() -> bool:
        calls[0] += 1
        if calls[0] == 1:
            assert go.wait(60)
            raise OSError("the database is away")
        return True

    monkeypatch.setattr(batch_steps, "step", step)
    monkeypatch.setattr(files, "remove_expired", lambda: None)
    steps = batch_steps.BatchSteps(wake=woken.set)
    for _ in range(3):
        steps.tick()
    assert calls == [1]
    go.set()
    while not woken.wait(0.01):
        steps.tick()
    assert calls[0] >= 2
