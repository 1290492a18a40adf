"""A model's ``config.json``: which of its fields are read, and how. Pure."""

from collections.abc import Mapping
from typing import Any

Config = Mapping[str, Any]

# No model has a count as large. It bounds what a config can make us compute.
_LARGEST = 10**9

_TEXT_CONFIGS = ("text_config", "llm_config", "language_config")
# Fields of models whose layers keep something else than a KV cache of keys and values for each
# token: hybrids with Mamba, linear or chunked attention, shared or compressed caches, encoders.
OTHER_STATE = (
    "attention_chunk_size",
    "attn_layer_period",
    "attn_type_list",
    "block_types",
    "full_attention_interval",
    "global_head_dim",
    "hybrid_",
    "index_topk",
    "is_encoder_decoder",
    "layers_block_type",
    "linear_attn_config",
    "linear_num_",
    "mamba_",
    "num_kv_shared_layers",
    "ssm_",
)

_GEMMA3 = {
    "head_dim": 256,
    "max_position_embeddings": 131072,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "sliding_window": 4096,
    "sliding_window_pattern": 6,
    "vocab_size": 262208,
}
_LEFT_OUT: dict[str, dict[str, int]] = {"gemma3": _GEMMA3, "gemma3_text": _GEMMA3}
"""Fields that published configs leave out, as transformers fills them in, by model type."""

_NESTED = {
    "quantization_config": (
        "bits",
        "config_groups",
        "group_size",
        "kv_cache_quant_algo",
        "kv_cache_scheme",
        "load_in_4bit",
        "load_in_8bit",
        "quant_algo",
        "quant_method",
        "w_bit",
        "weight_block_size",
    ),
    "rope_parameters": ("factor", "rope_type", "type"),
    "rope_scaling": ("factor", "rope_type", "type"),
}
"""Of these, no other fields are read."""

KEYS = frozenset(
    {
        "architectures",
        "attention_bias",
        "decoder_sparse_step",
        "dtype",
        "first_k_dense_replace",
        "head_dim",
        "hidden_size",
        "intermediate_size",
        "kv_lora_rank",
        "layer_types",
        "max_position_embeddings",
        "max_window_layers",
        "mlp_bias",
        "mlp_only_layers",
        "model_type",
        "moe_intermediate_size",
        "moe_layer_freq",
        "n_routed_experts",
        "n_shared_experts",
        "num_attention_heads",
        "num_experts",
        "num_experts_per_tok",
        "num_hidden_layers",
        "num_key_value_heads",
        "num_local_experts",
        "q_lora_rank",
        "qk_nope_head_dim",
        "qk_rope_head_dim",
        "quantization_config",
        "rope_parameters",
        "rope_scaling",
        "shared_expert_intermediate_size",
        "sliding_window",
        "sliding_window_pattern",
        "text_config",
        "tie_word_embeddings",
        "torch_dtype",
        "use_sliding_window",
        "v_head_dim",
        "vision_config",
        "vocab_size",
        # of a vision_config
        "image_size",
        "patch_size",
    }
)
"""The fields that are read, by :mod:`jobs.architecture`, :mod:`jobs.parameters` and
:mod:`jobs.quantization`."""


class Unpredictable(Exception):
    """A config that says too little, or describes what is not known here. The message is why."""


def relevant(config: Config, *, nested: bool = False) -> dict[str, Any]:
    """The fields of a config that are read."""
    kept: dict[str, Any] = {
        name: value
        for name, value in config.items()
        if name in KEYS or name.startswith(OTHER_STATE)
    }
    for name in (*_TEXT_CONFIGS, "vision_config"):
        kept.pop(name, None)
        # Those of those are not read: nobody nests them but to exhaust the stack.
        if not nested and isinstance(config.get(name), Mapping):
            kept[name] = relevant(config[name], nested=True)
    for name, fields in _NESTED.items():
        if isinstance(kept.get(name), Mapping):
            kept[name] = {one: kept[name][one] for one in fields if one in kept[name]}
    return kept


def text_part(config: Config) -> Config:
    """The part of a config that is about the decoder, with what it leaves out."""
    nested = (config[name] for name in _TEXT_CONFIGS if isinstance(config.get(name), Mapping))
    text = next(nested, config)
    return {**_LEFT_OUT.get(str(text.get("model_type")), {}), **text}


def number(config: Config, name: str, default: int | None = None) -> int:
    """A count of a config; with ``default`` it may be missing or 0.

    Raises:
        Unpredictable: it is missing, or no count.
    """
    value = config.get(name)
    if value is None:
        value = default
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
        raise Unpredictable(
            f"`{name}` of its config is {value!r}, not a number"
            if name in config
            else f"its config has no `{name}`"
        )
    if default is None and value == 0:
        raise Unpredictable(f"`{name}` of its config is 0")
    return value
