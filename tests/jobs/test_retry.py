"""Asking failed requests again."""

# ruff: noqa: F401, F811 - fixtures are imported

import threading
from itertools import chain
from typing import Any

import pytest
from ext_fixtures import failure, make_benchmark, place, record, store_dataset, write

from cluster import ray_jobs
from cluster.storage import storage
from jobs import (
    benchmarks,
    datasets,
    export,
    golden,
    history,
    marks,
    parts,
    rerun,
    results,
    retry,
    scheduler,
    totals,
)
from jobs.errors import Conflict, NotFound
from jobs.schemas.benchmarks import Status
from jobs.tracker import Tracker


def _rows(benchmark_id: str) -> list[tuple[int, int]]:
    page = results.page(benchmark_id, 1000, 0)
    return [(one.row_id, one.status_code) for one in page.results]


def _mixed(failed: set[int], count: int = 70) -> list[Any]:
    return [failure(i) if i in failed else record(i) for i in range(count)]


@pytest.fixture
def jobs(monkeypatch):
    """Ray's jobs: the ids that were submitted, and a status for each."""
    submitted: dict[str, Any] = {}
    monkeypatch.setattr(ray_jobs, "submit", lambda job_id, *_, **__: submitted.update({job_id: 0}))
    monkeypatch.setattr(ray_jobs, "status", submitted.get)
    monkeypatch.setattr(ray_jobs, "logs", lambda _: "")
    monkeypatch.setattr(scheduler, "_total_gpus", lambda: 0)
    return submitted


def _to_do(benchmark_id: str, index: int) -> set[int]:
    """Rows of a chunk that a job would ask."""
    chunk = parts.Chunk(benchmark_id, index)
    chunk.open(history.superseded(benchmark_id, index))
    assert chunk._file is not None
    chunk._file.close()
    return set(range(index * 32, min(index * 32 + 32, 70))) - chunk.records.keys()


def test_failures_stay_until_there_is_a_newer_result(make_benchmark):
    benchmark_id = make_benchmark(_mixed({3, 40}))
    before = _rows(benchmark_id)
    queued = retry.retry_failed(benchmark_id)
    assert (queued.status, queued.completed, queued.failed) == (Status.QUEUED, 68, 0)
    assert (queued.progress, queued.completed_at, queued.queue_position) == (97, None, 1)
    assert parts.done(benchmark_id) == {2}
    assert _rows(benchmark_id) == before
    assert b"".join(export.download(benchmark_id, "jsonl")).count(b"\n") == 70


def test_the_job_then_does_only_what_failed(make_benchmark):
    benchmark_id = make_benchmark(_mixed({3, 40}))
    before = {one.row_id: one for one in results.page(benchmark_id, 100, 0).results}
    retry.retry_failed(benchmark_id)
    assert (_to_do(benchmark_id, 0), _to_do(benchmark_id, 1)) == ({3}, {40})
    write(benchmark_id, [record(3, "at last"), record(40, "at last")])
    after = {one.row_id: one for one in results.page(benchmark_id, 100, 0).results}
    assert (after[3].text, after[40].text) == ("at last", "at last")
    assert {i: one for i, one in after.items() if i not in (3, 40)} == {
        i: one for i, one in before.items() if i not in (3, 40)
    }


def test_earlier_attempts_are_kept(make_benchmark, jobs):
    benchmark_id = make_benchmark(_mixed({3}))
    for text in ("again no", "yes"):
        retry.retry_failed(benchmark_id)
        scheduler.admit()
        assert _to_do(benchmark_id, 0) == {3}
        make = record if text == "yes" else failure
        write(benchmark_id, [make(3, text, request_id=text)])
        assert scheduler.settle(benchmark_id, Status.COMPLETED)
    detail = results.get(benchmark_id, 3)
    assert detail.result.text == "yes"
    assert [one.text for one in detail.earlier] == ["rejected", "again no"]
    assert results.get(benchmark_id, 4).earlier == []


def test_failures_in_journals(make_benchmark):
    benchmark_id = make_benchmark(_mixed({3, 65}), status=Status.CANCELLED, ended=False)
    assert parts.done(benchmark_id) == {0, 1}
    queued = retry.retry_failed(benchmark_id)
    assert queued.completed == 68
    assert (_to_do(benchmark_id, 0), _to_do(benchmark_id, 2)) == ({3}, {65})


