"""Does a model fit this cluster's hardware? A judgement before anything is loaded. Pure.

What is certain (weights, KV cache) is told from what is estimated: only the first makes a model not
fit, and what lies between is said to be unknown.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from jobs import footprint, kv_cache
from jobs.footprint import GIB, Prediction
from jobs.model_config import Config, Unpredictable
from jobs.schemas.memory import Fit, FitVerdict
from jobs.schemas.models import ModelSpec


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the cluster."""

    memory_bytes: int
    gpus: int = 0
    """As many as Ray may use."""
    gpu_memory_bytes: int | None = None
    """What a program may use of the smallest of its GPUs; none: not known."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """What engines can have."""

    nodes: tuple[Node, ...]

    @property
    def gpus(self) -> int:
        return sum(node.gpus for node in self.nodes)

    def places(self, gpus: int) -> list[Node]:
        """Where an engine may be put: nodes with ``gpus`` GPUs; all of them where none has any."""
        if not self.gpus:
            return list(self.nodes)
        return [node for node in self.nodes if node.gpus >= gpus]


def judge(model: ModelSpec, config: Config | None, hardware: Hardware, cpu_cache_bytes: int) -> Fit:
    """Whether one engine of ``model`` fits; ``config`` is its weights' ``config.json``, if known.
    ``cpu_cache_bytes`` is the KV cache that an engine on CPU gets."""
    if model.endpoint is not None:
        host = urlsplit(model.endpoint.base_url).hostname
        return _fit(FitVerdict.FITS, f"runs at {host}, needs no hardware here")
    if not hardware.nodes:
        return _fit(FitVerdict.CANNOT_TELL, "cannot tell: no node that runs engines is there yet")
    on_gpu = hardware.gpus > 0
    if on_gpu and model.tensor_parallel > hardware.gpus:
        reason = f"needs {_gpus(model.tensor_parallel)} for one engine, this cluster has "
        return _fit(FitVerdict.DOES_NOT_FIT, f"{reason}{hardware.gpus}")
    places = hardware.places(model.tensor_parallel)
    if not places:
        largest = max(node.gpus for node in hardware.nodes)
        reason = f"needs {_gpus(model.tensor_parallel)} of one node for one engine, the largest has"
        return _fit(FitVerdict.DOES_NOT_FIT, f"{reason} {largest}")
    if config is None or model.engine != "vllm":
        return _in_any([_as_planned(model, node) for node in places])
    try:
        predicted = [
            footprint.predict(model, config, on_gpu=on_gpu, gpu_bytes=node.gpu_memory_bytes)
            for node in places
        ]
    except Unpredictable as why:
        planned = _in_any([_as_planned(model, node) for node in places])
        if planned.verdict is FitVerdict.DOES_NOT_FIT:
            return planned
        return _fit(FitVerdict.CANNOT_TELL, f"cannot tell: {why}")
    each = [
        _on_gpu(one, node) if on_gpu else _on_cpu(one, node, cpu_cache_bytes)
        for one, node in zip(predicted, places, strict=True)
    ]
    most = max(predicted, key=lambda one: one.overhead_bytes)
    return _in_any(each).model_copy(update={"footprint": most.footprint()})


def _fit(verdict: FitVerdict, reason: str, longest: int | None = None) -> Fit:
    fits = verdict in (FitVerdict.FITS, FitVerdict.CANNOT_TELL)
    return Fit(verdict=verdict, fits=fits, reason=reason, longest=longest)


def _in_any(each: list[Fit]) -> Fit:
    """One judgement of those for the nodes that Ray may choose."""
    if len({one.verdict for one in each}) == 1:
        return min(each, key=lambda one: one.longest or 0)
    bad = next(one for one in each if one.verdict is not FitVerdict.FITS)
    if all(not one.fits for one in each):
        return bad
    return _fit(
        FitVerdict.CANNOT_TELL, f"cannot tell: it depends on the node. On one it {bad.reason}"
    )


def _as_planned(model: ModelSpec, node: Node) -> Fit:
    """By the figures of the registry entry alone."""
    planned = round(model.memory_gib * GIB)
    if not node.gpus:
        there = f"this machine has {_gib(node.memory_bytes)} of memory"
        if planned > node.memory_bytes:
            return _fit(FitVerdict.DOES_NOT_FIT, f"needs {_gib(planned)}, {there}")
        return _fit(FitVerdict.FITS, f"fits: is to have {_gib(planned)}, {there}")
    gpus = model.tensor_parallel
    if node.gpu_memory_bytes is None:
        reason = f"cannot tell: the memory of {'its GPUs' if gpus > 1 else 'its GPU'} is not known"
        return _fit(FitVerdict.CANNOT_TELL, reason)
    there = f"{_gpus(gpus)} of {_gib(node.gpu_memory_bytes)}"
    if model.weights_bytes > gpus * node.gpu_memory_bytes:
        weights = _gib(model.weights_bytes)
        return _fit(FitVerdict.DOES_NOT_FIT, f"has {weights} of weights, too much for {there}")
    if planned > gpus * node.gpu_memory_bytes:
        return _fit(FitVerdict.CANNOT_TELL, f"cannot tell: is to have {_gib(planned)} on {there}")
    return _fit(FitVerdict.FITS, f"fits: is to have {_gib(planned)} on {there}")


def _on_gpu(predicted: Prediction, node: Node) -> Fit:
    if node.gpu_memory_bytes is None:
        need = f"needs {_gib(predicted.weights_bytes)} of weights"
        each = " on each GPU" if predicted.gpus > 1 else ""
        reason = f"cannot tell: {need}{each}, and the memory of the GPUs is not known"
        return _fit(FitVerdict.CANNOT_TELL, reason)
    usable = int(node.gpu_memory_bytes * predicted.utilization)
    room = usable - predicted.weights_bytes
    where = f"{_gpus(predicted.gpus)} of {_gib(node.gpu_memory_bytes)}"
    where += f", of which vLLM takes {predicted.utilization:.0%}"
    if room <= 0:
        return _fit(
            FitVerdict.DOES_NOT_FIT,
            f"does not fit: {_gib(predicted.weights_bytes)} of weights on {where}",
        )
    return _within(predicted, room, room - predicted.overhead_bytes, where)


def _on_cpu(predicted: Prediction, node: Node, cache_bytes: int) -> Fit:
    sure = predicted.weights_bytes + cache_bytes
    where = f"a machine with {_gib(node.memory_bytes)} of memory"
    what = f"{_gib(predicted.weights_bytes)} of weights and {_gib(cache_bytes)} of KV cache"
    if sure > node.memory_bytes:
        return _fit(FitVerdict.DOES_NOT_FIT, f"does not fit: {what} on {where}")
    within = _within(predicted, cache_bytes, cache_bytes, f"{where} (cpu_kv_cache_gib)")
    if within.fits and sure + predicted.overhead_bytes > node.memory_bytes:
        return _fit(FitVerdict.CANNOT_TELL, f"cannot tell: {what} leave little of {where}")
    return within


def _within(predicted: Prediction, room: int, sure_room: int, where: str) -> Fit:
    """By the KV cache that there is: ``room`` at most, ``sure_room`` by a careful estimate."""
    layout, limit = predicted.layout, predicted.max_len
    need = kv_cache.needed(layout, limit)
    weights = f"{_gib(predicted.weights_bytes)} of weights"
    if predicted.gpus > 1:
        weights += " on each GPU"
    if need <= sure_room:
        reason = f"fits: {weights} and {_gib(sure_room)} of KV cache on {where}"
        return _fit(FitVerdict.FITS, reason, limit)
    at_length = f"a context of {limit:,} tokens needs {_gib(need)} of KV cache"
    if need <= room:
        reason = f"cannot tell: {at_length}, and between {_gib(max(sure_room, 0))} and {_gib(room)}"
        return _fit(FitVerdict.CANNOT_TELL, f"{reason} are left beside {weights} on {where}")
    longest = kv_cache.longest(layout, sure_room, limit)
    if longest:
        reason = f"fits with at most {longest:,} tokens: {at_length}, and {_gib(sure_room)} are"
        return _fit(FitVerdict.FITS_SHORTER, f"{reason} left beside {weights} on {where}", longest)
    reason = f"does not fit: {at_length}, and at most {_gib(room)} are left beside {weights}"
    return _fit(FitVerdict.DOES_NOT_FIT, f"{reason} on {where}")


def _gpus(count: int) -> str:
    return f"{count} GPU{'s' * (count != 1)}"


def _gib(size: int) -> str:
    return f"{size / GIB:.1f}".removesuffix(".0") + " GiB"
