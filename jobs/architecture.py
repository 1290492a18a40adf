"""What a model's ``config.json`` says about its shape: layers, heads, windows, latents. Pure.

The names are those of Hugging Face's configs. A model type whose modules are not known still has a
KV cache that can be predicted.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from jobs import parameters
from jobs.model_config import OTHER_STATE, Config, Unpredictable, number, text_part
from jobs.parameters import Parameters

_MOST_LAYERS = 10_000
_LONGEST = 2**31 - 1
_LAYER_TYPES = {"full_attention", "sliding_attention"}


@dataclass(frozen=True, slots=True)
class Architecture:
    """The shape of a decoder."""

    model_type: str
    name: str
    """Its class, as ``architectures`` of the config names it; empty: not said."""
    dtype: str
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    latent_dim: int | None
    """Width of the one latent vector that MLA keeps of a token in place of keys and values."""
    windows: tuple[int | None, ...]
    """Of each layer, the tokens that it looks back on; none: all."""
    feed_forward: int
    """Width of what a token passes through in a feed-forward layer: all its experts together."""
    vocabulary: int
    max_len: int
    parameters: Parameters | None
    """None of a model type whose modules are not known here."""


def read(config: Config) -> Architecture:
    """The architecture that a ``config.json`` describes.

    Raises:
        Unpredictable: a needed field is missing or no number, or the model has layers without a KV
            cache.
    """
    text = text_part(config)
    model_type = str(text.get("model_type", ""))
    heads = number(text, "num_attention_heads")
    hidden = number(text, "hidden_size")
    latent = number(text, "kv_lora_rank", 0)
    return Architecture(
        model_type=model_type,
        name=_name(config),
        dtype=_dtype(config, text),
        hidden=hidden,
        heads=heads,
        kv_heads=number(text, "num_key_value_heads", heads),
        head_dim=number(text, "head_dim", 0) or hidden // heads,
        latent_dim=latent + number(text, "qk_rope_head_dim") if latent else None,
        windows=_windows(text),
        feed_forward=_feed_forward(text),
        vocabulary=number(text, "vocab_size"),
        max_len=_max_len(text),
        parameters=parameters.count(config),
    )


def _name(config: Config) -> str:
    names = config.get("architectures")
    first = names[0] if isinstance(names, list) and names else ""
    return first if isinstance(first, str) else ""


def _dtype(config: Config, text: Config) -> str:
    for one in (text, config):
        for name in ("dtype", "torch_dtype"):
            if isinstance(one.get(name), str):
                return one[name].removeprefix("torch.")
    return "float32"  # what files without a word about it are taken for, by transformers as well


def _max_len(text: Config) -> int:
    """The context length, 0 where it is not said. Of the ways to stretch positions, two are not in
    ``max_position_embeddings`` yet (vLLM's ``_get_and_verify_max_len``)."""
    length = number(text, "max_position_embeddings", 0)
    rope = text.get("rope_scaling") or text.get("rope_parameters")
    if not isinstance(rope, Mapping) or "gemma3" in str(text.get("model_type")):
        return length
    factor = rope.get("factor")
    stretched = rope.get("rope_type", rope.get("type")) in ("linear", "dynamic")
    if not stretched or not isinstance(factor, int | float):
        return length
    return int(min(max(length * factor, length), _LONGEST))


def _windows(text: Config) -> tuple[int | None, ...]:
    layers = number(text, "num_hidden_layers")
    if layers > _MOST_LAYERS:
        raise Unpredictable(f"no model has {layers:,} layers")
    if other := [name for name in text if name.startswith(OTHER_STATE) and text[name]]:
        raise Unpredictable(f"it has layers with another state than a KV cache (`{other[0]}`)")
    types = text.get("layer_types")
    if isinstance(types, list):
        if others := {str(one) for one in types} - _LAYER_TYPES:
            raise Unpredictable(f"layers of type {', '.join(sorted(others))} are not known here")
        if len(types) != layers:
            raise Unpredictable(f"its config has {len(types)} layer types for {layers} layers")
    window = number(text, "sliding_window", 0) or None
    if window is None or text.get("use_sliding_window") is False:
        return (None,) * layers
    if isinstance(types, list):
        return tuple(window if one == "sliding_attention" else None for one in types)
    model_type = text.get("model_type")
    if model_type == "gemma2":
        return tuple(window if index % 2 == 0 else None for index in range(layers))
    if pattern := number(text, "sliding_window_pattern", 0):
        return tuple(window if (index + 1) % pattern else None for index in range(layers))
    if model_type == "gpt_oss":
        return tuple(window if index % 2 == 0 else None for index in range(layers))
    if model_type in ("qwen2", "qwen2_moe", "qwen3", "qwen3_moe"):
        if not text.get("use_sliding_window"):
            return (None,) * layers
        first = number(text, "max_window_layers", 0)
        return tuple(window if index >= first else None for index in range(layers))
    return (window,) * layers


def _feed_forward(text: Config) -> int:
    dense = number(text, "intermediate_size")
    if not parameters.experts(text):
        return dense
    each = number(text, "num_experts_per_tok", 1) * parameters.expert_width(text)
    return max(dense, each + parameters.shared_width(text))
