"""Does a model fit? Verdicts on hardware that is given."""

import json
from pathlib import Path
from typing import Any

import pytest
from published import published

from jobs import fit
from jobs.fit import Hardware, Node
from jobs.schemas.memory import Fit, FitVerdict
from jobs.schemas.models import ModelSpec

GIB = 2**30
_RAM = int(23.5 * GIB)
_H100 = int(79.2 * GIB)


def _model(**fields: Any) -> ModelSpec:
    given = {
        "model_id": "test/model",
        "name": "Model",
        "parameters": 1,
        "weights": {"path": "/nowhere"},
        "weights_bytes": 1,
        "memory_gib": 2,
        "license": "MIT",
    }
    return ModelSpec.model_validate(given | fields)


def cpu(memory: int = _RAM) -> Hardware:
    return Hardware((Node(memory),))


def gpus(count: int, memory: int | None = _H100) -> Hardware:
    return Hardware((Node(64 * GIB, count, memory),))


def judge(model: ModelSpec, hardware: Hardware, cpu_cache_gib: int = 2) -> Fit:
    return fit.judge(model, model.config, hardware, cpu_cache_gib * GIB)


@pytest.mark.parametrize(
    ("fields", "hardware", "verdict", "reason"),
    [
        ({}, cpu(), "fits", "fits: is to have 2 GiB, this machine has 23.5 GiB of memory"),
        ({"memory_gib": 24}, cpu(), "does_not_fit", "needs 24 GiB, this machine has 23.5 GiB"),
        ({"memory_gib": 23.5}, cpu(), "fits", "23.5 GiB"),
        ({"tensor_parallel": 8}, cpu(), "fits", "fits"),
        ({"memory_gib": 70}, gpus(1), "fits", "fits: is to have 70 GiB on 1 GPU of 79.2 GiB"),
        ({"memory_gib": 80}, gpus(1), "cannot_tell", "cannot tell: is to have 80 GiB on 1 GPU"),
        ({"memory_gib": 80}, gpus(1, None), "cannot_tell", "the memory of its GPU is not known"),
        ({"weights_bytes": 80 * GIB}, gpus(1), "does_not_fit", "80 GiB of weights, too much for"),
        ({"tensor_parallel": 2, "memory_gib": 90}, gpus(8), "fits", "on 2 GPUs of 79.2 GiB"),
        ({"tensor_parallel": 4}, gpus(2), "does_not_fit", "needs 4 GPUs for one engine, this"),
    ],
)
def test_by_the_figures_of_the_entry(
    fields: dict[str, Any], hardware: Hardware, verdict: str, reason: str
) -> None:
    found = judge(_model(**fields), hardware)
    assert found.verdict == verdict
    assert reason in found.reason
    assert found.footprint is None


@pytest.mark.parametrize(
    ("hub_id", "fields", "hardware", "verdict", "reason"),
    [
        ("meta-llama/Llama-3.1-8B", {}, gpus(1), "fits", "fits: 15 GiB of weights and 55.5"),
        ("meta-llama/Llama-3.3-70B-Instruct", {}, gpus(1), "does_not_fit", "131.4 GiB of weights"),
        (
            "meta-llama/Llama-3.3-70B-Instruct",
            {"tensor_parallel": 2},
            gpus(2),
            "fits_shorter",
            "a context of 131,072 tokens needs 20 GiB of KV cache",
        ),
        (
            "meta-llama/Llama-3.3-70B-Instruct",
            {"tensor_parallel": 2, "max_model_len": 16384},
            gpus(2),
            "fits",
            "65.7 GiB of weights on each GPU",
        ),
        ("meta-llama/Llama-3.1-8B", {}, gpus(1, None), "cannot_tell", "needs 15 GiB of weights"),
        ("Qwen/Qwen3-4B", {}, cpu(), "fits_shorter", "fits with at most 14,336 tokens"),
        ("Qwen/Qwen3-4B", {"max_model_len": 8192}, cpu(), "fits", "7.5 GiB of weights and 2 GiB"),
        ("Qwen/Qwen3-8B", {"max_model_len": 512}, cpu(16 * GIB), "does_not_fit", "does not fit"),
        ("Qwen/Qwen3-8B", {"max_model_len": 512}, cpu(18 * GIB), "cannot_tell", "leave little"),
    ],
)
def test_by_the_config(
    hub_id: str, fields: dict[str, Any], hardware: Hardware, verdict: str, reason: str
) -> None:
    found = judge(published(hub_id, **fields), hardware)
    assert found.verdict == verdict, found.reason
    assert reason in found.reason
    assert found.fits == (verdict in ("fits", "cannot_tell"))
    assert found.footprint is not None


