"""A benchmark of a million results: the first row, the last row, and one found by its name."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from integration.api import Api
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session as Sql

from cluster.database import engine
from cluster.local import Local
from cluster.settings import Settings
from jobs import datasets, parts, registry, request_file
from jobs.benchmarks import chunk_rows
from jobs.models import BenchmarkRow, DatasetRow
from jobs.schemas.benchmarks import BenchmarkSpec, Phase, Status
from jobs.schemas.requests import Endpoint
from jobs.schemas.sampling import Sampling

pytestmark = pytest.mark.e2e

COUNT = 1_000_000
MODEL = "fake/instant"
DATASET_ID, BENCHMARK_ID = "ds_million", "bm_million"


def join(*pieces: Any) -> Any:
    """Text columns and constants, joined row by row."""
    return pc.binary_join_element_wise(*pieces, "")


def digits(rows: Any) -> Any:
    return pc.utf8_lpad(rows.cast(pa.string()), 7, "0")


def requests() -> pa.Table:
    rows = pa.array(np.arange(COUNT))
    prompt = join("Is candidate ", digits(rows), " a good fit?")
    columns = {
        "row_id": rows,
        "line": pa.array(np.arange(1, COUNT + 1)),
        "custom_id": join("candidate-", digits(rows)),
        "url": pa.repeat(Endpoint.CHAT.value, COUNT),
        "body": join('{"messages":[{"role":"user","content":"', prompt, '"}]}'),
        "preview": prompt,
        "model": pa.nulls(COUNT, pa.string()),
        "extra": pa.nulls(COUNT, pa.string()),
    }
    return pa.table(columns, schema=request_file.SCHEMA)


def results() -> pa.Table:
    random = np.random.default_rng(1)
    rows = pa.array(np.arange(COUNT))
    text = join("Yes. The years of experience add up to ", digits(rows), ", which is enough.")
    latency = random.gamma(4.0, 200.0, COUNT)
    began = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    columns = {
        "row_id": rows,
        "custom_id": join("candidate-", digits(rows)),
        "request_id": join("chatcmpl-", digits(rows)),
        "status_code": pa.array(np.full(COUNT, 200, np.int32)),
        "body": join('{"choices":[{"message":{"role":"assistant","content":"', text, '"}}]}'),
        "error": pa.nulls(COUNT, pa.string()),
        "text": text,
        "finish_reason": pa.repeat("stop", COUNT),
        "prompt_tokens": pa.array(random.integers(20, 400, COUNT)),
        "cached_tokens": pa.array(np.zeros(COUNT, np.int64)),
        "output_tokens": pa.array(random.integers(1, 64, COUNT)),
        "latency_ms": pa.array(latency),
        "ttft_ms": pa.array(latency / 4),
        "itl_ms": pa.array(latency / 80),
        "queue_ms": pa.array(latency / 100),
        "finished_at": pa.array(((began + np.arange(COUNT) / 500) * 1e6).astype(np.int64)).cast(
            pa.timestamp("us", tz="UTC")
        ),
        "replica": pa.repeat("replica-0", COUNT),
    }
    return pa.table(columns, schema=parts.SCHEMA)


def write_storage(store: Local) -> None:
    size = chunk_rows(COUNT)
    for key in (request_file.key(DATASET_ID), parts.part_key(BENCHMARK_ID, 0)):
        store.path(key).parent.mkdir(parents=True)
    pq.write_table(
        requests(),
        store.path(request_file.key(DATASET_ID)),
        compression="zstd",
        row_group_size=size,
    )
    everything = results()
    for index, start in enumerate(range(0, COUNT, size)):
        part = store.path(parts.part_key(BENCHMARK_ID, index))
        pq.write_table(everything.slice(start, size), part, compression="zstd")


def write_rows(settings: Settings) -> None:
    now = datetime.now(UTC)
    dataset = DatasetRow(
        id=DATASET_ID,
        name="million.jsonl",
        file_path=datasets.original_key(DATASET_ID),
        count=COUNT,
        uploaded_at=now,
        size_bytes=COUNT * 100,
        sha256="0" * 64,
        endpoints=[Endpoint.CHAT.value],
        models=[],
    )
    spec = BenchmarkSpec(
        benchmark_id=BENCHMARK_ID,
        dataset_id=DATASET_ID,
        total=COUNT,
        chunk_rows=chunk_rows(COUNT),
        model=registry.read(settings.models_folder)[MODEL],
        sampling=Sampling(),
        task="generate",
    )
    benchmark = BenchmarkRow(
        id=BENCHMARK_ID,
        model_id=MODEL,
        dataset_id=DATASET_ID,
        status=Status.COMPLETED,
        phase=Phase.COMPLETED,
        progress=100,
        completed=COUNT,
        total=COUNT,
        throughput=15_000.0,
        started_at=now,
        completed_at=now,
        total_time_seconds=2000.0,
        generation_seconds=2000.0,
        spec=spec.model_dump(mode="json"),
        attempts=1,
    )
    database = engine(settings.sql_url)
    with Sql(database) as sql, sql.begin():
        sql.add(dataset)
        sql.flush()
        sql.add(benchmark)
    database.dispose()


def test_a_million_results_from_the_first_to_the_last(
    open_page: Callable[..., Page], settings: Settings, api: Api
) -> None:
    write_storage(Local(settings.storage_uri))
    write_rows(settings)
    assert api.benchmark(BENCHMARK_ID)["total"] == COUNT
    page = open_page("/runner")
    expect(page.get_by_role("heading", name="Completed benchmarks")).to_be_visible()

    began = time.monotonic()
    page.goto(f"/results/{BENCHMARK_ID}", wait_until="commit")
    grid = page.get_by_role("grid", name="Results")
    expect(grid.get_by_text("candidate-0000000")).to_be_visible()
    print(f"first row after {time.monotonic() - began:.2f} s")
    expect(grid).to_have_attribute("aria-rowcount", f"{COUNT + 1}")

    # The charts above it leave little of the table in view; once they are there, nothing moves.
    charts = page.get_by_role("region", name="Distributions").get_by_role("figure")
    expect(charts).to_have_count(6)
    expect(charts.filter(has_text="p99")).to_have_count(5)  # all but the rates
    grid.evaluate("grid => { grid.scrollIntoView({ block: 'end' }) }")
    # To the end, as by dragging the scroll bar.
    grid.evaluate("grid => { grid.scrollTop = grid.scrollHeight }")
    expect(grid.get_by_text("candidate-0999999")).to_be_in_viewport()
    last = grid.get_by_role("row").last
    expect(last).to_have_attribute("aria-rowindex", f"{COUNT + 1}")
    expect(last).to_contain_text("999,999")
    # And into the middle, where a row has its own place.
    grid.evaluate("grid => { grid.scrollTop = (grid.scrollHeight - grid.clientHeight) / 2 }")
    expect(grid.get_by_text("candidate-0500000")).to_be_in_viewport()

    search = page.get_by_role("searchbox", name="Filter by name, prompt or response")
    search.fill("candidate-0777777")
    expect(grid).to_have_attribute("aria-rowcount", "2")
    expect(grid.get_by_role("row").nth(1)).to_contain_text("777,777")
    grid.get_by_role("row").nth(1).click()
    drawer = page.get_by_role("dialog", name="candidate-0777777")
    expect(drawer).to_contain_text("Is candidate 0777777 a good fit?")
