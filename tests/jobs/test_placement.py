"""Which hardware a benchmark gets, and when it has to wait."""

from collections.abc import Callable
from pathlib import Path

import pytest
from factories import spec

from jobs.scheduler import check_possible, place
from jobs.schemas.benchmarks import Placement


def on_cpu(replicas: int) -> Placement:
    return Placement(replicas=replicas, gpus_per_replica=0)


def on_gpus(replicas: int, each: int = 1) -> Placement:
    return Placement(replicas=replicas, gpus_per_replica=each)


@pytest.fixture(autouse=True)
def _default_settings(data_folder: Path) -> None: ...


def test_without_gpus_one_engine_runs_at_once() -> None:
    assert place(spec(), 0, []) == on_cpu(1)
    assert place(spec(), 0, [on_cpu(1)]) is None


def test_cpu_slots_say_how_many_engines_run_at_once(configure: Callable[..., None]) -> None:
    configure(cpu_slots=3)
    assert place(spec(), 0, [on_cpu(1), on_cpu(1)]) == on_cpu(1)
    assert place(spec(), 0, [on_cpu(1)] * 3) is None
    assert place(spec(replicas=2), 0, [on_cpu(1)]) == on_cpu(2)
    assert place(spec(replicas=5), 0, [on_cpu(1)]) == on_cpu(2)


def test_without_gpus_tensor_parallel_does_not_matter() -> None:
    assert place(spec(tensor_parallel=4), 0, []) == on_cpu(1)


def test_a_benchmark_takes_all_free_gpus() -> None:
    assert place(spec(), 8, []) == on_gpus(8)
    assert place(spec(), 8, [on_gpus(3)]) == on_gpus(5)
    assert place(spec(), 8, [on_gpus(3), on_gpus(5)]) is None


def test_an_engine_takes_a_group_of_gpus() -> None:
    assert place(spec(tensor_parallel=2), 8, []) == on_gpus(4, each=2)
    assert place(spec(tensor_parallel=2), 8, [on_gpus(3)]) == on_gpus(2, each=2)
    assert place(spec(tensor_parallel=4), 8, [on_gpus(2, each=2)]) == on_gpus(1, each=4)
    assert place(spec(tensor_parallel=4), 8, [on_gpus(5)]) is None


def test_a_model_may_say_how_many_engines_it_wants() -> None:
    assert place(spec(replicas=2), 8, []) == on_gpus(2)
    assert place(spec(replicas=9), 8, []) == on_gpus(8)


@pytest.mark.parametrize(("total", "replicas"), [(1, 1), (10, 1), (11, 2), (35, 4), (1000, 8)])
def test_no_engine_is_loaded_without_a_chunk_to_do(total: int, replicas: int) -> None:
    assert place(spec(total=total, chunk_rows=10), 8, []) == on_gpus(replicas)


def test_what_the_cluster_can_never_run_is_said() -> None:
    assert check_possible(spec(tensor_parallel=4), 8) is None
    assert check_possible(spec(tensor_parallel=4), 0) is None
    message = check_possible(spec(tensor_parallel=4), 2)
    assert message is not None
    assert "needs 4 GPUs" in message
