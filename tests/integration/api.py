"""What the tests ask of the REST API, as a client that knows only the seed's document would."""

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpx

Json = dict[str, Any]

# Generous: a shared machine may be slow, and no test is about absolute time.
_PATIENCE_SECONDS = 240.0


class Api:
    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def upload(self, requests: Iterable[Json], name: str = "requests.jsonl") -> str:
        data = "".join(json.dumps(request) + "\n" for request in requests)
        answer = self.client.post(
            "/admin/datasets/upload", files={"file": (name, data.encode())}
        ).raise_for_status()
        return answer.json()["dataset_id"]

    def run(self, model_id: str, dataset_id: str, **sampling: Any) -> str:
        asked = {"model_id": model_id, "dataset_id": dataset_id, "sampling": sampling}
        return (
            self.client.post("/admin/benchmarks/run", json=asked)
            .raise_for_status()
            .json()["benchmark_id"]
        )

    def benchmark(self, benchmark_id: str) -> Json:
        return self.client.get(f"/admin/benchmarks/{benchmark_id}").raise_for_status().json()

    def results(self, benchmark_id: str, **query: Any) -> Json:
        path = f"/admin/benchmarks/{benchmark_id}/results"
        return self.client.get(path, params=query).raise_for_status().json()

    def wait(self, benchmark_id: str, until: Callable[[Json], bool]) -> Json:
        """Poll until the benchmark is as wanted."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not until(current := self.benchmark(benchmark_id)):
            assert time.monotonic() < deadline, f"waited in vain: {current}"
            time.sleep(0.2)
        return current

    def finished(self, benchmark_id: str) -> Json:
        """The benchmark once it has ended."""
        return self.wait(
            benchmark_id, lambda b: b["status"] in ("completed", "failed", "cancelled")
        )


def chat(custom_id: str, text: str, **more: Any) -> Json:
    body = {"messages": [{"role": "user", "content": text}], **more}
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body}


def candidates(count: int) -> list[Json]:
    return [chat(f"candidate-{i}", f"Is candidate {i} a good fit?") for i in range(count)]
