"""Benchmarks that have ended, written as they lie on storage and in SQL: many results at once."""

import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from chaos.stage import Stage
from sqlalchemy import create_engine
from sqlalchemy.orm import Session as Sql

from cluster.local import Local
from jobs import parts, request_file
from jobs.benchmarks import chunk_rows
from jobs.models import BenchmarkRow, DatasetRow
from jobs.schemas.benchmarks import BenchmarkSpec, Phase, Status
from jobs.schemas.models import ModelSpec
from jobs.schemas.requests import Endpoint
from jobs.schemas.sampling import Sampling

_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def dataset(stage: Stage, count: int) -> str:
    """A dataset of ``count`` requests; its id."""
    dataset_id = f"ds_bench_{count}"
    rows = pa.array(np.arange(count))
    prompt = _join("Is candidate ", _digits(rows), " a good fit for the role of an engineer?")
    columns = {
        "row_id": rows,
        "line": pa.array(np.arange(1, count + 1)),
        "custom_id": _join("candidate-", _digits(rows)),
        "url": pa.repeat(Endpoint.CHAT.value, count),
        "body": _join('{"messages":[{"role":"user","content":"', prompt, '"}]}'),
        "preview": prompt,
        "model": pa.nulls(count, pa.string()),
        "extra": pa.nulls(count, pa.string()),
    }
    path = _storage(stage).path(request_file.key(dataset_id))
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table(columns, schema=request_file.SCHEMA), path, row_group_size=1000)
    with _sql(stage) as sql:
        sql.add(
            DatasetRow(
                id=dataset_id,
                name=f"{count}.jsonl",
                file_path="",
                count=count,
                uploaded_at=_BEGAN,
                size_bytes=1,
                sha256="0" * 64,
                endpoints=[Endpoint.CHAT.value],
                models=[],
            )
        )
        sql.commit()
    return dataset_id


def benchmark(stage: Stage, model: dict[str, Any], dataset_id: str, count: int, seed: int) -> str:
    """An ended benchmark with ``count`` results; a seed gives other texts and times. Its id."""
    benchmark_id = f"bm_bench_{count}_{seed}"
    size = chunk_rows(count)
    table = _results(count, seed)
    storage = _storage(stage)
    for index in range(-(-count // size)):
        path = storage.path(parts.part_key(benchmark_id, index))
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table.slice(index * size, size), path, compression="zstd")
    enter(stage, model, dataset_id, [benchmark_id], count)
    return benchmark_id


def enter(
    stage: Stage, model: dict[str, Any], dataset_id: str, benchmark_ids: list[str], count: int
) -> None:
    """Ended benchmarks in SQL, whatever results they have."""
    with _sql(stage) as sql:
        for i, benchmark_id in enumerate(benchmark_ids):
            spec = BenchmarkSpec(
                benchmark_id=benchmark_id,
                dataset_id=dataset_id,
                total=count,
                chunk_rows=chunk_rows(count),
                model=ModelSpec.model_validate(model),
                sampling=Sampling(),
                task="generate",
            )
            at = _BEGAN + timedelta(seconds=i)
            sql.add(
                BenchmarkRow(
                    id=benchmark_id,
                    model_id=model["model_id"],
                    dataset_id=dataset_id,
                    status=Status.COMPLETED.value,
                    phase=Phase.COMPLETED.value,
                    progress=100,
                    completed=count,
                    total=count,
                    throughput=100.0,
                    prompt_tokens=count * 100,
                    output_tokens=count * 30,
                    started_at=at,
                    created_at=at,
                    completed_at=at + timedelta(hours=1),
                    total_time_seconds=3600.0,
                    generation_seconds=3500.0,
                    load_seconds=40.0,
                    attempts=1,
                    spec=spec.model_dump(mode="json"),
                )
            )
        sql.commit()


def remove(stage: Stage, key: str) -> None:
    shutil.rmtree(_storage(stage).path(key), ignore_errors=True)


def _results(count: int, seed: int) -> pa.Table:
    random = np.random.default_rng(seed)
    rows = pa.array(np.arange(count))
    # One in four answers depends on the seed, so that benchmarks differ as models do.
    variant = pa.array(np.where(random.random(count) < 0.25, f"variant {seed}", "enough")).cast(
        pa.string()
    )
    text = _join("Yes. The experience adds up to ", _digits(rows), " points, which is ", variant)
    latency = random.gamma(4.0, 200.0, count)
    micros = ((_BEGAN.timestamp() + np.arange(count) / 500) * 1e6).astype(np.int64)
    columns = {
        "row_id": rows,
        "custom_id": _join("candidate-", _digits(rows)),
        "request_id": _join(f"chatcmpl-{seed}-", _digits(rows)),
        "status_code": pa.array(np.full(count, 200, np.int32)),
        "body": _join('{"choices":[{"message":{"role":"assistant","content":"', text, '"}}]}'),
        "error": pa.nulls(count, pa.string()),
        "text": text,
        "finish_reason": pa.repeat("stop", count),
        "prompt_tokens": pa.array(random.integers(20, 400, count)),
        "cached_tokens": pa.array(np.zeros(count, np.int64)),
        "output_tokens": pa.array(random.integers(1, 64, count)),
        "latency_ms": pa.array(latency),
        "ttft_ms": pa.array(latency / 4),
        "itl_ms": pa.array(latency / 80),
        "queue_ms": pa.array(latency / 100),
        "finished_at": pa.array(micros).cast(pa.timestamp("us", tz="UTC")),
        "replica": pa.repeat("replica-0", count),
    }
    return pa.table(columns, schema=parts.SCHEMA)


def _join(*pieces: Any) -> Any:
    return pc.binary_join_element_wise(*pieces, "")


def _digits(rows: Any) -> Any:
    return pc.utf8_lpad(rows.cast(pa.string()), 7, "0")


def _storage(stage: Stage) -> Local:
    return Local(stage.settings.storage_uri)


def _sql(stage: Stage) -> Sql:
    return Sql(create_engine(stage.settings.sql_url))
