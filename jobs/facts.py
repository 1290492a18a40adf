"""What a replica has loaded: its part of the benchmark's manifest.

Apart from :mod:`jobs.manifest`, as what it needs takes a while to import, which a driver and a
replica that is to load do not have to spend.
"""

from datetime import UTC, datetime
from typing import Any

import structlog

from cluster.settings import settings
from jobs import engine, fingerprint, footprint, kv_cache, machine, manifest, model_files
from jobs.footprint import Prediction
from jobs.machine import Machine
from jobs.manifest import EngineFacts
from jobs.model_config import Unpredictable
from jobs.schemas.benchmarks import BenchmarkSpec
from jobs.schemas.memory import MemoryTaken
from jobs.weights import resolve

log = structlog.get_logger()


def note(
    spec: BenchmarkSpec, replica: str, taken: MemoryTaken | None = None, *, on_gpu: bool
) -> None:
    """Write what a replica has loaded, and the memory that it has ``taken``. That it cannot be
    written must not cost the results."""
    try:
        here = machine.read()
        predicted = _predicted(spec, here, on_gpu=on_gpu)
        facts = EngineFacts(
            replica=replica,
            loaded_at=datetime.now(UTC),
            versions=machine.versions(),
            machine=here,
            weights=fingerprint.weights(spec.model),
            chat_template_sha256=fingerprint.chat_template(spec.model),
            arguments=_arguments(spec, on_gpu=on_gpu),
            predicted=predicted.footprint() if predicted else None,
            predicted_kv_cache_tokens=_tokens(predicted, here) if predicted else None,
            taken=taken,
        )
        manifest.add(spec.benchmark_id, facts)
    except Exception:
        log.exception("the manifest lacks an engine", replica=replica)


def _arguments(spec: BenchmarkSpec, *, on_gpu: bool) -> dict[str, Any]:
    if spec.model.engine != "vllm":
        return spec.model.engine_args
    return engine.arguments(spec.model, resolve(spec.model), spec.task, on_gpu=on_gpu)


def _predicted(spec: BenchmarkSpec, here: Machine, *, on_gpu: bool) -> Prediction | None:
    config = model_files.known_config(spec.model)
    if config is None:
        return None
    try:
        return footprint.predict(spec.model, config, on_gpu=on_gpu, gpu_bytes=_gpu_bytes(here))
    except Unpredictable:
        return None


def _tokens(predicted: Prediction, here: Machine) -> int | None:
    """Tokens that the KV cache was predicted to hold on this machine."""
    if predicted.gpus == 0:
        room = settings().cpu_kv_cache_gib * footprint.GIB
    elif (gpu_bytes := _gpu_bytes(here)) is not None:
        usable = int(gpu_bytes * predicted.utilization)
        room = usable - predicted.weights_bytes - predicted.overhead_bytes
    else:
        return None
    return kv_cache.capacity(predicted.layout, max(room, 0), predicted.max_len)


def _gpu_bytes(here: Machine) -> int | None:
    """The memory of the machine's smallest GPU."""
    return min((gpu.memory_mib * 2**20 for gpu in here.gpus), default=None)