def test_the_longest_context_fits_and_no_longer_one_is_known_to() -> None:
    model = published("meta-llama/Llama-3.3-70B-Instruct", tensor_parallel=2)
    longest = judge(model, gpus(2)).longest
    assert longest is not None
    shorter = model.model_copy(update={"max_model_len": longest})
    longer = model.model_copy(update={"max_model_len": longest + 16})
    assert judge(shorter, gpus(2)).verdict is FitVerdict.FITS
    assert judge(longer, gpus(2)).verdict is not FitVerdict.FITS


def test_between_the_certain_and_the_estimated_it_cannot_be_told() -> None:
    model = published("Qwen/Qwen3-8B", max_model_len=1024)
    verdicts = [judge(model, gpus(1, size * 2**28)).verdict for size in range(56, 96)]
    # As GPUs get larger, it goes one way only.
    order = [FitVerdict.DOES_NOT_FIT, FitVerdict.CANNOT_TELL, FitVerdict.FITS]
    assert sorted(verdicts, key=order.index) == verdicts
    assert set(verdicts) == set(order)


def test_engine_arguments_count() -> None:
    model = published("Qwen/Qwen3-8B")
    half = model.model_copy(update={"engine_args": {"gpu_memory_utilization": 0.2}})
    assert judge(half, gpus(1)).verdict is FitVerdict.DOES_NOT_FIT
    eager = model.model_copy(update={"engine_args": {"enforce_eager": True}})
    small = model.model_copy(update={"engine_args": {"kv_cache_dtype": "fp8"}})
    first, second, third = (judge(one, gpus(1)).footprint for one in (model, eager, small))
    assert first is not None
    assert second is not None
    assert third is not None
    assert first.overhead_bytes > second.overhead_bytes
    assert first.kv_token_bytes == 2 * third.kv_token_bytes


def test_a_step_has_as_many_tokens_as_in_vllm_serve() -> None:
    said = json.loads(Path(__file__).with_name("vllm_says.json").read_text())["batched_tokens"]
    assert len(set(said.values())) > 1
    for gib, tokens in said.items():
        hardware = gpus(1, int(gib) * GIB)
        explicit = published("Qwen/Qwen3-8B", engine_args={"max_num_batched_tokens": tokens})
        found = judge(published("Qwen/Qwen3-8B"), hardware).footprint
        assert found == judge(explicit, hardware).footprint, gib


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ({"pipeline_parallel_size": 2}, "pipeline"),
        ({"max_model_len": "auto"}, "`max_model_len` is 'auto'"),
        ({"kv_cache_dtype": "nvfp4"}, "nvfp4"),
    ],
)
def test_arguments_that_are_not_understood(args: dict[str, Any], why: str) -> None:
    found = judge(published("Qwen/Qwen3-8B", engine_args=args), gpus(1))
    assert found.verdict is FitVerdict.CANNOT_TELL
    assert why in found.reason


def test_ray_may_choose_any_node_that_has_the_gpus() -> None:
    model = published("Qwen/Qwen3-8B", max_model_len=8192)
    large, small = Node(GIB, 1, _H100), Node(GIB, 1, 16 * GIB)
    mixed = judge(model, Hardware((large, small, Node(GIB))))
    assert mixed.verdict is FitVerdict.CANNOT_TELL
    assert "depends on the node" in mixed.reason
    assert judge(model, Hardware((large, large))).verdict is FitVerdict.FITS
    spread = judge(published("Qwen/Qwen3-8B", tensor_parallel=2), Hardware((large, large)))
    assert spread.verdict is FitVerdict.DOES_NOT_FIT
    assert "needs 2 GPUs of one node for one engine, the largest has 1" in spread.reason


def test_without_any_node_it_cannot_be_told() -> None:
    assert judge(_model(), Hardware(())).verdict is FitVerdict.CANNOT_TELL


def test_a_model_elsewhere_needs_nothing_here() -> None:
    elsewhere = ModelSpec.model_validate(
        {
            "model_id": "a",
            "name": "A",
            "engine": "endpoint",
            "endpoint": {"base_url": "https://api.example:8443/v1", "model": "a"},
        }
    )
    found = judge(elsewhere, cpu(0))
    assert found.verdict is FitVerdict.FITS
    assert found.reason == "runs at api.example, needs no hardware here"
