"""What memory an engine will take, predicted from its model's config as vLLM computes it. Pure.

Weights and KV cache are arithmetic. What else vLLM takes can only be estimated; the estimate is
made of what its profiling run (``GPUModelRunner.profile_run``, ``_dummy_sampler_run``) allocates,
and is meant to be too large rather than too small. docs/HARDWARE.md compares it with what vLLM
logged elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs import kv_cache, quantization
from jobs.architecture import Architecture
from jobs.architecture import read as read_architecture
from jobs.kv_cache import Layout
from jobs.model_config import Config, Unpredictable
from jobs.schemas.memory import Footprint
from jobs.schemas.models import ModelSpec

GIB = 2**30

# Tokens of a step, and of one on GPUs of so many GiB, by default in `vllm serve` 0.32
# (EngineArgs.get_batch_defaults). An A100 has the first in any case: its estimate is too large.
_BATCHED_TOKENS = 2048
_BATCHED_TOKENS_FROM = {160: 16_384, 70: 8192}
_UTILIZATION = 0.92
# Steps that asynchronous scheduling has under way at once (VllmConfig.max_concurrent_batches).
_STEPS = 2
_BLOCK_TOKENS = 16
_LATENT_BLOCK_TOKENS = 64
_CPU_BLOCK_TOKENS = 128

# Sorting and summing the logits of each request takes several copies of them. Logs of vLLM 0.10 to
# 0.32 come to 10 to 14 bytes for each request and word of the vocabulary.
_SAMPLER_BYTES = 14
# Gate, up and their product; the residual, its norm, and the projections' input and output.
_FORWARD_COPIES = 3
_HIDDEN_COPIES = 4
# CUDA context and kernels ("non-torch memory" of the logs: 0.05 to 0.33), and NCCL's buffers on top
# where GPUs work together (0.25 to 0.95).
_CUDA_BYTES = round(0.35 * GIB)
_NCCL_BYTES = round(0.65 * GIB)
# "Graph capturing … took": 0.23 to 0.67 GiB for models on one GPU.
_GRAPH_BYTES = round(0.7 * GIB)
# An allowance for two processes that have PyTorch and vLLM loaded; not measured.
_CPU_PROCESS_BYTES = 2 * GIB


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one engine takes on each of its GPUs, or of its machine."""

    gpus: int
    """0: it runs on CPU."""
    weights_bytes: int
    overhead_bytes: int
    layout: Layout
    max_len: int
    utilization: float
    """The share of a GPU's memory that vLLM takes."""

    def footprint(self) -> Footprint:
        return Footprint(
            gpus=self.gpus,
            weights_bytes=self.weights_bytes,
            overhead_bytes=self.overhead_bytes,
            kv_token_bytes=self.layout.token_bytes,
            kv_request_bytes=kv_cache.needed(self.layout, self.max_len),
            max_model_len=self.max_len,
        )


def predict(
    model: ModelSpec, config: Config, *, on_gpu: bool, gpu_bytes: int | None = None
) -> Prediction:
    """The memory of one engine of ``model``, whose weights' ``config.json`` is ``config``.
    ``gpu_bytes`` is the memory of each GPU, where that is known.

    Raises:
        Unpredictable: the config is not understood, or an engine argument not taken into account.
    """
    args = arguments(model, on_gpu=on_gpu)
    architecture = read_architecture(config)
    dtype = quantization.computed_in(architecture, str(args.get("dtype") or model.dtype))
    item = quantization.item_bytes(dtype)
    gpus = _count(args, "tensor_parallel_size", model.tensor_parallel) if on_gpu else 0
    if _count(args, "pipeline_parallel_size", 1) > 1:
        raise Unpredictable("what a pipeline of GPUs takes is not predicted")
    share = 1.0
    if gpus > 1:
        asked = args.get("quantization") or model.quantization
        share = quantization.of_one_gpu(
            architecture, quantization.stored(config, dtype, asked), gpus
        )
    max_len = _count(args, "max_model_len", model.max_model_len or architecture.max_len)
    if not max_len:
        raise Unpredictable("neither its entry nor its config has a context length")
    batched = _count(args, "max_num_batched_tokens", _batched_tokens(gpu_bytes or 0))
    layout = kv_cache.layout(
        architecture,
        gpus=max(gpus, 1),
        item_bytes=_cache_item(config, str(args.get("kv_cache_dtype") or "auto"), item),
        block_tokens=_count(args, "block_size", _block_tokens(architecture, on_gpu=on_gpu)),
        in_flight=_STEPS * batched,
        hybrid=not args.get("disable_hybrid_kv_cache_manager"),
    )
    computing = _forward(architecture, batched, max(gpus, 1)) * item
    seqs = _count(args, "max_num_seqs", model.max_num_seqs)
    sampling = seqs * architecture.vocabulary * _SAMPLER_BYTES
    return Prediction(
        gpus=gpus,
        weights_bytes=round(model.weights_bytes * share),
        overhead_bytes=computing + sampling + _runtime(gpus, eager=bool(args.get("enforce_eager"))),
        layout=layout,
        max_len=max_len,
        utilization=float(args.get("gpu_memory_utilization") or _UTILIZATION),
    )


def arguments(model: ModelSpec, *, on_gpu: bool) -> dict[str, Any]:
    """The engine arguments of a registry entry that are in force."""
    return model.engine_args | ({} if on_gpu else model.cpu_engine_args)


def _batched_tokens(gpu_bytes: int) -> int:
    most = (tokens for gib, tokens in _BATCHED_TOKENS_FROM.items() if gpu_bytes >= gib * GIB)
    return next(most, _BATCHED_TOKENS)


def _count(args: dict[str, Any], name: str, default: int) -> int:
    value = args.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise Unpredictable(f"the engine argument `{name}` is {value!r}")
    return value


def _cache_item(config: Config, asked: str, item: int) -> int:
    """Bytes of a number in the KV cache."""
    if asked == "auto":
        given = config.get("quantization_config")
        names = ("kv_cache_scheme", "kv_cache_quant_algo")
        return 1 if isinstance(given, Mapping) and any(given.get(name) for name in names) else item
    if asked.startswith("fp8") or asked == "int8":
        return 1
    return quantization.item_bytes(asked)


def _block_tokens(architecture: Architecture, *, on_gpu: bool) -> int:
    latent = architecture.latent_dim is not None
    if on_gpu:
        return _LATENT_BLOCK_TOKENS if latent else _BLOCK_TOKENS
    return _BLOCK_TOKENS if latent else _CPU_BLOCK_TOKENS


def _forward(architecture: Architecture, tokens: int, gpus: int) -> int:
    """Numbers that are held at once while ``tokens`` pass through a layer."""
    feed_forward = _FORWARD_COPIES * architecture.feed_forward // gpus
    return tokens * (feed_forward + _HIDDEN_COPIES * architecture.hidden)


def _runtime(gpus: int, *, eager: bool) -> int:
    if not gpus:
        return _CPU_PROCESS_BYTES
    return _CUDA_BYTES + (_NCCL_BYTES if gpus > 1 else 0) + (0 if eager else _GRAPH_BYTES)
