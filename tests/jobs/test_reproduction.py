"""How far two runs agree, and what was different about them."""

# ruff: noqa: F401, F811 - fixtures are imported

import orjson
import pytest
from ext_fixtures import failure, make_benchmark, place, record, request, store_dataset, write

from cluster.database import session
from jobs import benchmarks, facts, manifest, rerun
from jobs.errors import InvalidRequest, NotFound
from jobs.reproduction import reproduction
from jobs.schemas.benchmarks import BenchmarkSpec, Placement
from jobs.schemas.sampling import Sampling


def test_answers_are_compared_one_by_one(make_benchmark):
    texts = ["The cat.", "A  dog!", "Same", "!", "", "x", "y"]
    first = make_benchmark([*(record(i, text) for i, text in enumerate(texts)), failure(7)])
    second = rerun.rerun(first).benchmark_id
    again = ["The cat.", "a dog", "Other", "?", "", None]
    write(second, [*(record(i, text) for i, text in enumerate(again)), failure(6), failure(7)])
    found = reproduction(second)
    assert (found.benchmark_id, found.first_id) == (second, first)
    assert (found.compared, found.exact, found.normalized, found.differing) == (6, 2, 3, 4)
    assert (found.exact_share, found.normalized_share) == (pytest.approx(1 / 3), 0.5)
    assert (found.one_failed, found.both_failed) == (1, 1)


def test_a_run_against_itself_agrees(make_benchmark):
    benchmark_id = make_benchmark([record(i, f"answer {i}") for i in range(40)])
    found = reproduction(benchmark_id, benchmark_id)
    assert (found.compared, found.exact_share, found.changed) == (40, 1.0, [])


def test_while_the_rerun_is_at_work_what_there_is_is_compared(make_benchmark):
    first = make_benchmark([record(i) for i in range(40)])
    second = rerun.rerun(first).benchmark_id
    assert (reproduction(second).compared, reproduction(second).exact_share) == (0, None)
    write(second, [record(0), record(1)], ended=False)
    assert (reproduction(second).compared, reproduction(second).exact) == (2, 2)


def test_embeddings_are_compared_by_their_numbers(make_benchmark, store_dataset):
    def vector(row_id, *numbers):
        body = orjson.dumps({"id": f"e-{row_id}", "data": [{"embedding": numbers}]}).decode()
        return record(row_id, None, body=body)

    url = {"url": "/v1/embeddings", "body": {"input": "x"}}
    dataset = store_dataset(request("r-0", **url), request("r-1", **url))
    first = make_benchmark([vector(0, 0.5, 1), vector(1, 0.25)], dataset)
    second = make_benchmark([vector(0, 0.5, 1), vector(1, 0.26)], dataset)
    found = reproduction(second, first)
    assert (found.compared, found.exact) == (2, 1)


def test_what_was_different_is_named(make_benchmark, monkeypatch):
    first = make_benchmark([record(0)])
    dataset_id = benchmarks.get(first).dataset_id
    second = benchmarks.create("test/two", dataset_id, Sampling(temperature=1)).benchmark_id
    write(second, [record(0)])
    changes = {one.field: (one.then, one.now) for one in reproduction(second, first).changed}
    assert changes == {
        "model.model_id": ("test/one", "test/two"),
        "sampling.temperature": (0, 1),
    }


def test_engines_that_differ_are_named(make_benchmark, monkeypatch):
    first = make_benchmark([record(0)])
    second = rerun.rerun(first).benchmark_id
    write(second, [record(0)])
    for benchmark_id, version in ((first, "1"), (second, "2")):
        spec = _spec(benchmark_id)
        manifest.write(spec, Placement(replicas=1, gpus_per_replica=0))
        monkeypatch.setattr(manifest.machine, "versions", lambda v=version: {"vllm": v})
        facts.note(spec, "r-1", on_gpu=False)
    assert [one.model_dump() for one in reproduction(second).changed] == [
        {"field": "engine.versions.vllm", "then": "1", "now": "2"}
    ]


def test_refusals(make_benchmark):
    benchmark_id = make_benchmark([record(0)])
    with pytest.raises(InvalidRequest) as caught:
        reproduction(benchmark_id)
    assert caught.value.code == "not_a_rerun"
    again = rerun.rerun(benchmark_id).benchmark_id
    benchmarks.delete(benchmark_id)
    with pytest.raises(NotFound) as caught:
        reproduction(again)
    assert caught.value.code == "benchmark_not_found"


def _spec(benchmark_id):
    with session() as sql:
        return BenchmarkSpec.model_validate(benchmarks.row(sql, benchmark_id).spec)
