"""Figures of a set of results, computed by DuckDB where the results are."""

from datetime import datetime
from functools import lru_cache
from itertools import pairwise

import duckdb

from jobs import benchmarks, listing, queries, scores
from jobs.analysis import Bin, Distribution, Outcome, ResultFilter, Statistics
from jobs.queries import SUCCEEDED, Source
from jobs.schemas.benchmarks import Benchmark

_FIGURES = ("latency_ms", "ttft_ms", "itl_ms", "queue_ms", "output_tokens", "prompt_tokens")
_BINS = 20


def statistics(benchmark_id: str, only: ResultFilter) -> Statistics:
    """Figures of the results of a benchmark that ``only`` means."""
    benchmark = benchmarks.get(benchmark_id)
    return of_benchmark(benchmark) if only.is_empty else _read(benchmark, only)


def of_benchmark(benchmark: Benchmark) -> Statistics:
    """Figures of all results of a benchmark. Once it has ended they are remembered, because every
    page of a comparison shows them again."""
    if benchmark.completed_at is None:
        return _read(benchmark, ResultFilter())
    return _of_ended(benchmark.benchmark_id, benchmark.completed_at)


@lru_cache(maxsize=256)
def _of_ended(benchmark_id: str, ended: datetime) -> Statistics:
    assert ended  # a part of the key: asking failed requests again ends the benchmark anew
    return _read(benchmarks.get(benchmark_id), ResultFilter())


@queries.repeated
def _read(benchmark: Benchmark, only: ResultFilter) -> Statistics:
    with queries.connect() as db:
        of = queries.source(db, benchmark.benchmark_id, whole=False)
        scores.prepare(db, of, benchmark, only)
        return _of_source(db, of, only)


def _of_source(db: duckdb.DuckDBPyConnection, of: Source, only: ResultFilter) -> Statistics:
    """Figures of the results of ``of`` that ``only`` means."""
    listed = listing.relation(db, of)
    condition, values = listing.condition(db, of, only)
    # One pass; everything after it reads this narrow table.
    db.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE figures AS
        SELECT {SUCCEEDED} AS succeeded, finish_reason, {", ".join(_FIGURES)}
        FROM {listed} WHERE {condition}
        """,
        values,
    )
    count, succeeded = queries.one(db, "SELECT count(*), count(*) FILTER (succeeded) FROM figures")
    reasons = db.execute(
        """
        SELECT finish_reason, count(*) FROM figures WHERE finish_reason IS NOT NULL
        GROUP BY 1 ORDER BY 2 DESC, 1
        """
    ).fetchall()
    counted = "true" if only.outcome is Outcome.FAILED else "succeeded"
    return Statistics(
        count=count,
        succeeded=succeeded,
        failed=count - succeeded,
        finish_reasons=dict(reasons),
        **_distributions(db, counted),
    )


def _distributions(db: duckdb.DuckDBPyConnection, counted: str) -> dict[str, Distribution | None]:
    aggregates = ", ".join(
        f"""
        min({name})::DOUBLE, max({name})::DOUBLE, avg({name}),
        quantile_cont({name}::DOUBLE, [0.5, 0.9, 0.95, 0.99])
        """
        for name in _FIGURES
    )
    values = queries.one(db, f"SELECT {aggregates} FROM figures WHERE {counted}")
    fours = (values[start : start + 4] for start in range(0, len(values), 4))
    found: dict[str, Distribution | None] = {}
    for name, (low, high, mean, percentiles) in zip(_FIGURES, fours, strict=True):
        if low is None:
            found[name] = None
            continue
        p50, p90, p95, p99 = percentiles
        found[name] = Distribution(
            min=low,
            max=high,
            mean=mean,
            p50=p50,
            p90=p90,
            p95=p95,
            p99=p99,
            histogram=_histogram(db, name, counted, low, high),
        )
    return found


def _histogram(
    db: duckdb.DuckDBPyConnection, name: str, counted: str, low: float, high: float
) -> list[Bin]:
    bins = _BINS if high > low else 1
    width = (high - low) / bins
    counts = dict(
        db.execute(
            f"""
            SELECT CASE WHEN $width = 0 THEN 0
                        ELSE least(floor(({name} - $low) / $width)::INTEGER, $last) END, count(*)
            FROM figures WHERE {counted} AND {name} IS NOT NULL GROUP BY 1
            """,
            {"low": low, "width": width, "last": bins - 1},
        ).fetchall()
    )
    edges = [low + width * index for index in range(bins)] + [high]
    return [
        Bin(from_=start, to=stop, count=counts.get(index, 0))
        for index, (start, stop) in enumerate(pairwise(edges))
    ]