def test_a_cancelled_benchmark_without_failures_goes_on(make_benchmark):
    records = [record(i) for i in range(70) if i != 50]
    benchmark_id = make_benchmark(records, status=Status.CANCELLED, ended=False)
    assert retry.retry_failed(benchmark_id).status is Status.QUEUED
    assert parts.done(benchmark_id) == {0}


def test_nothing_to_retry(make_benchmark):
    benchmark_id = make_benchmark([record(0)])
    with pytest.raises(Conflict) as caught:
        retry.retry_failed(benchmark_id)
    assert caught.value.code == "nothing_to_retry"
    assert benchmarks.get(benchmark_id).status is Status.COMPLETED


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING, Status.CANCELLING])
def test_only_ended_ones(make_benchmark, status):
    benchmark_id = make_benchmark([failure(0)], status=status)
    with pytest.raises(Conflict) as caught:
        retry.retry_failed(benchmark_id)
    assert caught.value.code == "benchmark_live"
    assert _rows(benchmark_id) == [(0, 400)]


def test_of_two_at_once_one_is_refused(make_benchmark, monkeypatch):
    benchmark_id = make_benchmark(_mixed({3}))
    reopen = retry._reopen

    def meanwhile(*arguments):
        monkeypatch.setattr(retry, "_reopen", reopen)
        retry.retry_failed(benchmark_id)
        return reopen(*arguments)

    monkeypatch.setattr(retry, "_reopen", meanwhile)
    with pytest.raises(Conflict) as caught:
        retry.retry_failed(benchmark_id)
    assert caught.value.code == "benchmark_live"
    assert len(_rows(benchmark_id)) == 70


def test_killed_after_the_journals(make_benchmark, monkeypatch):
    benchmark_id = make_benchmark(_mixed({3}))
    before = _rows(benchmark_id)

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(benchmarks, "advance", killed)
        with pytest.raises(KeyboardInterrupt):
            retry.retry_failed(benchmark_id)
    assert storage().exists(parts.journal_key(benchmark_id, 0))
    assert _rows(benchmark_id) == before
    assert b"".join(export.download(benchmark_id, "jsonl")).count(b"\n") == 70


def test_killed_while_parts_are_deleted(make_benchmark, monkeypatch):
    benchmark_id = make_benchmark(_mixed({3, 40}))
    before = _rows(benchmark_id)
    delete = type(storage()).delete
    deleted: list[str] = []

    def once(self, key):
        if deleted:
            raise KeyboardInterrupt
        deleted.append(key)
        delete(self, key)

    with monkeypatch.context() as patch:
        patch.setattr(type(storage()), "delete", once)
        with pytest.raises(KeyboardInterrupt):
            retry.retry_failed(benchmark_id)
    assert benchmarks.get(benchmark_id).status is Status.COMPLETED
    assert _rows(benchmark_id) == before
    assert retry.retry_failed(benchmark_id).completed == 68
    assert _rows(benchmark_id) == before


def test_marks_of_what_is_asked_again_go(make_benchmark):
    benchmark_id = make_benchmark(_mixed({3}))
    for row_id in (3, 4):
        results.mark(benchmark_id, row_id)
    retry.retry_failed(benchmark_id)
    assert set(marks.kinds(benchmark_id)) == {4}


def test_each_job_has_an_id_that_ray_does_not_know(make_benchmark, jobs):
    benchmark_id = make_benchmark(_mixed({3}))
    jobs[benchmark_id] = ray_jobs.JobStatus.SUCCEEDED
    for number in (2, 3):
        retry.retry_failed(benchmark_id)
        scheduler.admit()
        current = benchmarks.get(benchmark_id)
        assert (current.status, current.attempts) == (Status.RUNNING, number)
        assert list(jobs)[-1] == f"{benchmark_id}-{number}"
        write(benchmark_id, [failure(3)])
        assert scheduler.settle(benchmark_id, Status.COMPLETED)
    ended = benchmarks.get(benchmark_id)
    assert (ended.completed, ended.failed, ended.total) == (69, 1, 70)
    assert ended.total_time_seconds is not None
    assert ended.total_time_seconds >= 60


