"""Datasets and results in a bucket: there once and whole, however the store behaves."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from factories import chats, record
from object_store import CREDENTIALS, ObjectStore, Way
from replicas import do

from cluster.storage import StorageUnavailable, storage
from jobs import (
    benchmarks,
    datasets,
    export,
    graders,
    indexes,
    parts,
    queries,
    request_file,
    results,
    retry,
    scheduler,
    scorer,
    totals,
)
from jobs.analysis import ResultFilter, Sort
from jobs.compare import compare
from jobs.parts import Chunk
from jobs.schemas.benchmarks import BenchmarkSpec, Status
from jobs.schemas.datasets import Dataset
from jobs.scores import columns
from jobs.scoring import GraderDraft

Upload = Callable[..., Dataset]

# Nothing here is about SQL.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _in_a_bucket(database: str, way: Way) -> None:
    pass


def answers(spec: BenchmarkSpec) -> dict[str, str]:
    """Request ids of the engine's answers by custom id."""
    page = results.page(spec.benchmark_id, 1000, 0)
    assert page.total == len(page.results)
    return {one.custom_id: one.response.request_id for one in page.results if one.response}


def test_a_dataset_is_stored_read_swept_and_deleted(
    upload: Upload, object_server: ObjectStore, bucket: str
) -> None:
    dataset = upload(*chats(3000))
    key = f"some/prefix/datasets/{dataset.id}"
    assert object_server.keys(bucket) == [f"{key}/original.jsonl", f"{key}/requests.parquet"]
    page = datasets.page(dataset.id, 5, 2000)
    assert [one.custom_id for one in page.requests] == [f"r-{i}" for i in range(2000, 2005)]
    assert sum(1 for _ in request_file.custom_ids(dataset.id)) == 3000
    datasets.sweep()
    assert len(object_server.keys(bucket)) == 2
    datasets.delete(dataset.id)
    assert object_server.keys(bucket) == []


def test_an_upload_while_the_store_is_away_leaves_nothing(
    upload: Upload, way: Way, object_server: ObjectStore, bucket: str
) -> None:
    storage().patience = 0.2
    way.fault = lambda _method, path, _: "503" if "original" in path else None
    with pytest.raises(StorageUnavailable):
        upload(*chats(3))
    assert datasets.all_datasets(10, 0)[1] == 0
    assert object_server.keys(bucket) == []


def test_a_chunk_goes_on_where_its_writer_was_killed(
    object_server: ObjectStore, bucket: str
) -> None:
    for death in range(3):
        chunk = Chunk("bm_test", 0)
        chunk.open()
        assert chunk.records.keys() == set(range(death))
        assert chunk.deaths == {9: death} if death else not chunk.deaths
        chunk.ask(death, 9)
        chunk.add(record(death))
        assert [one["row_id"] for one in parts.unfinished("bm_test")] == list(range(death + 1))
    again = Chunk("bm_test", 0)
    again.open()
    again.add(record(9), record(8))
    again.finish()
    assert (parts.done("bm_test"), parts.unfinished("bm_test")) == ({0}, [])
    assert parts.read("bm_test", 0)["row_id"].to_pylist() == [0, 1, 2, 8, 9]
    assert again.read_tally() == again.tally
    assert totals.count("bm_test").completed == 5
    assert parts.newest("bm_test") is not None
    assert object_server.keys(bucket) == ["some/prefix/benchmarks/bm_test/parts/0000000.parquet"]


@pytest.mark.parametrize("seed", range(2))
def test_a_store_that_fails_at_random_loses_and_doubles_nothing(
    upload: Upload,
    make: Callable[..., BenchmarkSpec],
    start: Any,
    way: Way,
    object_server: ObjectStore,
    bucket: str,
    seed: int,
) -> None:
    spec = make(upload(*chats(90)))
    chance = random.Random(seed)
    kinds = ["500", "503", "lost", "cut"]
    way.fault = lambda *_: chance.choice(kinds) if chance.random() < 0.3 else None
    assert do(start(spec), 0, 1, 2) == [32, 32, 26]
    parts.sweep(spec.benchmark_id)
    assert way.faults > 5
    way.fault = lambda *_: None
    assert answers(spec).keys() == {f"r-{i}" for i in range(90)}
    assert scheduler.settle(spec.benchmark_id, Status.COMPLETED)
    ended = benchmarks.get(spec.benchmark_id)
    assert (ended.completed, ended.failed, ended.total) == (90, 0, 90)
    keys = object_server.keys(bucket)
    assert [key for key in keys if "/journals/" in key] == []
    assert len([key for key in keys if "/parts/" in key]) == 3
    assert object_server.uploads(bucket) == []


