"""The manifest: written by driver and replicas, read as one record."""

import time
from collections.abc import Callable

import orjson
import pytest
from published import published

from cluster.database import session
from cluster.storage import storage
from jobs import benchmarks, facts, manifest
from jobs.errors import NotFound
from jobs.manifest import ImportedFile
from jobs.schemas.benchmarks import Benchmark, BenchmarkSpec, Placement
from jobs.schemas.memory import MemoryTaken

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

PLACEMENT = Placement(replicas=2, gpus_per_replica=0)


@pytest.fixture
def spec(benchmark: Benchmark) -> BenchmarkSpec:
    with session() as sql:
        return BenchmarkSpec.model_validate(benchmarks.row(sql, benchmark.benchmark_id).spec)


def test_what_was_asked_for_and_what_was_loaded(spec: BenchmarkSpec) -> None:
    with pytest.raises(NotFound, match="It is written when its job begins") as caught:
        manifest.read(spec.benchmark_id)
    assert caught.value.code == "manifest_not_found"
    manifest.write(spec, PLACEMENT)
    facts.note(spec, "node-2", on_gpu=False)
    time.sleep(0.001)
    facts.note(spec, "node-1", on_gpu=False)
    found = manifest.read(spec.benchmark_id)
    assert (found.spec, found.placement) == (spec, PLACEMENT)
    assert found.spec.dataset_sha256 is not None
    assert found.versions["ray"]
    assert [one.replica for one in found.engines] == ["node-2", "node-1"]
    engine = found.engines[0]
    assert engine.machine.cpu
    assert engine.machine.cores > 0
    assert engine.versions == found.versions
    # The fake has neither.
    assert (engine.weights, engine.chat_template_sha256) == (None, None)


def test_one_of_an_older_version_can_be_read(spec: BenchmarkSpec) -> None:
    old = spec.model_dump(mode="json", exclude={"dataset_sha256"})
    with storage().write(manifest.key(spec.benchmark_id)) as file:
        file.write(orjson.dumps({"spec": old, "placement": None, "versions": {"ray": "2"}}))
    found = manifest.read(spec.benchmark_id)
    assert (found.code, found.engines, found.versions) == (None, [], {"ray": "2"})


def test_the_file_of_imported_results(spec: BenchmarkSpec) -> None:
    file = ImportedFile(name="out.jsonl", sha256="ab")
    manifest.write(spec, None, file)
    assert manifest.read(spec.benchmark_id).imported == file


def test_results_do_not_fail_with_it(
    spec: BenchmarkSpec, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(manifest, "_save", full)
    facts.note(spec, "node-1", on_gpu=False)
    assert "the manifest lacks an engine" in capsys.readouterr().out


@pytest.mark.usefixtures("database")
def test_none_before_the_benchmark_has_begun() -> None:
    with pytest.raises(NotFound) as caught:
        manifest.read("bm_none")
    assert caught.value.code == "manifest_not_found"


def test_predicted_beside_taken(
    spec: BenchmarkSpec, monkeypatch: pytest.MonkeyPatch, configure: Callable[..., None]
) -> None:
    configure(cpu_kv_cache_gib=1)
    loaded = spec.model_copy(update={"model": published("HuggingFaceTB/SmolLM2-135M-Instruct")})
    taken = MemoryTaken(kv_cache_blocks=364, block_tokens=128, kv_cache_tokens=46_592)
    monkeypatch.setattr(facts.fingerprint, "weights", lambda _: None)
    monkeypatch.setattr(facts.fingerprint, "chat_template", lambda _: None)
    monkeypatch.setattr(facts, "resolve", lambda _: "/nowhere")
    manifest.write(loaded, PLACEMENT)
    facts.note(loaded, "node-1", taken, on_gpu=False)
    (found,) = manifest.read(spec.benchmark_id).engines
    assert found.taken == taken
    assert found.predicted is not None
    assert found.predicted.weights_bytes == 269_030_016
    # 30 layers with 3 heads of 64 in bfloat16: 2.9 MB for a block of 128 tokens.
    assert found.predicted.kv_token_bytes == 30 * 2 * 3 * 64 * 2
    assert found.predicted_kv_cache_tokens == 2**30 // (128 * 23_040) * 128


def test_what_cannot_be_predicted_is_left_out(spec: BenchmarkSpec) -> None:
    manifest.write(spec, PLACEMENT)
    facts.note(spec, "node-1", on_gpu=False)
    (found,) = manifest.read(spec.benchmark_id).engines
    assert (found.predicted, found.predicted_kv_cache_tokens, found.taken) == (None, None, None)
