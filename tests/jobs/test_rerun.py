"""Running a benchmark again: the same again, or a refusal that says what has changed."""

# ruff: noqa: F401, F811 - fixtures are imported

from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from ext_fixtures import MODELS, make_benchmark, place, record, store_dataset
from factories import model

from cluster.database import session
from jobs import benchmarks, datasets, manifest, registry, rerun
from jobs.errors import Conflict, NotFound
from jobs.machine import Machine
from jobs.manifest import EngineFacts, WeightsRead
from jobs.models import DatasetRow
from jobs.schemas.benchmarks import BenchmarkSpec, Placement, Status

PLACEMENT = Placement(replicas=1, gpus_per_replica=0)


def spec_of(benchmark_id: str) -> BenchmarkSpec:
    with session() as sql:
        return BenchmarkSpec.model_validate(benchmarks.row(sql, benchmark_id).spec)


def change_entry(place: Any, **fields: Any) -> None:
    file = place / "models" / "test-one.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | fields))
    registry.load()


def test_it_is_the_same_again_and_says_of_what(make_benchmark):
    benchmark_id = make_benchmark([record(0)])
    old, new = benchmarks.get(benchmark_id), rerun.rerun(benchmark_id)
    assert new.benchmark_id != benchmark_id
    assert (new.status, new.rerun_of, old.rerun_of) == (Status.QUEUED, benchmark_id, None)
    same = {"model_id", "dataset_id", "sampling", "total"}
    assert new.model_dump(include=same) == old.model_dump(include=same)
    assert spec_of(new.benchmark_id).dataset_sha256 == datasets.get(old.dataset_id).sha256
    with pytest.raises(NotFound):
        rerun.rerun("bm_none")


def test_a_rerun_outlives_what_it_repeats(make_benchmark):
    benchmark_id = make_benchmark([record(0)])
    new = rerun.rerun(benchmark_id)
    benchmarks.delete(benchmark_id)
    assert benchmarks.get(new.benchmark_id).rerun_of == benchmark_id


def test_a_changed_model_is_refused_and_named(place, make_benchmark):
    benchmark_id = make_benchmark([record(0)])
    change_entry(place, max_model_len=99, engine_args={"output_tokens": 3})
    with pytest.raises(Conflict, match=r"model\.max_model_len: None → 99") as caught:
        rerun.rerun(benchmark_id)
    assert caught.value.code == "model_changed"
    assert caught.value.details["changes"] == [
        {"field": "model.engine_args.output_tokens", "then": None, "now": 3},
        {"field": "model.max_model_len", "then": None, "now": 99},
    ]
    again = rerun.rerun(benchmark_id, allow_changes=True)
    assert spec_of(again.benchmark_id).model.max_model_len == 99


def test_what_answers_do_not_depend_on_may_change(place, make_benchmark):
    benchmark_id = make_benchmark([record(0)])
    change_entry(place, name="Renamed", description="Better", replicas=2, memory_gib=9)
    assert rerun.rerun(benchmark_id).model_name == "Renamed"


def test_a_changed_or_deleted_dataset_is_refused(make_benchmark):
    benchmark_id = make_benchmark([record(0)])
    dataset_id = benchmarks.get(benchmark_id).dataset_id
    with session() as sql:
        sql.get_one(DatasetRow, dataset_id).sha256 = "another"
    with pytest.raises(Conflict) as caught:
        rerun.rerun(benchmark_id)
    assert caught.value.code == "dataset_changed"
    datasets.delete(dataset_id)
    with pytest.raises(Conflict) as caught:
        rerun.rerun(benchmark_id)
    assert caught.value.code == "dataset_deleted"


def test_a_model_that_was_removed_is_refused(place, make_benchmark):
    benchmark_id = make_benchmark([record(0)])
    (place / "models" / "test-one.yaml").unlink()
    registry.load()
    with pytest.raises(NotFound) as caught:
        rerun.rerun(benchmark_id)
    assert caught.value.code == "model_not_found"


def test_weights_of_the_hub_are_those_of_the_first_run(place, make_benchmark):
    change_entry(place, weights={"hub": "org/model"})
    benchmark_id = make_benchmark([record(0)], model=MODELS[0])
    manifest.write(spec_of(benchmark_id), PLACEMENT)
    read = WeightsRead(source="hub:org/model", revision="c0ffee", sha256=None)
    facts = EngineFacts(
        replica="r-1",
        loaded_at=datetime.now(UTC),
        versions={},
        machine=Machine(cpu="x", cores=1, memory_bytes=1, system="y", gpus=[]),
        weights=read,
        chat_template_sha256=None,
        arguments={},
    )
    manifest.add(benchmark_id, facts)
    again = rerun.rerun(benchmark_id)
    assert spec_of(again.benchmark_id).model.weights.revision == "c0ffee"
    # And again of that one, which is pinned now, though the registry's entry is not.
    third = rerun.rerun(again.benchmark_id)
    assert spec_of(third.benchmark_id).model.weights.hub == "org/model"


def test_changes_of_an_entry():
    assert rerun.changed(model(), model(name="Other")) == []
    (change,) = rerun.changed(model(), model(dtype="float16"))
    assert change.model_dump() == {"field": "model.dtype", "then": "auto", "now": "float16"}
    pinned = model(weights={"hub": "a/b", "revision": "1"})
    assert rerun.changed(pinned, model(weights={"hub": "a/b"})) == []
    assert len(rerun.changed(pinned, model(weights={"hub": "a/b", "revision": "2"}))) == 1
