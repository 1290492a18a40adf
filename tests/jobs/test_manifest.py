"""The manifest: written by driver and replicas, read as one record."""

import time

import orjson
import pytest

from cluster.database import session
from cluster.storage import storage
from jobs import benchmarks, manifest
from jobs.errors import NotFound
from jobs.manifest import ImportedFile
from jobs.schemas import Benchmark, BenchmarkSpec, Placement

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
    manifest.note_engine(spec, "node-2", on_gpu=False)
    time.sleep(0.001)
    manifest.note_engine(spec, "node-1", on_gpu=False)
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
    manifest.note_engine(spec, "node-1", on_gpu=False)
    assert "the manifest lacks an engine" in capsys.readouterr().out


def test_no_such_benchmark(database: str) -> None:
    with pytest.raises(NotFound) as caught:
        manifest.read("bm_none")
    assert caught.value.code == "benchmark_not_found"
