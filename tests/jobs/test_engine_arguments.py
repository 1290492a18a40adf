"""What vLLM is asked for, checked without a GPU."""

from cluster.settings import REPOSITORY
from jobs.engine import arguments
from jobs.registry import read
from jobs.schemas.models import ModelSpec

SMALL = read(REPOSITORY / "configs" / "models")["HuggingFaceTB/SmolLM2-135M-Instruct"]


def parallel(gpus: int) -> ModelSpec:
    return SMALL.model_copy(update={"tensor_parallel": gpus})


def test_a_gpu_group_shares_one_engine_within_its_actor() -> None:
    given = arguments(parallel(4), "/weights", "generate", on_gpu=True)

    assert given["tensor_parallel_size"] == 4
    assert given["distributed_executor_backend"] == "mp"
    assert "enforce_eager" not in given


def test_cpu_takes_its_own_arguments_and_no_tensor_parallelism() -> None:
    given = arguments(parallel(4), "/weights", "generate", on_gpu=False)

    assert given["tensor_parallel_size"] == 1
    assert "distributed_executor_backend" not in given
    assert given["enforce_eager"] is True


def test_embeddings_run_on_a_pooling_engine() -> None:
    given = arguments(SMALL, "/weights", "embed", on_gpu=False)

    assert (given["runner"], given["convert"]) == ("pooling", "embed")
