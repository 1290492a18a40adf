"""Running a benchmark again as a new one, and saying so if it cannot be quite the same."""

from typing import Any

from pydantic import BaseModel, Field

from cluster.database import session
from cluster.storage import storage
from jobs import benchmarks, imported, manifest, registry
from jobs.errors import Conflict
from jobs.manifest import Manifest
from jobs.schemas.benchmarks import Benchmark, BenchmarkSpec
from jobs.schemas.models import ModelSpec

# What is for people, or says only on how much hardware.
_NOT_OF_ANSWERS = {
    "name",
    "description",
    "license",
    "parameters",
    "weights_bytes",
    "memory_gib",
    "config",
    "replicas",
}


class Deviation(BaseModel):
    """Something that is not as it was."""

    field: str = Field(examples=["model.max_model_len"])
    then: Any
    now: Any


def rerun(benchmark_id: str, *, allow_changes: bool = False) -> Benchmark:
    """Queue a new benchmark of the same model, dataset and sampling. Weights of the hub are taken
    at the revision that the first run had.

    Raises:
        Conflict: the dataset has been deleted, the results were imported, or the registry's entry
            of the model has changed (unless ``allow_changes``).
        NotFound: no such benchmark, or its model is in the registry no more.
    """
    with session() as sql:
        spec = BenchmarkSpec.model_validate(benchmarks.row(sql, benchmark_id).spec)
    imported.check_engine(spec)
    benchmarks.check_dataset(spec)
    model = ModelSpec.model_validate(
        registry.get(spec.model.model_id).model_dump(include=set(ModelSpec.model_fields))
    )
    pinned = _pinned(benchmark_id, model)
    if (changes := changed(spec.model, pinned)) and not allow_changes:
        listed = "; ".join(f"{one.field}: {one.then!r} → {one.now!r}" for one in changes)
        raise Conflict(
            "model_changed",
            f"The registry's entry of {model.model_id!r} has changed since: {listed}. Allow the "
            "changes to run it as it is now.",
            changes=[one.model_dump(mode="json") for one in changes],
        )
    return benchmarks.create(
        model.model_id,
        spec.dataset_id,
        spec.sampling,
        rerun_of=benchmark_id,
        revision=pinned.weights.revision,
    )


def changed(then: ModelSpec, now: ModelSpec) -> list[Deviation]:
    """Fields of a model's entry that answers can depend on and that differ. A revision that only
    one of the two names is a pin of the other's."""
    before, after = (one.model_dump(mode="json", exclude=_NOT_OF_ANSWERS) for one in (then, now))
    if not (then.weights.revision and now.weights.revision):
        before["weights"].pop("revision")
        after["weights"].pop("revision")
    return differences("model", before, after)


def differences(at: str, then: Any, now: Any) -> list[Deviation]:
    """What differs between two JSON values, by field."""
    if isinstance(then, dict) and isinstance(now, dict):
        found: list[Deviation] = []
        for name in sorted({*then, *now}):
            found += differences(f"{at}.{name}", then.get(name), now.get(name))
        return found
    return [] if then == now else [Deviation(field=at, then=then, now=now)]


def _pinned(benchmark_id: str, model: ModelSpec) -> ModelSpec:
    if (
        not model.weights.hub
        or model.weights.revision
        or not storage().exists(manifest.key(benchmark_id))
    ):
        return model
    found: Manifest = manifest.read(benchmark_id)
    revisions = [one.weights.revision for one in found.engines if one.weights]
    if not revisions:
        return model
    weights = model.weights.model_copy(update={"revision": revisions[-1]})
    return model.model_copy(update={"weights": weights})
