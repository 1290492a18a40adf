"""Benchmarks in SQL: creation, the queue, and the rules of their status."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from factories import chat, chats, embedding

from cluster.database import session
from cluster.storage import storage
from jobs import benchmarks
from jobs.errors import Conflict, InvalidRequest, NotFound
from jobs.forecast import LOAD_SPREAD, PRIOR_SPREAD, learn_stretch
from jobs.progress import Prior
from jobs.schemas.benchmarks import Benchmark, BenchmarkSpec, Phase, Status
from jobs.schemas.datasets import Dataset
from jobs.schemas.sampling import Sampling

Create = Callable[..., Benchmark]
TERMINAL = [status for status in Status if status.is_terminal()]


@pytest.fixture
def create(model_id: str, upload: Callable[..., Dataset]) -> Create:
    """Queue a benchmark of the test model over a dataset of three requests."""
    dataset = upload(*chats(3), name="three.jsonl")
    return lambda **sampling: benchmarks.create(model_id, dataset.id, Sampling(**sampling))


def force(benchmark: Benchmark, status: Status, **values: object) -> None:
    with session() as sql:
        assert benchmarks.advance(sql, benchmark.benchmark_id, list(Status), status, **values)


def test_a_new_benchmark_is_queued(create: Create, model_id: str) -> None:
    created = create(temperature=0, max_tokens=5)
    assert created.benchmark_id.startswith("bm_")
    assert (created.status, created.phase) == (Status.QUEUED, Phase.QUEUED)
    assert (created.model_id, created.model_name) == (model_id, "Echo")
    assert (created.dataset_name, created.total) == ("three.jsonl", 3)
    assert (created.progress, created.completed, created.failed) == (0, 0, 0)
    assert (created.queue_position, created.attempts, created.error) == (1, 0, None)
    assert created.sampling == Sampling(temperature=0, max_tokens=5)
    assert abs((datetime.now(UTC) - created.started_at).total_seconds()) < 60
    assert benchmarks.get(created.benchmark_id) == created


def test_the_job_reads_all_it_needs_from_the_spec(create: Create) -> None:
    created = create(seed=7)
    with session() as sql:
        spec = BenchmarkSpec.model_validate(benchmarks.row(sql, created.benchmark_id).spec)
    assert (spec.benchmark_id, spec.dataset_id) == (created.benchmark_id, created.dataset_id)
    assert (spec.total, spec.chunk_rows, spec.task) == (3, 32, "generate")
    assert (spec.model.name, spec.sampling.seed) == ("Echo", 7)


@pytest.mark.parametrize("total", [0, 1, 1000, 31_999, 50_000, 1_000_000, 10_000_000])
def test_chunks_are_few_but_small(total: int) -> None:
    rows = benchmarks.chunk_rows(total)
    assert 32 <= rows <= 1024
    assert total / rows <= 128 or rows == 1024


@pytest.mark.parametrize("engines", [1, 8, 64])
def test_each_engine_gets_many_chunks(engines: int) -> None:
    rows = benchmarks.chunk_rows(50_000, engines)
    assert 50_000 / rows > 16 * engines


def test_embeddings_run_on_their_own_kind_of_engine(
    model_id: str, upload: Callable[..., Dataset]
) -> None:
    created = benchmarks.create(model_id, upload(embedding()).id, Sampling())
    with session() as sql:
        assert benchmarks.row(sql, created.benchmark_id).spec["task"] == "embed"


def test_a_dataset_that_mixes_both_kinds_is_refused(
    model_id: str, upload: Callable[..., Dataset]
) -> None:
    mixed = upload(chat("a"), embedding("b"))
    with pytest.raises(InvalidRequest, match="Split it") as caught:
        benchmarks.create(model_id, mixed.id, Sampling())
    assert caught.value.code == "mixed_endpoints"
    assert benchmarks.all_benchmarks(10, 0) == ([], 0)


def test_unknown_model_dataset_and_benchmark(create: Create, model_id: str) -> None:
    dataset_id = create().dataset_id
    for code, ask in {
        "model_not_found": lambda: benchmarks.create("nope", dataset_id, Sampling()),
        "dataset_not_found": lambda: benchmarks.create(model_id, "ds_nope", Sampling()),
        "benchmark_not_found": lambda: benchmarks.get("bm_nope"),
    }.items():
        with pytest.raises(NotFound) as caught:
            ask()
        assert caught.value.code == code


def test_the_queue_is_first_in_first_out(create: Create) -> None:
    queued = [create().benchmark_id for _ in range(3)]
    assert [benchmarks.get(one).queue_position for one in queued] == [1, 2, 3]
    benchmarks.cancel(queued[0])
    assert [benchmarks.get(one).queue_position for one in queued] == [None, 1, 2]


def test_benchmarks_are_listed_newest_first_and_filtered(create: Create, model_id: str) -> None:
    first, second, third = create(), create(), create()
    benchmarks.cancel(second.benchmark_id)

    def listed(limit: int = 10, offset: int = 0, **filters: object) -> tuple[list[str], int]:
        found, total = benchmarks.all_benchmarks(limit, offset, **filters)  # type: ignore[arg-type]
        return [benchmark.benchmark_id for benchmark in found], total

    newest_first = [third.benchmark_id, second.benchmark_id, first.benchmark_id]
    assert listed() == (newest_first, 3)
    assert listed(limit=1, offset=1) == ([second.benchmark_id], 3)
    assert listed(status=[Status.CANCELLED]) == ([second.benchmark_id], 1)
    assert listed(model_id=model_id, dataset_id=first.dataset_id)[1] == 3
    assert listed(model_id="other") == ([], 0)
    assert listed(dataset_id="other") == ([], 0)


def test_only_one_of_two_deciders_succeeds(create: Create) -> None:
    created = create()
    outcomes: list[bool] = []
    for _ in range(2):
        with session() as sql:
            moved = benchmarks.advance(sql, created.benchmark_id, [Status.QUEUED], Status.RUNNING)
            outcomes.append(moved)
    assert outcomes == [True, False]


@pytest.mark.parametrize("ended", TERMINAL)
def test_what_has_ended_does_not_change(create: Create, ended: Status) -> None:
    created = create()
    force(created, Status.RUNNING)
    assert benchmarks.end(created.benchmark_id, ended, error="first")
    before = benchmarks.get(created.benchmark_id)
    for other in TERMINAL:
        assert not benchmarks.end(created.benchmark_id, other, error="second")
    assert benchmarks.cancel(created.benchmark_id) == before
    assert (before.status, before.phase, before.eta_seconds) == (ended, Phase(ended.value), 0)
    assert before.completed_at is not None
    assert before.total_time_seconds == pytest.approx(
        (before.completed_at - before.started_at).total_seconds(), abs=0.01
    )


def test_cancelling_what_is_queued_ends_it(create: Create) -> None:
    cancelled = benchmarks.cancel(create().benchmark_id)
    assert (cancelled.status, cancelled.phase) == (Status.CANCELLED, Phase.CANCELLED)
    assert benchmarks.cancel(cancelled.benchmark_id) == cancelled


def test_cancelling_what_runs_asks_for_its_end(create: Create) -> None:
    created = create()
    force(created, Status.RUNNING, phase="running")
    for _ in range(2):
        cancelling = benchmarks.cancel(created.benchmark_id)
        assert (cancelling.status, cancelling.phase) == (Status.CANCELLING, Phase.RUNNING)


@pytest.mark.parametrize("live", [status for status in Status if not status.is_terminal()])
def test_what_is_live_is_not_deleted(create: Create, live: Status) -> None:
    created = create()
    force(created, live)
    with pytest.raises(Conflict, match="Cancel it first"):
        benchmarks.delete(created.benchmark_id)
    assert benchmarks.get(created.benchmark_id).status == live


def test_deleting_takes_the_results_with_it(create: Create) -> None:
    created = benchmarks.cancel(create().benchmark_id)
    with storage().write(f"benchmarks/{created.benchmark_id}/parts/0000000.parquet") as file:
        file.write(b"x")
    benchmarks.delete(created.benchmark_id)
    assert storage().list("benchmarks") == []
    with pytest.raises(NotFound):
        benchmarks.delete(created.benchmark_id)


def test_the_last_completed_benchmarks_of_a_model_are_the_guess(
    create: Create, model_id: str
) -> None:
    assert benchmarks.prior(model_id) == Prior()
    for load, generation in [(10.0, 30.0), (40.0, 120.0)]:
        took = {"total_time_seconds": load + generation, "generation_seconds": generation}
        force(create(), Status.COMPLETED, load_seconds=load - 5, band_stretch=0.5, **took)
    force(create(), Status.FAILED, load_seconds=99.0, total_time_seconds=999.0)
    force(create(), Status.COMPLETED, total_time_seconds=999.0)  # imported
    found = benchmarks.prior(model_id)
    assert found.load.seconds == pytest.approx(20)
    assert found.request is not None
    assert found.request.seconds == pytest.approx(20)
    assert found.request.spread > PRIOR_SPREAD
    assert found.stretch == learn_stretch([0.5, 0.5])
    assert benchmarks.prior("other") == Prior()


def test_loading_takes_at_least_what_the_engine_said(create: Create, model_id: str) -> None:
    force(create(), Status.COMPLETED, load_seconds=30.0, generation_seconds=50.0)
    assert benchmarks.prior(model_id).load.seconds == pytest.approx(30)


def test_what_is_long_ago_is_no_guess(create: Create, model_id: str) -> None:
    for load in (500.0, *[20.0] * 8):
        force(create(), Status.COMPLETED, load_seconds=load, total_time_seconds=load)
    found = benchmarks.prior(model_id)
    assert found.load.seconds == pytest.approx(20)
    assert found.load.spread < LOAD_SPREAD / 2
    assert found.request is None