def test_a_retry_has_all_its_attempts(make_benchmark, jobs):
    benchmark_id = make_benchmark(_mixed({3}))
    retry.retry_failed(benchmark_id)
    scheduler.admit()
    for expected in (Status.RUNNING, Status.RUNNING, Status.FAILED):
        jobs.update(dict.fromkeys(jobs, ray_jobs.JobStatus.FAILED))
        scheduler.reconcile()
        assert benchmarks.get(benchmark_id).status is expected
    assert list(jobs) == [f"{benchmark_id}-{number}" for number in (2, 3, 4)]
    ended = benchmarks.get(benchmark_id)
    assert "after 3 attempts" in (ended.error or "")
    # What is in a journal still counts.
    assert (ended.completed, ended.failed) == (69, 1)


def test_a_benchmark_cancelled_before_its_first_job(make_benchmark, jobs):
    benchmark_id = make_benchmark([record(0)])
    again = rerun.rerun(benchmark_id).benchmark_id
    benchmarks.cancel(again)
    retry.retry_failed(again)
    scheduler.admit()
    assert list(jobs) == [again]


def test_a_retry_waits_behind_what_was_queued_before_it(make_benchmark):
    old = make_benchmark([failure(0)])
    queued = rerun.rerun(old)
    assert retry.retry_failed(old).queue_position == 2
    assert benchmarks.get(queued.benchmark_id).queue_position == 1


def test_throughput_leaves_out_the_time_between(make_benchmark):
    day = 24 * 3600
    began = 1_735_689_600.0
    rows = [record(i, finished_at=began + 1 + i, latency_ms=1000.0) for i in range(3)]
    rows.append(record(3, finished_at=began + day, latency_ms=2000.0))
    # Overlapping requests are not counted twice.
    rows.append(record(4, finished_at=began + day, latency_ms=1500.0))
    assert totals.count(make_benchmark(rows)).generation_seconds == pytest.approx(5.0)


def test_deleted_dataset(make_benchmark):
    benchmark_id = make_benchmark([failure(0)])
    datasets.delete(benchmarks.get(benchmark_id).dataset_id)
    for call in (rerun.rerun, retry.retry_failed):
        with pytest.raises(Conflict) as caught:
            call(benchmark_id)
        assert caught.value.code == "dataset_deleted"
    assert _rows(benchmark_id) == [(0, 400)]


def test_the_tracker_forgets_the_counts_of_the_run_before(make_benchmark, jobs):
    benchmark_id = make_benchmark(_mixed({3}))
    tracker = Tracker.__new__(Tracker)  # without its thread
    tracker._lock, tracker._progress, tracker._admitted = threading.Lock(), {}, {}
    retry.retry_failed(benchmark_id)
    scheduler.admit()
    tracker._write()
    known = tracker._of(benchmark_id)
    tracker._write()
    assert tracker._of(benchmark_id) is known
    # It ends, is retried and admitted between two looks of the tracker.
    write(benchmark_id, [failure(3)])
    scheduler.settle(benchmark_id, Status.COMPLETED)
    retry.retry_failed(benchmark_id)
    scheduler.admit()
    tracker._write()
    assert tracker._of(benchmark_id) is not known
    assert benchmarks.get(benchmark_id).failed == 0


def test_who_reads_while_chunks_are_reopened_sees_every_row(make_benchmark, monkeypatch):
    benchmark_id = make_benchmark(_mixed({3, 40}))
    before = _rows(benchmark_id)
    snapshot = parts.snapshot

    def retried_after_the_look(*arguments: Any) -> Any:
        seen = snapshot(*arguments)
        monkeypatch.setattr(parts, "snapshot", snapshot)
        retry.retry_failed(benchmark_id)
        return seen

    monkeypatch.setattr(parts, "snapshot", retried_after_the_look)
    assert _rows(benchmark_id) == before


def test_an_export_goes_on_when_its_chunks_are_reopened(make_benchmark):
    benchmark_id = make_benchmark(_mixed({3, 40}))
    chunks = export.in_order(benchmark_id)
    rows = list(next(chunks))
    retry.retry_failed(benchmark_id)
    rows += chain.from_iterable(chunks)
    assert [row["row_id"] for row in rows] == list(range(70))
