"""What a model's ``config.json`` says about the memory it takes: layers, heads, experts, windows.

Pure. The names are those of Hugging Face's configs; the counts are of the modules that transformers
and vLLM make of them. A model type whose modules are not known here still has a KV cache that can
be predicted; the number of its parameters then has to come from its files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Config = Mapping[str, Any]

_TEXT_CONFIGS = ("text_config", "llm_config", "language_config")
_LAYER_TYPES = {"full_attention", "sliding_attention"}
# Fields of models whose layers keep something else than a KV cache of keys and values for each
# token: hybrids with Mamba, linear or chunked attention, shared or compressed caches, encoders.
_OTHER_STATE = (
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
"""The fields that are read, here and in :mod:`jobs.quantization`."""


class Unpredictable(Exception):
    """A config that says too little, or describes what is not known here. The message is why."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Numbers of parameters, by how tensor parallelism and quantization treat them."""

    embedding: int
    """Token embedding and output head. Shared out over GPUs, never quantized."""
    attention: int
    """Projections of queries and outputs, and what expands a latent. Shared out."""
    keys_values: int
    """Projections to keys and values: shared out as far as there are heads."""
    latent: int
    """Projections down to a latent (MLA). Every GPU has all of them."""
    dense: int
    """Feed-forward layers and shared experts. Shared out."""
    experts: int
    """Experts that are routed to. Shared out."""
    rest: int
    """Norms, biases, routers, an image encoder. Every GPU has all of them; never quantized."""

    @property
    def total(self) -> int:
        return (
            self.embedding
            + self.attention
            + self.keys_values
            + self.latent
            + self.dense
            + self.experts
            + self.rest
        )


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


@dataclass(frozen=True, slots=True)
class _Family:
    """How a model type differs from Llama, where its config does not say so."""

    tied: bool = False
    """The output head is the embedding, unless the config says otherwise."""
    norms: int = 2
    """Norms of a layer."""
    qkv_bias: bool = False
    output_bias: bool = False
    head_norm: bool = False
    """Queries and keys are normed, each head by the same weights."""
    wide_norm: bool = False
    """Queries and keys are normed, each head by its own weights."""
    sinks: bool = False
    """A learned sink for each head, and biases in routers and experts (GPT-OSS)."""


_GEMMA3 = _Family(tied=True, norms=4, head_norm=True)
_FAMILIES = {
    "llama": _Family(),
    "mistral": _Family(),
    "mixtral": _Family(),
    "smollm3": _Family(tied=True),
    "phi3": _Family(),
    "qwen2": _Family(qkv_bias=True),
    "qwen2_moe": _Family(qkv_bias=True),
    "qwen3": _Family(head_norm=True),
    "qwen3_moe": _Family(head_norm=True),
    "olmo2": _Family(wide_norm=True),
    "gemma": _Family(tied=True),
    "gemma2": _Family(tied=True, norms=4),
    "gemma3": _GEMMA3,
    "gemma3_text": _GEMMA3,
    "gpt_oss": _Family(qkv_bias=True, output_bias=True, sinks=True),
    "deepseek_v2": _Family(),
    "deepseek_v3": _Family(),
}


def read(config: Config) -> Architecture:
    """The architecture that a ``config.json`` describes.

    Raises:
        Unpredictable: a needed field is missing or no number, or the model has layers without a KV
            cache.
    """
    text = text_part(config)
    model_type = str(text.get("model_type", ""))
    heads = _number(text, "num_attention_heads")
    hidden = _number(text, "hidden_size")
    latent = _number(text, "kv_lora_rank", 0)
    return Architecture(
        model_type=model_type,
        name=next(iter(config.get("architectures") or ()), ""),
        dtype=_dtype(config, text),
        hidden=hidden,
        heads=heads,
        kv_heads=_number(text, "num_key_value_heads", heads),
        head_dim=_number(text, "head_dim", 0) or hidden // heads,
        latent_dim=latent + _number(text, "qk_rope_head_dim") if latent else None,
        windows=_windows(text),
        feed_forward=_feed_forward(text),
        vocabulary=_number(text, "vocab_size"),
        max_len=_number(text, "max_position_embeddings", 0),
        parameters=_parameters(config, text),
    )


