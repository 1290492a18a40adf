"""Benchmarks: what is asked for, what a job reads, and what the API shows."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

from jobs.schemas.base import Id, Strict
from jobs.schemas.datasets import Kind
from jobs.schemas.models import EngineName, ModelSpec
from jobs.schemas.sampling import Sampling


class Status(StrEnum):
    """The life of a benchmark; it only moves forward, except that asking failed requests again
    queues an ended one anew (:mod:`jobs.retry`). Same words in SQL, API and UI."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    def is_terminal(self) -> bool:
        return self in (Status.COMPLETED, Status.FAILED, Status.CANCELLED)


class Phase(StrEnum):
    """What a benchmark is doing; finer than :class:`Status` while it runs."""

    QUEUED = "queued"
    LOADING = "loading"
    RUNNING = "running"
    FINALIZING = "finalizing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RunBenchmarkRequest(Strict):
    """Run one model over one dataset."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "model_id": "allenai/OLMo-2-1124-7B-Instruct",
                    "dataset_id": "ds_4f1c0a9be27d",
                    "sampling": {"temperature": 0, "max_tokens": 256},
                }
            ]
        },
    )

    model_id: Id
    dataset_id: Id
    sampling: Sampling = Field(default_factory=Sampling)


class BenchmarkStarted(BaseModel):
    benchmark_id: str = Field(examples=["bm_9d02b7c4e1a8"])
    status: Status = Field(
        description="`running`, or `queued` while other benchmarks hold the hardware."
    )
    started_at: datetime


class Benchmark(BaseModel):
    """A benchmark's state, as last written by the tracker."""

    benchmark_id: str = Field(examples=["bm_9d02b7c4e1a8"])
    model_id: str
    model_name: str
    engine: EngineName = Field(description="`imported`: its results came as a file.")
    dataset_id: str
    dataset_name: str
    kind: Kind = Kind.ORDINARY
    status: Status
    phase: Phase
    progress: int = Field(description="Percent of requests that are finished, 0 to 100.")
    completed: int = Field(description="Requests answered with a 2xx status.")
    failed: int = Field(description="Requests that ended in an error of their own.")
    total: int
    throughput: float = Field(
        description="Output tokens per second: over the last half minute while running, over "
        "the whole generation (first request to last result, without loading) afterwards."
    )
    total_throughput: float = Field(description="The same for prompt plus output tokens.")
    eta_seconds: int = Field(
        description="Seconds until the end, loading included. While nothing has been measured "
        "(first load of a model) a lower bound; 0 when ended."
    )
    eta_low_seconds: int | None = Field(
        description="With `eta_high_seconds` a band that holds the true end four times in five; "
        "none while nothing has been measured, and when ended."
    )
    eta_high_seconds: int | None
    prompt_tokens: int
    output_tokens: int
    started_at: datetime = Field(
        description="When it was admitted; while queued, when it was asked for."
    )
    created_at: datetime
    completed_at: datetime | None
    total_time_seconds: float | None = Field(
        description="From admission to the end; when failed requests were asked again, the sum "
        "over the runs that have ended."
    )
    load_seconds: float | None = Field(description="Time the engines took to load.")
    queue_position: int | None = Field(description="1: the next to be admitted; none: not queued.")
    rerun_of: str | None = Field(description="The benchmark that it repeats.")
    attempts: int = Field(description="Times its job was started.")
    error: str | None = Field(description="Why it failed.")
    sampling: Sampling


class BenchmarkList(BaseModel):
    benchmarks: list[Benchmark]
    total: int


class BenchmarkSpec(Strict):
    """All that a job needs to know; read once when it starts."""

    benchmark_id: str
    dataset_id: str
    total: NonNegativeInt
    chunk_rows: PositiveInt = Field(description="Requests per chunk; names parts, so it is fixed.")
    model: ModelSpec
    sampling: Sampling
    task: Literal["generate", "embed"]
    dataset_sha256: str | None = Field(
        default=None, description="Digest of the dataset's file; older ones do not say."
    )


class Placement(Strict):
    """The hardware that a benchmark's engines take."""

    replicas: PositiveInt
    gpus_per_replica: NonNegativeInt = Field(description="0: the engines run on CPU.")
    elsewhere: bool = Field(
        default=False, description="The engine asks another service and takes no hardware here."
    )
