"""Bytes of weights: against published sizes, and what vLLM has logged elsewhere."""

from typing import Any

import pytest
from published import CONFIGS

from jobs import architecture, quantization
from jobs.model_config import Unpredictable

_INT8 = {
    "quant_method": "compressed-tensors",
    "config_groups": {"group_0": {"weights": {"num_bits": 8, "group_size": None}}},
}


def weights(hub_id: str, *, gpus: int = 1, quantization_config: Any = None) -> float:
    """Bytes on each GPU."""
    config = CONFIGS[hub_id]
    if quantization_config is not None:
        config = config | {"quantization_config": quantization_config}
    shape = architecture.read(config)
    stored = quantization.stored(config, "bfloat16", None)
    assert shape.parameters is not None
    whole = quantization.weights_bytes(shape.parameters, stored)
    return whole * quantization.of_one_gpu(shape, stored, gpus)


@pytest.mark.parametrize(
    ("hub_id", "gpus", "config", "gib"),
    [
        # vllm-project/vllm, pull request 10511
        ("meta-llama/Llama-3.1-8B", 1, None, 14.96),
        ("meta-llama/Llama-3.1-8B", 2, None, 7.48),
        # vllm-project/vllm, pull request 12569 (its "GB" are GiB)
        ("meta-llama/Llama-3.3-70B-Instruct", 1, _INT8, 67.72),
        # vllm-project/vllm, issue 13061
        ("Qwen/Qwen2.5-14B-Instruct", 2, None, 13.95),
        # vllm-project/vllm, issue 15676
        ("google/gemma-3-27b-it", 4, None, 13.17),
    ],
)
def test_weights_are_what_vllm_has_logged(hub_id: str, gpus: int, config: Any, gib: float) -> None:
    found = weights(hub_id, gpus=gpus, quantization_config=config) / 2**30
    assert found == pytest.approx(gib, rel=0.02)


def test_experts_in_mxfp4_are_as_large_as_the_published_files() -> None:
    # total_size of openai/gpt-oss-20b's model.safetensors.index.json
    assert weights("openai/gpt-oss-20b") == 13_761_264_768


@pytest.mark.parametrize(
    ("given", "bytes_each"),
    [
        ({"quant_method": "fp8"}, 1),
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, 1 + 4 / 128**2),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, 0.5 + 2.5 / 128),
        ({"quant_method": "gptq", "bits": 8, "group_size": -1}, 1),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, 0.5625),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, 1),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, 0.5625),
        ({"quant_method": "modelopt", "quant_algo": "FP8"}, 1),
        (_INT8, 1),
    ],
)
def test_what_checkpoints_say(given: dict[str, Any], bytes_each: float) -> None:
    found = quantization.stored({"quantization_config": given}, "bfloat16", None)
    assert (found.linear, found.experts, found.plain) == (bytes_each, bytes_each, 2)


@pytest.mark.parametrize(
    "given",
    [
        {"quant_method": "aqlm"},
        {},
        {"quant_method": "awq", "bits": "four"},
        {"quant_method": "compressed-tensors", "config_groups": []},
    ],
)
def test_what_is_not_known_is_said(given: dict[str, Any]) -> None:
    with pytest.raises(Unpredictable, match="quantization"):
        quantization.stored({"quantization_config": given}, "bfloat16", None)


def test_quantized_while_loading() -> None:
    assert quantization.stored({}, "float16", "fp8").linear == 1
    assert quantization.stored({}, "float16", None).linear == 2
    with pytest.raises(Unpredictable, match="'awq'"):
        quantization.stored({}, "float16", "awq")
    with pytest.raises(Unpredictable, match="'int3'"):
        quantization.item_bytes("int3")


def test_heads_that_are_fewer_than_gpus_are_on_several() -> None:
    shape = architecture.read(CONFIGS["Qwen/Qwen3-30B-A3B"])  # 4 KV heads
    parameters = shape.parameters
    assert parameters is not None
    stored = quantization.stored({}, "bfloat16", None)
    four, eight = (quantization.of_one_gpu(shape, stored, gpus) for gpus in (4, 8))
    twice = parameters.keys_values / 8 + parameters.rest / 2
    assert eight - four / 2 == pytest.approx(twice / parameters.total)