def relevant(config: Config) -> dict[str, Any]:
    """The fields of a config that are read here."""
    kept = {
        name: value
        for name, value in config.items()
        if name in KEYS or name.startswith(_OTHER_STATE)
    }
    for name in (*_TEXT_CONFIGS, "vision_config"):
        if isinstance(config.get(name), Mapping):
            kept[name] = relevant(config[name])
    return kept


def text_part(config: Config) -> Config:
    """The part of a config that is about the decoder."""
    for name in _TEXT_CONFIGS:
        if isinstance(config.get(name), Mapping):
            return config[name]
    return config


def _number(config: Config, name: str, default: int | None = None) -> int:
    value = config.get(name)
    if value is None:
        value = default
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Unpredictable(
            f"`{name}` of its config is {value!r}, not a number"
            if name in config
            else f"its config has no `{name}`"
        )
    if default is None and value == 0:
        raise Unpredictable(f"`{name}` of its config is 0")
    return value


def _dtype(config: Config, text: Config) -> str:
    for one in (text, config):
        for name in ("dtype", "torch_dtype"):
            if isinstance(one.get(name), str):
                return one[name].removeprefix("torch.")
    return "float32"  # what files without a word about it are taken for, by transformers as well


def _windows(text: Config) -> tuple[int | None, ...]:
    layers = _number(text, "num_hidden_layers")
    if other := [name for name in text if name.startswith(_OTHER_STATE) and text[name]]:
        raise Unpredictable(f"it has layers with another state than a KV cache (`{other[0]}`)")
    types = text.get("layer_types")
    if isinstance(types, list):
        if others := {str(one) for one in types} - _LAYER_TYPES:
            raise Unpredictable(f"layers of type {', '.join(sorted(others))} are not known here")
        if len(types) != layers:
            raise Unpredictable(f"its config has {len(types)} layer types for {layers} layers")
    window = _number(text, "sliding_window", 0) or None
    if window is None or text.get("use_sliding_window") is False:
        return (None,) * layers
    if isinstance(types, list):
        return tuple(window if one == "sliding_attention" else None for one in types)
    model_type = text.get("model_type")
    if model_type == "gemma2":
        return tuple(window if index % 2 == 0 else None for index in range(layers))
    if model_type in ("gemma3", "gemma3_text"):
        pattern = _number(text, "sliding_window_pattern", 6)
        return tuple(window if (index + 1) % pattern else None for index in range(layers))
    if model_type == "gpt_oss":
        return tuple(window if index % 2 == 0 else None for index in range(layers))
    if model_type in ("qwen2", "qwen2_moe", "qwen3", "qwen3_moe"):
        if not text.get("use_sliding_window"):
            return (None,) * layers
        first = _number(text, "max_window_layers", 0)
        return tuple(window if index >= first else None for index in range(layers))
    return (window,) * layers


def _experts(text: Config) -> int:
    names = ("num_local_experts", "n_routed_experts", "num_experts")
    return next((_number(text, name) for name in names if text.get(name)), 0)


def _expert_width(text: Config) -> int:
    return _number(text, "moe_intermediate_size", 0) or _number(text, "intermediate_size")


def _shared_width(text: Config) -> int:
    """Width of the experts that every token passes through."""
    several = _number(text, "n_shared_experts", 0) * _expert_width(text)
    return several or _number(text, "shared_expert_intermediate_size", 0)


def _feed_forward(text: Config) -> int:
    dense = _number(text, "intermediate_size")
    if not _experts(text):
        return dense
    each = _number(text, "num_experts_per_tok", 1) * _expert_width(text)
    return max(dense, each + _shared_width(text))


def _is_sparse(text: Config, layer: int) -> bool:
    """Whether a layer of a mixture of experts has them."""
    if layer < _number(text, "first_k_dense_replace", 0):
        return False
    if layer in (text.get("mlp_only_layers") or ()):
        return False
    every = _number(text, "moe_layer_freq", 1) or 1
    step = _number(text, "decoder_sparse_step", 1) or 1
    return layer % every == 0 and (layer + 1) % step == 0


