"""The manifest of a benchmark: all that its answers depend on, written by those who know it.

``benchmarks/<id>/manifest.json`` is the driver's: what was asked for, and by which code.
``benchmarks/<id>/engines/<replica>.json`` are the replicas' (:mod:`jobs.facts`): what they loaded,
on which machine. A replica writes its own before any of its chunks counts as done.
"""

from datetime import datetime
from typing import Any

import orjson
from pydantic import BaseModel, Field

from cluster.storage import storage
from jobs import machine
from jobs.errors import NotFound
from jobs.machine import Code, Machine
from jobs.schemas.benchmarks import BenchmarkSpec, Placement
from jobs.schemas.memory import Footprint, MemoryTaken


class ImportedFile(BaseModel):
    name: str
    sha256: str


class WeightsRead(BaseModel):
    """The weights that an engine has loaded."""

    source: str = Field(examples=["hub:Qwen/Qwen3-4B"])
    revision: str | None = Field(description="Commit of the hub repository.")
    sha256: str | None = Field(
        description="Digest of the GGUF file, or of the names and digests of the weights' files."
    )


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


def add(benchmark_id: str, engine: EngineFacts) -> None:
    """Add what a replica has loaded."""
    _save(f"{_engines(benchmark_id)}/{engine.replica}.json", engine)


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


def _save(at: str, record: BaseModel) -> None:
    with storage().write(at) as file:
        file.write(orjson.dumps(record.model_dump(mode="json"), option=orjson.OPT_INDENT_2))
