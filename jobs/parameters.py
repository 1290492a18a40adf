"""How many parameters a model has, by its config alone. Pure.

The counts are of the modules that transformers and vLLM make of a model type; of one that is not
known here, the number has to come from the model's files.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from jobs.model_config import Config, number, text_part


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


def count(config: Config) -> Parameters | None:
    """The parameters of a model; none of a model type or an image encoder that is not known.

    Raises:
        Unpredictable: a needed field is missing or no number.
    """
    text = text_part(config)
    family = _FAMILIES.get(str(text.get("model_type")))
    if family is None:
        return None
    image = _image_encoder(config, text)
    if image is None:
        return None
    hidden = number(text, "hidden_size")
    layers = number(text, "num_hidden_layers")
    embedding = number(text, "vocab_size") * hidden
    tied = text.get("tie_word_embeddings", config.get("tie_word_embeddings"))
    attention, keys_values, latent, small = _attention(text, family)
    sparse = sum(_is_sparse(text, layer) for layer in range(layers)) if experts(text) else 0
    dense = (layers - sparse) * _mlp(text, number(text, "intermediate_size"))
    expert, router = _mixture(text, family)
    return Parameters(
        embedding=embedding * (1 if (family.tied if tied is None else tied) else 2),
        attention=layers * attention,
        keys_values=layers * keys_values,
        latent=layers * latent,
        dense=dense + sparse * _mlp(text, shared_width(text)),
        experts=sparse * experts(text) * expert,
        rest=layers * (small + family.norms * hidden) + hidden + sparse * router + image,
    )


def _mlp(text: Config, width: int) -> int:
    """Parameters of gate, up and down projection."""
    hidden = number(text, "hidden_size")
    return 3 * hidden * width + ((2 * width + hidden) if text.get("mlp_bias") else 0)


def _mixture(text: Config, family: _Family) -> tuple[int, int]:
    """Parameters of an expert, and of what a layer has beside its experts."""
    many = experts(text)
    if not many:
        return 0, 0
    hidden, width = number(text, "hidden_size"), expert_width(text)
    router = hidden * many
    if family.sinks:
        return 3 * hidden * width, router + many + many * (2 * width + hidden)
    if text.get("shared_expert_intermediate_size"):
        router += hidden  # how much of the shared expert to take
    if text.get("model_type") == "deepseek_v3":
        router += many  # corrects the router, against experts that nobody asks
    return 3 * hidden * width, router


def _attention(text: Config, family: _Family) -> tuple[int, int, int, int]:
    """Parameters of a layer's attention: shared out, by KV head, latent, and small ones."""
    hidden, heads = number(text, "hidden_size"), number(text, "num_attention_heads")
    if text.get("kv_lora_rank"):
        return _latent_attention(text, hidden, heads)
    head_dim = number(text, "head_dim", 0) or hidden // heads
    queries = heads * head_dim
    keys = number(text, "num_key_value_heads", heads) * head_dim
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
    rank, rope = number(text, "kv_lora_rank"), number(text, "qk_rope_head_dim")
    plain, value = number(text, "qk_nope_head_dim"), number(text, "v_head_dim")
    query_rank = number(text, "q_lora_rank", 0)
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
    width, inner = number(vision, "hidden_size"), number(vision, "intermediate_size")
    patch = number(vision, "patch_size")
    patches = (number(vision, "image_size") // patch) ** 2
    layer = 4 * (width * width + width) + 2 * width * inner + inner + width + 4 * width
    embedding = 3 * patch * patch * width + width + patches * width
    joined = width * number(text, "hidden_size") + width
    return embedding + number(vision, "num_hidden_layers") * layer + 2 * width + joined


def experts(text: Config) -> int:
    names = ("num_local_experts", "n_routed_experts", "num_experts")
    return next((number(text, name) for name in names if text.get(name)), 0)


def expert_width(text: Config) -> int:
    return number(text, "moe_intermediate_size", 0) or number(text, "intermediate_size")


def shared_width(text: Config) -> int:
    """Width of the experts that every token passes through."""
    several = number(text, "n_shared_experts", 0) * expert_width(text)
    return several or number(text, "shared_expert_intermediate_size", 0)


def _is_sparse(text: Config, layer: int) -> bool:
    """Whether a layer of a mixture of experts has them."""
    if layer < number(text, "first_k_dense_replace", 0):
        return False
    without = text.get("mlp_only_layers")
    if isinstance(without, list) and layer in without:
        return False
    every = number(text, "moe_layer_freq", 1) or 1
    step = number(text, "decoder_sparse_step", 1) or 1
    return layer % every == 0 and (layer + 1) % step == 0
