"""Bytes that weights take in memory, by dtype and quantization. Pure.

A checkpoint says in its config's ``quantization_config`` how its weights are stored, and vLLM keeps
them so. A registry entry may ask vLLM to quantize plain weights while it loads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.architecture import Architecture
from jobs.model_config import Config, Unpredictable
from jobs.parameters import Parameters

_ITEM_BYTES = {
    "float32": 4,
    "float": 4,
    "bfloat16": 2,
    "float16": 2,
    "half": 2,
    "float8_e4m3fn": 1,
}
# MXFP4 and NVFP4: four bits, and a scale of eight for each 32 or 16 of them.
_MXFP4_BYTES = 0.5 + 1 / 32
_NVFP4_BYTES = 0.5 + 1 / 16
_SCALE_BYTES = 2
_BLOCK_SCALE_BYTES = 4
# NF4 of bitsandbytes: a scale in float32 for each 64 weights.
_NF4_BYTES = 0.5 + 4 / 64


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes that one parameter takes."""

    linear: float
    """Projections and feed-forward layers."""
    experts: float
    plain: float
    """What is never quantized: embeddings, norms, routers."""


def item_bytes(dtype: str) -> int:
    """Bytes of a number of vLLM's ``dtype``.

    Raises:
        Unpredictable: not a dtype that weights can have.
    """
    if dtype not in _ITEM_BYTES:
        raise Unpredictable(f"{dtype!r} is not a dtype of weights")
    return _ITEM_BYTES[dtype]


def computed_in(architecture: Architecture, dtype: str) -> str:
    """The dtype that vLLM computes in, where a registry entry says ``dtype``. Of float32 weights
    ``auto`` makes bfloat16, as vLLM does on all but old GPUs."""
    if dtype != "auto":
        return dtype
    return "bfloat16" if architecture.dtype == "float32" else architecture.dtype


def stored(config: Config, dtype: str, quantization: str | None) -> Stored:
    """How weights of a checkpoint are kept that are computed in ``dtype``; ``quantization`` is the
    registry entry's.

    Raises:
        Unpredictable: a way of quantizing that is not known here.
    """
    plain = item_bytes(dtype)
    given = config.get("quantization_config")
    if isinstance(given, Mapping):
        return _checkpoint(given, plain)
    match quantization:
        case None:
            return Stored(plain, plain, plain)
        case "fp8":
            return Stored(1, 1, plain)
        case "bitsandbytes":
            return Stored(_NF4_BYTES, _NF4_BYTES, plain)
        case other:
            raise Unpredictable(f"what {other!r} makes of plain weights is not known here")


def weights_bytes(parameters: Parameters, stored: Stored) -> int:
    """Bytes of all weights."""
    linear = (
        parameters.attention + parameters.keys_values + parameters.latent + parameters.dense
    ) * stored.linear
    plain = (parameters.embedding + parameters.rest) * stored.plain
    return round(linear + parameters.experts * stored.experts + plain)


def of_one_gpu(architecture: Architecture, stored: Stored, gpus: int) -> float:
    """The share of all weights' bytes that each of the GPUs of one engine has."""
    parameters = architecture.parameters
    if parameters is None or gpus == 1:
        return 1 / gpus
    heads = min(gpus, architecture.kv_heads)  # with fewer heads than GPUs, some have the same
    linear = (
        (parameters.attention + parameters.dense) / gpus
        + parameters.keys_values / heads
        + parameters.latent
    ) * stored.linear
    plain = (parameters.embedding / gpus + parameters.rest) * stored.plain
    mine = linear + parameters.experts / gpus * stored.experts + plain
    return mine / weights_bytes(parameters, stored)


def _checkpoint(given: Mapping[str, Any], plain: int) -> Stored:
    method = str(given.get("quant_method") or given.get("quant_algo") or "").lower()
    match method:
        case "mxfp4":  # of GPT-OSS: the experts only
            return Stored(plain, _MXFP4_BYTES, plain)
        case "fp8" | "fbgemm_fp8":
            block = given.get("weight_block_size")
            scales = 0.0
            if isinstance(block, list) and len(block) == 2:
                scales = _BLOCK_SCALE_BYTES / (_side(block[0]) * _side(block[1]))
            return Stored(1 + scales, 1 + scales, plain)
        case "awq" | "gptq" | "awq_marlin" | "gptq_marlin":
            each = _grouped(given.get("bits", given.get("w_bit")), given.get("group_size"))
            return Stored(each, each, plain)
        case "compressed-tensors":
            each = _compressed(given)
            return Stored(each, each, plain)
        case "bitsandbytes":
            each = 1.0 if given.get("load_in_8bit") else _NF4_BYTES
            return Stored(each, each, plain)
        case "modelopt" if "FP4" in str(given.get("quant_algo")).upper():
            return Stored(_NVFP4_BYTES, _NVFP4_BYTES, plain)
        case "modelopt":
            return Stored(1, 1, plain)
        case _:
            raise Unpredictable(
                f"quantization by {method or 'an unnamed method'} is not known here"
            )


def _side(length: Any) -> int:
    """Of a block of weights with one scale."""
    if not isinstance(length, int) or length < 1:
        raise Unpredictable(f"its quantization has blocks of {length!r}")
    return length


def _grouped(bits: Any, group: Any) -> float:
    """Bytes of a weight with ``bits``, with a scale and a zero point for each group."""
    if not isinstance(bits, int) or not 1 <= bits <= 16:
        raise Unpredictable(f"its quantization has {bits!r} bits")
    size = group if isinstance(group, int) and group > 0 else None
    return bits / 8 + ((_SCALE_BYTES + bits / 8) / size if size else 0)


def _compressed(given: Mapping[str, Any]) -> float:
    """By llm-compressor: groups of modules, each with its own scheme; the widest is taken."""
    groups = given.get("config_groups")
    schemes = list(groups.values()) if isinstance(groups, Mapping) else []
    weights = [one.get("weights") for one in schemes if isinstance(one, Mapping)]
    known = [one for one in weights if isinstance(one, Mapping)]
    if not known:
        raise Unpredictable("its quantization says nothing of its weights")
    return max(_grouped(one.get("num_bits"), one.get("group_size")) for one in known)
