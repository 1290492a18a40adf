"""What configs say: parameters against published counts, windows, and what is not understood."""

import pytest
from published import CONFIGS, PARAMETERS

from jobs import architecture, model_config
from jobs.model_config import Unpredictable

_LLAMA = CONFIGS["meta-llama/Llama-3.1-8B"]


@pytest.mark.parametrize("hub_id", PARAMETERS)
def test_parameters_are_those_that_are_published(hub_id: str) -> None:
    found = architecture.read(CONFIGS[hub_id]).parameters
    assert found is not None
    assert found.total == PARAMETERS[hub_id]


def windows(hub_id: str) -> tuple[int | None, ...]:
    return architecture.read(CONFIGS[hub_id]).windows


def test_windows() -> None:
    assert windows("google/gemma-2-9b")[:4] == (4096, None, 4096, None)
    assert windows("google/gemma-3-27b-it")[:7] == (1024,) * 5 + (None, 1024)
    assert windows("openai/gpt-oss-20b")[:3] == (128, None, 128)
    assert windows("microsoft/Phi-3-mini-4k-instruct") == (2047,) * 32
    assert set(windows("Qwen/Qwen2.5-7B-Instruct")) == {None}


def test_windows_that_are_switched_off() -> None:
    qwen = CONFIGS["Qwen/Qwen2.5-7B-Instruct"] | {"sliding_window": 4096, "max_window_layers": 20}
    assert set(architecture.read(qwen).windows) == {None}
    on = architecture.read(qwen | {"use_sliding_window": True}).windows
    assert on == (None,) * 20 + (4096,) * 8


def test_layer_types_are_taken_at_their_word() -> None:
    types = ["full_attention", "sliding_attention"] * 16
    config = _LLAMA | {"layer_types": types, "sliding_window": 512}
    assert architecture.read(config).windows == (None, 512) * 16


def test_what_a_published_config_leaves_out() -> None:
    whole = CONFIGS["google/gemma-3-4b-it"]
    # As google publishes it.
    text = {
        "model_type": "gemma3_text",
        "hidden_size": 2560,
        "intermediate_size": 10240,
        "num_hidden_layers": 34,
        "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
        "sliding_window": 1024,
    }
    assert architecture.read(whole | {"text_config": text}) == architecture.read(whole)


@pytest.mark.parametrize(
    ("rope", "length"),
    [
        ({"rope_type": "llama3", "factor": 8.0}, 131072),
        ({"rope_type": "yarn", "factor": 4.0}, 131072),
        ({"type": "linear", "factor": 2.0}, 262144),
        ({"rope_type": "dynamic", "factor": None}, 131072),
    ],
)
def test_positions_that_are_stretched(rope: dict[str, object], length: int) -> None:
    config = model_config.relevant(_LLAMA | {"rope_scaling": rope | {"short_factor": [1.0] * 48}})
    assert "short_factor" not in config["rope_scaling"]
    assert architecture.read(config).max_len == length


def test_latent_attention_keeps_one_vector() -> None:
    found = architecture.read(CONFIGS["deepseek-ai/DeepSeek-V3"])
    assert found.latent_dim == 512 + 64


def test_a_model_type_that_is_not_known_has_a_cache_but_no_count() -> None:
    found = architecture.read(_LLAMA | {"model_type": "llama9"})
    assert (found.kv_heads, found.parameters) == (8, None)


def test_an_image_encoder_that_is_not_known_leaves_no_count() -> None:
    config = CONFIGS["google/gemma-3-4b-it"] | {"vision_config": {"model_type": "other"}}
    assert architecture.read(config).parameters is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"hidden_size": None}, "`hidden_size`"),
        ({"num_hidden_layers": "many"}, "'many', not a number"),
        ({"num_attention_heads": 0}, "is 0"),
        ({"num_attention_heads": -1}, "not a number"),
        ({"vocab_size": True}, "not a number"),
        ({"layer_types": ["linear_attention"] * 32}, "linear_attention are not known here"),
        ({"layer_types": ["full_attention"]}, "1 layer types for 32 layers"),
        ({"layer_types": ["chunked_attention"] * 32}, "chunked_attention are not known here"),
        ({"mamba_d_state": 16}, "another state than a KV cache .`mamba_d_state`"),
        ({"index_topk": 2048}, "another state"),
        ({"num_kv_shared_layers": 20}, "another state"),
    ],
)
def test_what_is_not_understood_is_said(change: dict[str, object], why: str) -> None:
    with pytest.raises(Unpredictable, match=why):
        architecture.read(_LLAMA | change)
    with pytest.raises(Unpredictable, match="has no `num_attention_heads`"):
        architecture.read({})


def test_what_makes_a_config_not_understood_is_kept_with_it() -> None:
    config = model_config.relevant(_LLAMA | {"mamba_d_state": 16})
    with pytest.raises(Unpredictable, match="another state"):
        architecture.read(config)
    architecture.read(_LLAMA | {"num_kv_shared_layers": 0, "is_encoder_decoder": False})


def test_only_what_is_read_is_kept() -> None:
    config = CONFIGS["google/gemma-3-4b-it"]
    text = config["text_config"] | {"rope_theta": 1, "auto_map": {"AutoModel": "evil.py"}}
    noisy = config | {"transformers_version": "5", "text_config": text}
    assert model_config.relevant(noisy) == config
    assert architecture.read(model_config.relevant(noisy)) == architecture.read(config)