def test_a_store_that_stays_away_stops_the_benchmark_and_nothing_is_asked_twice(
    upload: Upload,
    make: Callable[..., BenchmarkSpec],
    start: Any,
    way: Way,
    configure: Callable[..., None],
) -> None:
    configure(job_storage_patience_seconds=0.3)
    spec = make(upload(*chats(90)))
    # Three chunks say what they ask, and two of them what was answered.
    way.fault = lambda method, _path, _number: (
        "503" if method == "PUT" and way.count("PUT", "/journals/") >= 5 else None
    )
    with pytest.raises(StorageUnavailable, match=r"SlowDown.*Retry the benchmark") as caught:
        do(start(spec), 0, 1, 2)
    assert all(secret not in str(caught.value) for secret in CREDENTIALS.values())
    kept = answers(spec)
    assert 0 < len(kept) < 90
    way.fault = lambda *_: None
    assert do(start(spec), 0, 1, 2) == [32, 32, 26]
    assert answers(spec).items() >= kept.items()
    assert len(answers(spec)) == 90


def test_an_ended_benchmark_is_listed_from_an_index_on_this_machine(
    upload: Upload,
    make: Callable[..., BenchmarkSpec],
    way: Way,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(indexes, "_FROM_ROWS", 3)
    monkeypatch.setattr(indexes, "_PATIENCE", None)
    spec = make(upload(*chats(60)))
    for index, rows in ((0, range(32)), (1, range(32, 60))):
        chunk = Chunk(spec.benchmark_id, index)
        chunk.open()
        chunk.add(*(record(row, latency_ms=float(row)) for row in rows))
        chunk.finish()
    assert scheduler.settle(spec.benchmark_id, Status.COMPLETED)

    def slowest() -> list[int]:
        only = ResultFilter(q="r-5")
        page = results.page(spec.benchmark_id, 3, 0, only, Sort.LATENCY_MS, "desc")
        return [one.row_id for one in page.results]

    assert slowest() == [59, 58, 57]
    way.requests.clear()
    with queries.connect() as db:
        path = indexes.of_results(queries.source(db, spec.benchmark_id, whole=False))
        assert path is not None
        # Another reader has it open already.
        queries.attached(db, path)
        assert slowest() == [59, 58, 57]
    # Only the part that holds the page is fetched.
    assert way.count("GET", "/parts/0000000") == 0
    assert way.count("GET", "/parts/0000001") > 0


def test_results_are_compared_scored_exported_and_retried(
    upload: Upload, make: Callable[..., BenchmarkSpec], start: Any, way: Way
) -> None:
    asked = chats(60)
    asked[40]["body"]["messages"][0]["content"] = "fake:error"
    dataset = upload(*asked)
    pair = [make(dataset), make(dataset)]
    for spec in pair:
        assert do(start(spec), 0, 1) == [32, 28]
        assert scheduler.settle(spec.benchmark_id, Status.COMPLETED)
    ids = [spec.benchmark_id for spec in pair]

    assert len(compare(ids, 100, 0).rows) == 60
    draft = GraderDraft.model_validate(
        {"name": "right", "dataset_id": dataset.id, "spec": {"kind": "regex", "pattern": "."}}
    )
    graders.create(draft)
    scorer.refresh(ids[0])
    assert all(one.is_complete for one in columns(benchmarks.get(ids[0])))
    for form in ("jsonl", "csv", "parquet"):
        assert len(b"".join(export.download(ids[0], form))) > 1000

    kept = answers(pair[0])
    retry.retry_failed(ids[0])
    assert answers(pair[0]).keys() == kept.keys()
    way.requests.clear()
    assert do(start(pair[0]), 1) == [28]
    again = answers(pair[0])
    assert {one for one in kept if again[one] != kept[one]} == {"r-40"}
    benchmarks.delete(ids[1])
    assert storage().list(f"benchmarks/{ids[1]}") == []
