"""Admission and repair: what the scheduler does about benchmarks, given the state of their jobs.

Ray is replaced where it begins: its jobs API by a dictionary, the cluster's resources by "no GPU".
"""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from factories import chats, model_entry, record

from cluster import ray_jobs
from cluster.database import session
from cluster.ray_jobs import JobStatus
from jobs import benchmarks, registry, retry, scheduler
from jobs.parts import Chunk
from jobs.schemas.benchmarks import Benchmark, Phase, Placement, Status
from jobs.schemas.datasets import Dataset
from jobs.schemas.sampling import Sampling

Create = Callable[..., str]


class Jobs(dict[str, JobStatus]):
    """The jobs that a cluster knows, with their states."""

    def submit(self, job_id: str, entrypoint: str, metadata: dict[str, str]) -> None:
        assert entrypoint.endswith(f"-m jobs.driver --benchmark {metadata['benchmark_id']}")
        self.setdefault(job_id, JobStatus.PENDING)

    def stop(self, job_id: str) -> None:
        self[job_id] = JobStatus.STOPPED


@pytest.fixture
def jobs(database: str, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    jobs = Jobs()
    monkeypatch.setattr(scheduler, "_total_gpus", lambda: 0)
    monkeypatch.setattr(ray_jobs, "submit", jobs.submit)
    monkeypatch.setattr(ray_jobs, "status", jobs.get)
    monkeypatch.setattr(ray_jobs, "stop", jobs.stop)
    monkeypatch.setattr(ray_jobs, "logs", lambda job_id: f"a\nb\nc\nthe end of {job_id}")
    return jobs


@pytest.fixture
def create(jobs: Jobs, model_id: str, upload: Callable[..., Dataset]) -> Create:
    dataset = upload(*chats(40))
    return lambda job_id=None: (
        benchmarks.create(model_id, dataset.id, Sampling(), job_id).benchmark_id
    )


def state(benchmark_id: str) -> tuple[Status, Phase]:
    found = benchmarks.get(benchmark_id)
    return found.status, found.phase


def write(benchmark_id: str, index: int, rows: range, status_code: int = 200) -> None:
    chunk = Chunk(benchmark_id, index)
    chunk.open()
    for row in rows:
        chunk.add(record(row, status_code=status_code))
    chunk.finish()


def write_all(benchmark_id: str) -> None:
    write(benchmark_id, 0, range(32))
    write(benchmark_id, 1, range(32, 40), status_code=400)


def test_benchmarks_are_admitted_one_after_the_other(create: Create, jobs: Jobs) -> None:
    first, second = create(), create()
    scheduler.admit()
    assert jobs == {first: JobStatus.PENDING}
    assert state(first) == (Status.RUNNING, Phase.LOADING)
    assert state(second) == (Status.QUEUED, Phase.QUEUED)
    with session() as sql:
        row = benchmarks.row(sql, first)
    assert row.placement == Placement(replicas=1, gpus_per_replica=0).model_dump()
    assert (row.attempts, row.job_id) == (1, first)
    scheduler.admit()
    assert list(jobs) == [first]
    benchmarks.end(first, Status.FAILED)
    scheduler.admit()
    assert list(jobs) == [first, second]


def test_free_slots_are_filled(create: Create, jobs: Jobs, configure: Callable[..., None]) -> None:
    configure(cpu_slots=2)
    ids = [create() for _ in range(3)]
    scheduler.admit()
    assert list(jobs) == ids[:2]


def test_what_is_being_cancelled_still_holds_its_slot(create: Create, jobs: Jobs) -> None:
    first, second = create(), create()
    scheduler.admit()
    benchmarks.cancel(first)
    scheduler.admit()
    assert list(jobs) == [first]
    jobs[first] = JobStatus.STOPPED
    scheduler.reconcile()
    scheduler.admit()
    assert list(jobs) == [first, second]


def test_a_job_submitted_by_hand_is_admitted_without_another(create: Create, jobs: Jobs) -> None:
    by_hand = create(job_id="raysubmit_1")
    jobs["raysubmit_1"] = JobStatus.RUNNING
    scheduler.admit()
    assert list(jobs) == ["raysubmit_1"]
    assert state(by_hand) == (Status.RUNNING, Phase.LOADING)


def test_a_job_by_hand_that_died_in_the_queue_does_not_hold_it_up(
    create: Create, jobs: Jobs
) -> None:
    dead, second = create(job_id="raysubmit_1"), create()
    scheduler.admit()
    assert benchmarks.get(dead).status == Status.FAILED
    assert benchmarks.get(dead).error == "Its Ray job ended while queued."
    assert list(jobs) == [second]


def test_a_running_job_is_left_alone(create: Create, jobs: Jobs) -> None:
    running = create()
    scheduler.admit()
    jobs[running] = JobStatus.RUNNING
    scheduler.reconcile()
    assert benchmarks.get(running).attempts == 1
    assert list(jobs) == [running]


def test_cancelling_stops_the_job_and_ends_once_it_has_stopped(create: Create, jobs: Jobs) -> None:
    cancelled = create()
    scheduler.admit()
    jobs[cancelled] = JobStatus.RUNNING
    write(cancelled, 0, range(32))
    benchmarks.cancel(cancelled)
    scheduler.reconcile()
    assert jobs[cancelled] == JobStatus.STOPPED
    assert benchmarks.get(cancelled).status == Status.CANCELLING
    scheduler.reconcile()
    assert state(cancelled) == (Status.CANCELLED, Phase.CANCELLED)
    assert benchmarks.get(cancelled).completed == 32


@pytest.mark.parametrize("ended", [JobStatus.FAILED, JobStatus.STOPPED, JobStatus.SUCCEEDED])
def test_a_job_that_ended_early_is_run_again(create: Create, jobs: Jobs, ended: JobStatus) -> None:
    restarted = create()
    scheduler.admit()
    jobs[restarted] = ended
    scheduler.reconcile()
    assert jobs[f"{restarted}-2"] == JobStatus.PENDING
    assert state(restarted) == (Status.RUNNING, Phase.LOADING)
    assert benchmarks.get(restarted).attempts == 2


def test_a_job_that_went_with_its_cluster_is_submitted_again_and_not_held_against_it(
    create: Create, jobs: Jobs
) -> None:
    running = create()
    scheduler.admit()
    for _ in range(5):
        jobs.clear()
        scheduler.reconcile()
        assert jobs == {running: JobStatus.PENDING}
    assert benchmarks.get(running).attempts == 1


def test_a_benchmark_is_given_up_with_the_last_words_of_its_job(
    create: Create, jobs: Jobs, configure: Callable[..., None]
) -> None:
    configure(max_attempts=2)
    given_up = create()
    scheduler.admit()
    for job_id in (given_up, f"{given_up}-2"):
        jobs[job_id] = JobStatus.FAILED
        scheduler.reconcile()
    found = benchmarks.get(given_up)
    assert (found.status, found.completed, found.attempts) == (Status.FAILED, 0, 2)
    assert found.error is not None
    assert "Given up after 2 attempts without a result" in found.error
    assert f"the end of {given_up}-2" in found.error
    scheduler.reconcile()
    assert len(jobs) == 2


def test_an_attempt_that_brought_a_result_was_not_in_vain(
    create: Create, jobs: Jobs, configure: Callable[..., None]
) -> None:
    configure(max_attempts=2)
    benchmark_id = create()
    scheduler.admit()
    jobs[benchmark_id] = JobStatus.FAILED
    scheduler.reconcile()
    write(benchmark_id, 0, range(32))
    for attempt in (2, 3):
        jobs[f"{benchmark_id}-{attempt}"] = JobStatus.FAILED
        scheduler.reconcile()
        assert benchmarks.get(benchmark_id).status == Status.RUNNING
    jobs[f"{benchmark_id}-4"] = JobStatus.FAILED
    scheduler.reconcile()
    found = benchmarks.get(benchmark_id)
    assert (found.status, found.completed, found.attempts) == (Status.FAILED, 32, 4)


def test_benchmarks_of_the_model_that_ran_last_go_first(
    create: Create, jobs: Jobs, models_folder: Path, upload: Callable[..., Dataset]
) -> None:
    entry = model_entry(model_id="test/other", name="Other")
    (models_folder / "other.yaml").write_text(yaml.safe_dump(entry))
    registry.load()
    first = create()
    dataset_id = benchmarks.get(first).dataset_id
    other = benchmarks.create("test/other", dataset_id, Sampling()).benchmark_id
    third = create()
    scheduler.admit()
    assert [benchmarks.get(one).queue_position for one in (third, other)] == [1, 2]
    benchmarks.end(first, Status.FAILED)
    scheduler.admit()
    assert list(jobs) == [first, third]


def test_a_retry_that_is_cancelled_while_queued_keeps_its_failures(
    create: Create, jobs: Jobs
) -> None:
    benchmark_id = create()
    scheduler.admit()
    write_all(benchmark_id)
    scheduler.settle(benchmark_id, Status.COMPLETED)
    retry.retry_failed(benchmark_id)
    assert benchmarks.cancel(benchmark_id).status is Status.CANCELLING
    scheduler.reconcile()
    found = benchmarks.get(benchmark_id)
    assert (found.status, found.completed, found.failed) == (Status.CANCELLED, 32, 8)


@pytest.mark.parametrize("ended", [None, JobStatus.FAILED, JobStatus.SUCCEEDED])
def test_whatever_became_of_the_job_complete_parts_complete_the_benchmark(
    create: Create, jobs: Jobs, ended: JobStatus | None
) -> None:
    completed = create()
    scheduler.admit()
    write_all(completed)
    jobs.clear()
    if ended is not None:
        jobs[completed] = ended
    scheduler.reconcile()
    check_completed(benchmarks.get(completed))


def check_completed(found: Benchmark) -> None:
    assert (found.status, found.phase) == (Status.COMPLETED, Phase.COMPLETED)
    assert (found.completed, found.failed, found.total, found.progress) == (32, 8, 40, 100)
    assert (found.prompt_tokens, found.output_tokens) == (200, 280)
    assert found.throughput > 0
    assert found.total_throughput == pytest.approx(found.throughput * 480 / 280)


def test_a_benchmark_is_not_completed_while_a_row_is_missing(create: Create, jobs: Jobs) -> None:
    running = create()
    scheduler.admit()
    write(running, 0, range(31))
    write(running, 1, range(32, 40))
    assert not scheduler.settle(running, Status.COMPLETED)
    assert benchmarks.get(running).status == Status.RUNNING


def endpoint_model(folder: Path, name: str) -> None:
    entry = {
        "model_id": name,
        "name": name,
        "engine": "endpoint",
        "endpoint": {"base_url": "https://a.example/v1", "model": "m"},
    }
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(entry))


def test_models_elsewhere_do_not_wait_for_hardware_but_for_each_other(
    jobs: Jobs,
    model_id: str,
    models_folder: Path,
    upload: Callable[..., Dataset],
    configure: Callable[..., None],
) -> None:
    for name in ("one", "two", "three"):
        endpoint_model(models_folder, name)
    registry.load()
    configure(endpoint_slots=2)
    dataset = upload(*chats(40))

    def queue(model: str) -> str:
        return benchmarks.create(model, dataset.id, Sampling()).benchmark_id

    here, waits = queue(model_id), queue(model_id)
    one, again, two, three = (queue(name) for name in ("one", "one", "two", "three"))
    scheduler.admit()
    assert list(jobs) == [here, one, two]
    with session() as sql:
        placed = Placement.model_validate(benchmarks.row(sql, one).placement)
    assert placed == Placement(replicas=1, gpus_per_replica=0, elsewhere=True)
    benchmarks.end(one, Status.COMPLETED)
    scheduler.admit()
    assert list(jobs) == [here, one, two, again]
    benchmarks.end(here, Status.COMPLETED)
    benchmarks.end(two, Status.COMPLETED)
    scheduler.admit()
    assert list(jobs) == [here, one, two, again, waits, three]
