"""How fast results came: rates over time, and goodput. Definitions are in docs/PERFORMANCE.md."""

from datetime import datetime
from functools import lru_cache

import duckdb
import numpy as np

from jobs import benchmarks, listing, queries
from jobs.analysis import Goodput, Interval, Limits, Performance
from jobs.queries import SUCCEEDED

_INTERVALS = 60
# Tokens that came at one moment (a refused stream, an answer of one token) still take some time.
_SHORTEST_SECONDS = 0.001

Array = np.ndarray


def performance(benchmark_id: str, limits: Limits) -> Performance:
    """The rates of a benchmark, as far as it has results. Once it has ended they are remembered.

    Raises:
        NotFound: no such benchmark.
    """
    ended = benchmarks.get(benchmark_id).completed_at
    key = limits.model_dump_json()
    return _measured(benchmark_id, limits) if ended is None else _kept(benchmark_id, key, ended)


@lru_cache(maxsize=256)
def _kept(benchmark_id: str, limits: str, ended: datetime) -> Performance:
    assert ended  # a part of the key: asking failed requests again ends the benchmark anew
    return _measured(benchmark_id, Limits.model_validate_json(limits))


@queries.repeated
def _measured(benchmark_id: str, limits: Limits) -> Performance:
    with queries.connect() as db:
        of = queries.source(db, benchmark_id, whole=False)
        good, values = _good(limits)
        # Seconds since the first hand-over: small numbers keep their digits in the sums below.
        db.execute(
            f"""
            CREATE TEMP TABLE timed AS
            WITH read AS (
                SELECT {SUCCEEDED} AS succeeded, {SUCCEEDED} AND {good} AS good,
                       prompt_tokens, output_tokens, epoch(finished_at) AS stop,
                       epoch(finished_at) - coalesce(latency_ms, 0) / 1000 AS start,
                       coalesce(queue_ms, 0) / 1000 AS queue,
                       coalesce(ttft_ms, queue_ms, 0) / 1000 AS ttft
                FROM {listing.relation(db, of)}
            ), zero AS (SELECT min(start) AS origin FROM read)
            SELECT succeeded, good, prompt_tokens, output_tokens, stop - origin AS stop,
                   start - origin + queue AS scheduled, start - origin + ttft AS first_token
            FROM read, zero
            """,
            values,
        )
        total, succeeded, good_ones, prompt, output, seconds = queries.one(
            db,
            """
            SELECT count(*), count(*) FILTER (succeeded), count(*) FILTER (good),
                   coalesce(sum(prompt_tokens) FILTER (succeeded), 0)::DOUBLE,
                   coalesce(sum(output_tokens) FILTER (succeeded), 0)::DOUBLE,
                   coalesce(max(stop), 0)
            FROM timed
            """,
        )
        length = max(seconds, _SHORTEST_SECONDS)
        requests = _counted(db, length)
        prompts = _spread(db, "prompt_tokens", "scheduled", "first_token", length)
        outputs = _spread(db, "output_tokens", "first_token", "stop", length)
    edges = np.linspace(0.0, length, _INTERVALS + 1)
    return Performance(
        seconds=seconds,
        requests_per_second=succeeded / length,
        prompt_tokens_per_second=prompt / length,
        output_tokens_per_second=output / length,
        total_tokens_per_second=(prompt + output) / length,
        over_time=[
            Interval(
                start_seconds=edges[i],
                end_seconds=edges[i + 1],
                requests_per_second=requests[i],
                prompt_tokens_per_second=prompts[i],
                output_tokens_per_second=outputs[i],
                total_tokens_per_second=prompts[i] + outputs[i],
            )
            for i in range(_INTERVALS if total else 0)
        ],
        goodput=Goodput(
            limits=limits,
            good=good_ones,
            share=good_ones / total if total else 0.0,
            requests_per_second=good_ones / length,
        ),
    )


def _good(limits: Limits) -> queries.Condition:
    """As `vllm bench serve --goodput` counts: at most the limit, and every one of them."""
    wanted = ["true"]
    values: dict[str, float] = {}
    for name in ("ttft_ms", "itl_ms", "latency_ms"):
        if (limit := getattr(limits, f"max_{name}")) is not None:
            values[name] = limit
            # There, too, the time between tokens of a single token is nothing.
            single = " OR output_tokens <= 1" if name == "itl_ms" else ""
            wanted.append(f"(coalesce({name} <= ${name}, false){single})")
    return " AND ".join(wanted), values


def _counted(db: duckdb.DuckDBPyConnection, length: float) -> Array:
    """Succeeded requests per second by interval."""
    counts = _by_interval(db, "stop", length, "count(*)")
    return counts[:, 0] / (length / _INTERVALS)


def _spread(
    db: duckdb.DuckDBPyConnection, tokens: str, start: str, stop: str, length: float
) -> Array:
    """Tokens per second by interval, each request's tokens coming evenly between two moments.

    A request is a rate that begins and one that ends. What has come by the time ``t`` is the sum of
    ``rate * (t - moment)`` over those that have begun, less the same of those that have ended: so
    two sums for each interval are enough, whatever the number of requests.
    """
    rate = f"{tokens} / greatest({stop} - {start}, {_SHORTEST_SECONDS})"
    begun, ended = (
        _by_interval(db, moment, length, f"sum({rate})", f"sum({rate} * {moment})")
        for moment in (start, f"greatest({stop}, {start} + {_SHORTEST_SECONDS})")
    )
    rates, moments = (begun - ended).cumsum(axis=0).T
    edges = np.linspace(0.0, length, _INTERVALS + 1)[1:]
    came = np.diff(rates * edges - moments, prepend=0.0)
    # Differences of large sums can be a hair below nothing.
    return np.maximum(came, 0.0) / (length / _INTERVALS)


def _by_interval(
    db: duckdb.DuckDBPyConnection, moment: str, length: float, *aggregates: str
) -> Array:
    """Aggregates of the succeeded requests whose ``moment`` is in each interval."""
    rows = db.execute(
        f"""
        SELECT least(floor({moment} / $length * {_INTERVALS}), {_INTERVALS - 1})::INTEGER,
               {", ".join(aggregates)}
        FROM timed WHERE succeeded AND {moment} IS NOT NULL GROUP BY 1
        """,
        {"length": length},
    ).fetchall()
    found = np.zeros((_INTERVALS, len(aggregates)))
    for interval, *values in rows:
        found[interval] = [value or 0.0 for value in values]
    return found
