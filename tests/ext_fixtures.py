"""Fixtures of a benchmark with results on real SQLite, Parquet and DuckDB, without Ray."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from factories import model_entry

from cluster.database import engine, session
from cluster.settings import settings
from cluster.storage import storage
from jobs import benchmarks, parts, registry
from jobs.parts import Chunk, Record
from jobs.schemas.benchmarks import Phase, Status
from jobs.schemas.datasets import Dataset
from jobs.schemas.sampling import Sampling
from jobs.uploads import Upload

MODELS = ("test/one", "test/two", "test/three")
# A minute after midnight: results finish a second after one another from here.
_BEGAN = datetime(2025, 1, 1, tzinfo=UTC).timestamp()


@pytest.fixture
def place(migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder with a migrated database and three models in the registry."""
    models = tmp_path / "models"
    models.mkdir()
    for model_id in MODELS:
        entry = model_entry(model_id=model_id, name=model_id.title())
        (models / f"{model_id.replace('/', '-')}.yaml").write_text(yaml.safe_dump(entry))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("BENCHMARK_RUNNER_DATA_FOLDER", str(tmp_path / "data"))
    monkeypatch.setenv("BENCHMARK_RUNNER_MODELS_FOLDER", str(models))
    monkeypatch.setenv("BENCHMARK_RUNNER_WEB_FOLDER", str(tmp_path / "web"))
    monkeypatch.setenv("BENCHMARK_RUNNER_KEYLESS", "1")
    monkeypatch.setenv("RAY_ENABLE_AUTO_CONNECT", "0")
    _forget()
    (tmp_path / "data").mkdir()
    shutil.copy(migrated_sqlite, tmp_path / "data" / "benchmark_runner.db")
    registry.load()
    yield tmp_path
    engine().dispose()
    _forget()


def _forget() -> None:
    for cached in (settings, storage, engine):
        cached.cache_clear()


def request(custom_id: str, content: Any = "Hello", **fields: Any) -> dict[str, Any]:
    """A line of a dataset; ``fields`` are added."""
    return {
        "custom_id": custom_id,
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"messages": [{"role": "user", "content": content}]},
    } | fields


def record(row_id: int, text: str | None = "yes", **fields: Any) -> Record:
    """A stored result, successful unless ``fields`` say otherwise."""
    values: dict[str, Any] = {
        "row_id": row_id,
        "custom_id": f"r-{row_id}",
        "request_id": f"cmpl-{row_id}",
        "status_code": 200,
        "body": orjson.dumps({"choices": [{"message": {"content": text}}]}).decode(),
        "error": None,
        "text": text,
        "finish_reason": "stop",
        "prompt_tokens": 5,
        "cached_tokens": 0,
        "output_tokens": 7,
        "latency_ms": 1000.0,
        "ttft_ms": 100.0,
        "itl_ms": 10.0,
        "queue_ms": 1.0,
        "finished_at": _BEGAN + row_id,
        "replica": "test",
    }
    return Record(**(values | fields))


def failure(row_id: int, text: str = "rejected", **fields: Any) -> Record:
    """A stored result of a request that was refused."""
    body = orjson.dumps({"error": {"message": text}}).decode()
    refused: dict[str, Any] = {
        "status_code": 400,
        "body": body,
        "finish_reason": None,
        "prompt_tokens": None,
        "output_tokens": None,
        "ttft_ms": None,
        "latency_ms": 1.0,
    }
    return record(row_id, text, **(refused | fields))


@pytest.fixture
def store_dataset(place: Path) -> Callable[..., Dataset]:
    """Store requests as a dataset."""

    def store(*requests: dict[str, Any]) -> Dataset:
        with Upload("test.jsonl") as opened:
            for one in requests:
                opened.feed(orjson.dumps(one) + b"\n")
            return opened.finish()

    return store


@pytest.fixture
def make_benchmark(store_dataset: Callable[..., Dataset]) -> Callable[..., str]:
    """Make a benchmark that has these results; returns its id.

    Results of whole chunks (32 requests) go into parts, of others into journals, as if the job
    were at work; with ``ended`` all go into parts.
    """

    def make(
        results: Iterable[Record],
        dataset: Dataset | None = None,
        model: str = MODELS[0],
        status: Status = Status.COMPLETED,
        ended: bool = True,
    ) -> str:
        records = list(results)
        count = max(record["row_id"] for record in records) + 1
        stored = dataset or store_dataset(
            *(request(f"r-{i}", f"Question {i}") for i in range(count))
        )
        created = benchmarks.create(model, stored.id, Sampling(temperature=0))
        write(created.benchmark_id, records, ended=ended)
        tally = parts.tally(records)
        with session() as sql:
            row = benchmarks.row(sql, created.benchmark_id)
            row.status = status.value
            row.phase = status.value if status.is_terminal() else Phase.RUNNING.value
            row.completed, row.failed = tally.completed, tally.failed
            row.attempts, row.job_id = 1, created.benchmark_id
            if status.is_terminal():
                row.completed_at, row.total_time_seconds = datetime.now(UTC), 60.0
        return created.benchmark_id

    return make


def write(benchmark_id: str, records: Iterable[Record], *, ended: bool = True) -> None:
    """Put results on storage as replicas do."""
    chunks: dict[int, list[Record]] = {}
    for one in records:
        chunks.setdefault(one["row_id"] // 32, []).append(one)
    for index, members in chunks.items():
        chunk = Chunk(benchmark_id, index)
        chunk.open()
        for one in members:
            chunk.add(one)
        if ended or len(members) == 32:
            chunk.finish()
        elif chunk._file is not None:  # the writer was killed
            chunk._file.close()