def _parameters(config: Config, text: Config) -> Parameters | None:
    family = _FAMILIES.get(str(text.get("model_type")))
    if family is None:
        return None
    image = _image_encoder(config, text)
    if image is None:
        return None
    hidden = _number(text, "hidden_size")
    layers = _number(text, "num_hidden_layers")
    embedding = _number(text, "vocab_size") * hidden
    tied = text.get("tie_word_embeddings", config.get("tie_word_embeddings"))
    attention, keys_values, latent, small = _attention(text, family)
    sparse = sum(_is_sparse(text, layer) for layer in range(layers)) if _experts(text) else 0
    dense = (layers - sparse) * _mlp(text, _number(text, "intermediate_size"))
    expert, router = _mixture(text, family)
    return Parameters(
        embedding=embedding * (1 if (family.tied if tied is None else tied) else 2),
        attention=layers * attention,
        keys_values=layers * keys_values,
        latent=layers * latent,
        dense=dense + sparse * _mlp(text, _shared_width(text)),
        experts=sparse * _experts(text) * expert,
        rest=layers * (small + family.norms * hidden) + hidden + sparse * router + image,
    )


def _mlp(text: Config, width: int) -> int:
    """Parameters of gate, up and down projection."""
    hidden = _number(text, "hidden_size")
    return 3 * hidden * width + ((2 * width + hidden) if text.get("mlp_bias") else 0)


def _mixture(text: Config, family: _Family) -> tuple[int, int]:
    """Parameters of an expert, and of what a layer has beside its experts."""
    experts = _experts(text)
    if not experts:
        return 0, 0
    hidden, width = _number(text, "hidden_size"), _expert_width(text)
    router = hidden * experts
    if family.sinks:
        return 3 * hidden * width, router + experts + experts * (2 * width + hidden)
    if text.get("shared_expert_intermediate_size"):
        router += hidden  # how much of the shared expert to take
    if text.get("model_type") == "deepseek_v3":
        router += experts  # corrects the router, against experts that nobody asks
    return 3 * hidden * width, router


def _attention(text: Config, family: _Family) -> tuple[int, int, int, int]:
    """Parameters of a layer's attention: shared out, by KV head, latent, and small ones."""
    hidden, heads = _number(text, "hidden_size"), _number(text, "num_attention_heads")
    if text.get("kv_lora_rank"):
        return _latent_attention(text, hidden, heads)
    head_dim = _number(text, "head_dim", 0) or hidden // heads
    queries = heads * head_dim
    keys = _number(text, "num_key_value_heads", heads) * head_dim
    small = 0
    if family.qkv_bias or text.get("attention_bias"):
        small += queries + 2 * keys
    if family.output_bias or (text.get("attention_bias") and not family.qkv_bias):
        small += hidden
    if family.head_norm:
        small += 2 * head_dim
    if family.wide_norm:
        small += queries + keys
    if family.sinks:
        small += heads
    return 2 * hidden * queries, 2 * hidden * keys, 0, small


def _latent_attention(text: Config, hidden: int, heads: int) -> tuple[int, int, int, int]:
    rank, rope = _number(text, "kv_lora_rank"), _number(text, "qk_rope_head_dim")
    plain, value = _number(text, "qk_nope_head_dim"), _number(text, "v_head_dim")
    query_rank = _number(text, "q_lora_rank", 0)
    queries = (query_rank or hidden) * heads * (plain + rope)
    shared = queries + rank * heads * (plain + value) + heads * value * hidden
    latent = hidden * (rank + rope) + hidden * query_rank
    return shared, 0, latent, rank + query_rank


def _image_encoder(config: Config, text: Config) -> int | None:
    """Parameters of the image encoder and of what joins it to the decoder; none: not known."""
    vision = config.get("vision_config")
    if not isinstance(vision, Mapping):
        return 0
    if vision.get("model_type") != "siglip_vision_model":
        return None
    width, inner = _number(vision, "hidden_size"), _number(vision, "intermediate_size")
    patch = _number(vision, "patch_size")
    patches = (_number(vision, "image_size") // patch) ** 2
    layer = 4 * (width * width + width) + 2 * width * inner + inner + width + 4 * width
    embedding = 3 * patch * patch * width + width + patches * width
    joined = width * _number(text, "hidden_size") + width
    return embedding + _number(vision, "num_hidden_layers") * layer + 2 * width + joined
