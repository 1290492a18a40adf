"""Configs that anybody may have written: none makes more than a clear refusal."""

from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from published import CONFIGS

from jobs import architecture, footprint, model_config
from jobs.model_config import KEYS, OTHER_STATE, Unpredictable
from jobs.schemas.models import ModelSpec

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_NAMES = st.sampled_from(sorted(KEYS | set(OTHER_STATE)))


def spec(config: dict[str, Any]) -> ModelSpec:
    return ModelSpec(
        model_id="a",
        name="A",
        parameters=1,
        weights_bytes=1,
        memory_gib=1,
        license="MIT",
        weights={"path": "/a"},  # type: ignore[arg-type]
        tensor_parallel=2,
        config=config,
    )


@example("openai/gpt-oss-20b", {"quantization_config": "fp8"})
@example("openai/gpt-oss-20b", {"mlp_only_layers": 3, "architectures": [{}]})
@given(st.sampled_from(sorted(CONFIGS)), st.dictionaries(_NAMES, _VALUES, max_size=3))
@settings(max_examples=100, deadline=None)
def test_whatever_a_config_says(hub_id: str, changes: dict[str, Any]) -> None:
    config = model_config.relevant(CONFIGS[hub_id] | changes)
    try:
        found = footprint.predict(spec(config), config, on_gpu=True).footprint()
    except Unpredictable:
        return
    orjson.dumps(found.model_dump())


@pytest.mark.parametrize("name", ["num_hidden_layers", "hidden_size", "num_local_experts"])
def test_counts_that_would_take_for_ever(name: str) -> None:
    with pytest.raises(Unpredictable):
        architecture.read(CONFIGS["mistralai/Mixtral-8x7B-Instruct-v0.1"] | {name: 10**12})


def test_configs_within_configs_are_not_followed() -> None:
    config: dict[str, Any] = {}
    for _ in range(5000):
        config = {"text_config": config}
    assert model_config.relevant(config) == {"text_config": {}}


def test_long_lists_of_names_are_not_kept() -> None:
    given = {"quant_method": "fp8", "modules_to_not_convert": ["lm_head"] * 1000}
    kept = model_config.relevant({"quantization_config": given})
    assert kept == {"quantization_config": {"quant_method": "fp8"}}
