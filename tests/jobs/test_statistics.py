"""Figures of results against figures worked out by hand or by numpy."""

# ruff: noqa: F401, F811 - fixtures are imported

import numpy as np
import pytest
from ext_fixtures import failure, make_benchmark, place, record, store_dataset

from jobs.analysis import Outcome, ResultFilter
from jobs.schemas.benchmarks import Status
from jobs.statistics import statistics

_ALL = ResultFilter()


def test_distribution_equals_numpy(make_benchmark):
    latencies = np.random.default_rng(1).lognormal(6, 1, 200)
    benchmark_id = make_benchmark(
        [record(i, latency_ms=float(value)) for i, value in enumerate(latencies)]
    )
    found = statistics(benchmark_id, _ALL).latency_ms
    assert found is not None
    expected = [latencies.min(), latencies.max(), latencies.mean()]
    expected += list(np.percentile(latencies, [50, 90, 95, 99]))
    given = [found.min, found.max, found.mean, found.p50, found.p90, found.p95, found.p99]
    assert given == pytest.approx(expected)
    counts, edges = np.histogram(latencies, bins=20)
    assert [one.count for one in found.histogram] == list(counts)
    assert [one.from_ for one in found.histogram] == pytest.approx(edges[:-1])
    assert [one.to for one in found.histogram] == pytest.approx(edges[1:])


def test_counts_and_finish_reasons(make_benchmark):
    rows = [record(i) for i in range(3)] + [record(3, finish_reason="length")]
    rows += [failure(4), failure(5)]
    found = statistics(make_benchmark(rows), _ALL)
    assert (found.count, found.succeeded, found.failed) == (6, 4, 2)
    assert list(found.finish_reasons.items()) == [("stop", 3), ("length", 1)]


def test_failures_do_not_lower_latency_unless_asked_for(make_benchmark):
    benchmark_id = make_benchmark([record(0, latency_ms=500.0), failure(1, latency_ms=1.0)])
    everything = statistics(benchmark_id, _ALL).latency_ms
    failed = statistics(benchmark_id, ResultFilter(outcome=Outcome.FAILED))
    assert everything is not None
    assert (everything.min, everything.max) == (500.0, 500.0)
    assert failed.latency_ms is not None
    assert failed.latency_ms.max == 1.0
    assert failed.output_tokens is None


def test_one_bin_where_all_are_equal(make_benchmark):
    found = statistics(make_benchmark([record(i) for i in range(5)]), _ALL).output_tokens
    assert found is not None
    assert [(one.from_, one.to, one.count) for one in found.histogram] == [(7.0, 7.0, 5)]


def test_nothing_yet(make_benchmark):
    found = statistics(make_benchmark([record(0)]), ResultFilter(q="nobody says this"))
    assert (found.count, found.latency_ms, found.finish_reasons) == (0, None, {})


def test_while_running(make_benchmark):
    rows = [record(i) for i in range(40)]
    benchmark_id = make_benchmark(rows, status=Status.RUNNING, ended=False)
    assert statistics(benchmark_id, _ALL).count == 40
