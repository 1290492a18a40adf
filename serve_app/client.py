"""A small client of the REST API, for the command line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import httpx

from jobs.schemas.benchmarks import Benchmark, BenchmarkList, BenchmarkStarted
from jobs.schemas.datasets import Dataset, DatasetList, DatasetUploaded
from jobs.schemas.models import Model, ModelList
from jobs.schemas.sampling import Sampling
from serve_app.problems import ErrorResponse, Problem


class ApiError(Exception):
    """The service refused; ``problem`` is what it said."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class Client:
    """The calls that the command line makes. Every failure is an :class:`ApiError`."""

    def __init__(self, url: str, key: str | None = None) -> None:
        self.url = url
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            # An upload is validated while it is sent, so the answer can be long in coming.
            timeout=httpx.Timeout(30, read=600),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def upload(self, path: Path) -> DatasetUploaded:
        with path.open("rb") as file:
            answer = self._call("POST", "/admin/datasets/upload", files={"file": file})
        return DatasetUploaded.model_validate_json(answer)

    def datasets(self) -> list[Dataset]:
        return DatasetList.model_validate_json(self._call("GET", "/admin/datasets")).datasets

    def models(self) -> list[Model]:
        return ModelList.model_validate_json(self._call("GET", "/admin/models")).models

    def run(self, model_id: str, dataset_id: str, sampling: Sampling) -> BenchmarkStarted:
        asked = {
            "model_id": model_id,
            "dataset_id": dataset_id,
            "sampling": sampling.model_dump(exclude_none=True),
        }
        return BenchmarkStarted.model_validate_json(
            self._call("POST", "/admin/benchmarks/run", json=asked)
        )

    def benchmarks(self) -> list[Benchmark]:
        return BenchmarkList.model_validate_json(self._call("GET", "/admin/benchmarks")).benchmarks

    def benchmark(self, benchmark_id: str) -> Benchmark:
        return Benchmark.model_validate_json(self._call("GET", f"/admin/benchmarks/{benchmark_id}"))

    def cancel(self, benchmark_id: str) -> Benchmark:
        return Benchmark.model_validate_json(
            self._call("POST", f"/admin/benchmarks/{benchmark_id}/cancel")
        )

    def download(self, benchmark_id: str, form: str) -> Iterator[bytes]:
        path = f"/admin/benchmarks/{benchmark_id}/results/download"
        with self._http.stream("GET", path, params={"format": form}) as answer:
            if answer.is_error:
                raise ApiError(_problem(answer.read()))
            yield from answer.iter_bytes()

    def _call(self, method: str, path: str, **arguments: Any) -> bytes:
        try:
            answer = self._http.request(method, path, **arguments)
        except httpx.TransportError as error:
            message = f"No answer from {self.url}: {error}. Is the service running (make serve)?"
            raise ApiError(Problem(code="no_service", message=message)) from error
        if answer.is_error:
            raise ApiError(_problem(answer.content))
        return answer.content


def _problem(body: bytes) -> Problem:
    try:
        return ErrorResponse.model_validate_json(body).error
    except ValueError:  # not this service: a proxy, or something else on the port
        return Problem(code="unknown", message=body[:500].decode(errors="replace"))
