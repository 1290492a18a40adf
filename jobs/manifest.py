"""The manifest of a benchmark: all that its answers depend on, written by those who know it.

``benchmarks/<id>/manifest.json`` is the driver's: what was asked for, and by which code.
``benchmarks/<id>/engines/<replica>.json`` are the replicas': what they loaded, on which machine. A
replica writes its own before any of its chunks counts as done.
"""

from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from pydantic import BaseModel, Field

from cluster.settings import settings
from cluster.storage import storage
from jobs import engine, fingerprint, footprint, kv_cache, machine, model_files
from jobs.errors import NotFound
from jobs.fingerprint import WeightsRead
from jobs.footprint import Prediction
from jobs.machine import Code, Machine
from jobs.model_config import Unpredictable
from jobs.schemas.benchmarks import BenchmarkSpec, Placement
from jobs.schemas.memory import Footprint, MemoryTaken
from jobs.weights import resolve

log = structlog.get_logger()


class ImportedFile(BaseModel):
    name: str
    sha256: str


class EngineFacts(BaseModel):
    """What one replica was."""

    replica: str
    loaded_at: datetime
    versions: dict[str, str]
    machine: Machine
    weights: WeightsRead | None
    chat_template_sha256: str | None
    arguments: dict[str, Any] = Field(description="As given to vLLM, of `vllm serve`.")
    predicted: Footprint | None = Field(
        default=None, description="The memory that it was predicted to take."
    )
    predicted_kv_cache_tokens: int | None = Field(
        default=None, description="That its KV cache was predicted to hold."
    )
    taken: MemoryTaken | None = Field(default=None, description="The memory that it has taken.")


class Manifest(BaseModel):
    """What a benchmark's answers depend on."""

    spec: BenchmarkSpec = Field(description="Model, dataset and its digest, sampling.")
    placement: Placement | None = Field(default=None, description="None of imported results.")
    versions: dict[str, str] = Field(default_factory=dict)
    code: Code | None = None
    imported: ImportedFile | None = Field(
        default=None, description="The file that imported results came from."
    )
    engines: list[EngineFacts] = Field(
        default_factory=list,
        description="One a replica, in the order of loading; more after restarts.",
    )


def write(
    spec: BenchmarkSpec, placement: Placement | None, imported: ImportedFile | None = None
) -> None:
    """Write what is known when a benchmark begins."""
    known = Manifest(
        spec=spec,
        placement=placement,
        versions=machine.versions(),
        code=machine.code(),
        imported=imported,
    )
    _save(key(spec.benchmark_id), known)


def note_engine(
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
        _save(f"{_engines(spec.benchmark_id)}/{replica}.json", facts)
    except Exception:
        log.exception("the manifest lacks an engine", replica=replica)


def read(benchmark_id: str) -> Manifest:
    """The manifest as far as it is known.

    Raises:
        NotFound: the benchmark has not begun.
    """
    if not storage().exists(key(benchmark_id)):
        raise NotFound(
            "manifest_not_found",
            f"Benchmark {benchmark_id!r} has no manifest yet. It is written when its job begins.",
        )
    found = Manifest.model_validate_json(storage().read(key(benchmark_id)))
    folder = _engines(benchmark_id)
    engines = [
        EngineFacts.model_validate_json(storage().read(f"{folder}/{name}"))
        for name in storage().list(folder)
    ]
    engines.sort(key=lambda one: one.loaded_at)
    return found.model_copy(update={"engines": engines})


def key(benchmark_id: str) -> str:
    return f"benchmarks/{benchmark_id}/manifest.json"


def _engines(benchmark_id: str) -> str:
    return f"benchmarks/{benchmark_id}/engines"


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


def _save(at: str, record: BaseModel) -> None:
    with storage().write(at) as file:
        file.write(orjson.dumps(record.model_dump(mode="json"), option=orjson.OPT_INDENT_2))
