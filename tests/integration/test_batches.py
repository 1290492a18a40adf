"""Batches of OpenAI's client on real Ray; how the API speaks is looked at in tests/openai_api."""

import io
import json
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from integration.api import Api, chat
from openai.types import Batch

from cluster.session import Session, command, processes

pytestmark = pytest.mark.integration

CHAT = "/v1/chat/completions"


@pytest.fixture
def client(session: Session) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{session.service_url}/v1", api_key="none") as opened:
        yield opened


def lines(count: int, model: str) -> list[dict[str, Any]]:
    return [chat(f"r-{i}", f"Question {i}", model=model) for i in range(count)]


def create(client: openai.OpenAI, *requests: dict[str, Any]) -> Batch:
    data = "".join(json.dumps(request) + "\n" for request in requests).encode()
    file = client.files.create(file=("batch.jsonl", io.BytesIO(data)), purpose="batch")
    return client.batches.create(
        input_file_id=file.id, endpoint=CHAT, completion_window="24h", metadata={"by": "a test"}
    )


def wait(client: openai.OpenAI, batch: Batch, *statuses: str) -> Batch:
    deadline = time.monotonic() + 240
    while (current := client.batches.retrieve(batch.id)).status not in statuses:
        assert current.status not in ("failed", "expired"), current
        assert time.monotonic() < deadline, f"waited in vain: {current}"
        time.sleep(0.2)
    return current


def at_work(client: openai.OpenAI, api: Api, batch: Batch) -> None:
    """Wait until some of a batch's requests are finished."""
    wait(client, batch, "in_progress")
    api.wait(as_benchmark(batch), lambda b: b["completed"] > 4)


def read(client: openai.OpenAI, file_id: str | None) -> list[dict[str, Any]]:
    assert file_id is not None
    return [json.loads(line) for line in client.files.content(file_id).text.splitlines()]


def as_benchmark(batch: Batch) -> str:
    return batch.id.replace("batch_", "bm_")


def test_a_batch_is_a_benchmark_and_its_file_a_dataset(client: openai.OpenAI, api: Api) -> None:
    requests = [*lines(1000, "fake/instant"), chat("bad", "fake:error", model="fake/instant")]

    batch = wait(client, create(client, *requests), "completed")

    output = read(client, batch.output_file_id)
    assert [line["custom_id"] for line in output] == [f"r-{i}" for i in range(1000)]
    (error,) = read(client, batch.error_file_id)
    assert (error["custom_id"], error["response"]["status_code"]) == ("bad", 400)
    benchmark = api.benchmark(as_benchmark(batch))
    assert (benchmark["status"], benchmark["model_id"]) == ("completed", "fake/instant")
    assert batch.request_counts is not None
    assert batch.request_counts.to_dict() == {
        "total": benchmark["total"],
        "completed": benchmark["completed"],
        "failed": benchmark["failed"],
    }
    assert batch.usage is not None
    assert batch.usage.output_tokens == benchmark["output_tokens"] == 16_000
    assert batch.usage.input_tokens == benchmark["prompt_tokens"]
    results = api.results(benchmark["benchmark_id"], limit=1)
    assert results["total"] == 1001
    dataset = batch.input_file_id.replace("file-", "ds_")
    assert benchmark["dataset_id"] == dataset
    listed = api.client.get("/admin/datasets").json()["datasets"]
    assert (dataset, "batch.jsonl", 1001) in [(d["id"], d["name"], d["count"]) for d in listed]


def test_a_live_batch_is_cancelled_on_either_side_also_after_the_tracker_was_killed(
    client: openai.OpenAI, api: Api, session: Session
) -> None:
    # Some 50 seconds each: enough to be cancelled at work on a busy machine.
    first, second = (create(client, *lines(400, "fake/slow")) for _ in range(2))
    at_work(client, api, first)
    for process in processes(session):
        if "ray::Tracker" in command(process):
            process.kill()
    dataset = first.input_file_id.replace("file-", "ds_")
    refused = api.client.delete(f"/admin/datasets/{dataset}")
    assert refused.json()["error"]["code"] == "dataset_in_use"
    with pytest.raises(openai.ConflictError):
        client.files.delete(first.input_file_id)

    api.client.post(f"/admin/benchmarks/{as_benchmark(first)}/cancel").raise_for_status()
    assert wait(client, first, "cancelling", "cancelled").cancelling_at is not None
    at_work(client, api, second)
    assert client.batches.cancel(second.id).status == "cancelling"

    for batch in (first, second):
        ended = wait(client, batch, "cancelled")
        assert api.finished(as_benchmark(batch))["status"] == "cancelled"
        answered = read(client, ended.output_file_id)
        rest = read(client, ended.error_file_id)
        ids = sorted(line["custom_id"] for line in [*answered, *rest])
        assert ids == sorted(f"r-{i}" for i in range(400))
        assert {line["error"]["code"] for line in rest} == {"batch_cancelled"}
        assert ended.request_counts is not None
        assert ended.request_counts.completed == len(answered)
