"""The typed records of the project: what the API speaks, SQL stores and a job reads.

Times are UTC, durations are seconds unless the name says ``_ms``, sizes are bytes.
Neither Ray nor SQL is imported here.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    StringConstraints,
    model_validator,
)

Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
"""Text of a client. PostgreSQL refuses a NUL, so it is refused at the door."""

Id = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=500)]
"""An id as a client gives it. PostgreSQL refuses a NUL, so it is refused at the door."""

Words = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=1_000_000)]
"""Text that a person wrote, to be kept in SQL."""

StopText = Annotated[str, StringConstraints(pattern=r"^[^\x00]+$", max_length=1000)]
"""A pattern makes pydantic read the text as Unicode, so that half a surrogate pair, which no
response could carry, is refused as well."""


_LARGEST_COUNT = 2**31 - 1
"""vLLM's counts have 32 bits."""


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


class Kind(StrEnum):
    """What a benchmark or a dataset is for."""

    ORDINARY = "ordinary"
    JUDGE = "judge"
    """Made by the service, to have answers judged by a model."""


class Endpoint(StrEnum):
    """The request URLs that a dataset may use."""

    CHAT = "/v1/chat/completions"
    COMPLETIONS = "/v1/completions"
    EMBEDDINGS = "/v1/embeddings"


# --- datasets -------------------------------------------------------------------------------------


class LineError(BaseModel):
    """One thing that is wrong with one line of an uploaded file."""

    line: int = Field(description="Line number in the uploaded file, from 1.")
    code: str = Field(description="Stable name of the error.", examples=["missing_custom_id"])
    field: str | None = Field(default=None, description="The field at fault, if it is one.")
    message: str = Field(description="What is wrong and what to do.")
    text: str = Field(default="", description="The beginning of the offending line.")


class DatasetUploaded(BaseModel):
    """Answer to an upload."""

    dataset_id: str = Field(examples=["ds_4f1c0a9be27d"])
    name: str = Field(examples=["batch_5k.jsonl"])
    count: int = Field(description="Number of requests.", examples=[5000])
    uploaded_at: datetime


class Dataset(BaseModel):
    """A stored dataset."""

    id: str = Field(examples=["ds_4f1c0a9be27d"])
    name: str = Field(examples=["batch_5k.jsonl"])
    count: int = Field(description="Number of requests.", examples=[5000])
    uploaded_at: datetime
    size_bytes: int = Field(description="Size of the uploaded file.")
    sha256: str = Field(description="Digest of the uploaded file.")
    endpoints: list[Endpoint] = Field(description="Request URLs that occur in it.")
    models: list[str] = Field(
        description="Values of the bodies' own `model` (at most 20); a benchmark overrides them."
    )


class DatasetList(BaseModel):
    datasets: list[Dataset]
    total: int


class Request(BaseModel):
    """One request of a dataset, as a preview shows it."""

    row_id: int = Field(description="Position in the dataset, from 0.")
    custom_id: str
    url: Endpoint
    body: dict[str, Any]
    extra: dict[str, Any] | None = Field(
        description="Other top-level fields of the line (`expected`, `metadata`, …)."
    )


class RequestPage(BaseModel):
    dataset_id: str
    requests: list[Request]
    total: int
    limit: int
    offset: int


# --- models ---------------------------------------------------------------------------------------


class Strict(BaseModel):
    """A record read from a file or a user: an unknown field is an error, not silently dropped."""

    model_config = ConfigDict(extra="forbid")


class Weights(Strict):
    """Where a model's weights are: one of ``hub``, ``path`` and ``gguf``; none, if elsewhere."""

    hub: str | None = Field(default=None, description="Hugging Face repository id.")
    revision: str | None = Field(default=None, description="Revision of the hub repository.")
    path: str | None = Field(default=None, description="Folder with a hub snapshot.")
    gguf: list[str] = Field(
        default_factory=list,
        description="A GGUF file carried by installed Python packages, as `package:file`; several "
        "are its parts, to be concatenated.",
    )
    sha256: str | None = Field(default=None, description="Digest of the whole GGUF file.")

    @model_validator(mode="after")
    def _one_source(self) -> "Weights":
        if sum(bool(source) for source in (self.hub, self.path, self.gguf)) > 1:
            raise ValueError("give exactly one of hub, path and gguf")
        return self

    @property
    def are_here(self) -> bool:
        return bool(self.hub or self.path or self.gguf)


class EndpointSpec(Strict):
    """An OpenAI-compatible service that answers for a model.

    The registry is the operator's: whoever can write its files decides which addresses the cluster
    calls. Nothing that a user of the API sends gets into an address.
    """

    base_url: str = Field(
        pattern=r"^https?://[^/@\s?#]+(/[^@\s?#]*)?$",
        description="Up to and including the version, as OpenAI's clients take it; a key in it is "
        "refused.",
        examples=["https://api.openai.com/v1"],
    )
    model: str = Field(min_length=1, description="The model's name there.")
    api_key_env: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Environment variable with the key, in the environment of the service; none: "
        "no key is sent.",
        examples=["OPENAI_API_KEY"],
    )
    max_concurrency: int = Field(default=8, ge=1, le=1024, description="Requests at once.")
    timeout_seconds: float = Field(
        default=600, gt=0, description="Longest wait for one try of a request."
    )
    max_retries: int = Field(
        default=6,
        ge=0,
        le=20,
        description="Further tries after a timeout, a broken connection, 408, 409, 429 or 5xx.",
    )


EngineName = Literal["vllm", "fake", "endpoint", "imported"]
"""What answers for a model. ``imported``: nothing here does; its results came as a file."""


class ModelSpec(Strict):
    """An entry of the model registry: what to load and how. One YAML file each."""

    model_id: str = Field(
        min_length=1,
        max_length=200,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$",
        examples=["allenai/OLMo-2-1124-7B-Instruct"],
    )
    name: str = Field(min_length=1, examples=["OLMo 2 7B"])
    description: str = Field(default="", description="One sentence for the person who chooses.")
    parameters: NonNegativeInt = Field(
        default=0,
        description="Number of parameters, embeddings included. 0, as the two sizes: not known, of "
        "a model that does not run here.",
    )
    weights: Weights = Field(default_factory=Weights)
    weights_bytes: NonNegativeInt = Field(
        default=0, description="Size of the weights in memory, bytes."
    )
    memory_gib: float = Field(
        default=0,
        ge=0,
        description="Accelerator memory to plan for over all GPUs of one engine, GiB: weights, "
        "activations and a KV cache that keeps the engine busy.",
    )
    license: str = Field(default="", examples=["Apache-2.0"])
    engine: EngineName = Field(
        default="vllm",
        description="`endpoint` asks another service. `fake` answers without a model: for load "
        "tests and dry runs only.",
    )
    endpoint: EndpointSpec | None = Field(
        default=None, description="The service that an engine of type `endpoint` asks."
    )
    dtype: str = Field(default="auto", description="vLLM's dtype.")
    quantization: str | None = Field(default=None, description="vLLM's quantization method.")
    max_model_len: PositiveInt | None = Field(
        default=None, description="Context length in tokens; none: the model's own."
    )
    tensor_parallel: PositiveInt = Field(default=1, description="GPUs that share one engine.")
    replicas: PositiveInt | None = Field(
        default=None, description="Engines of one benchmark; none: one per free GPU group."
    )
    max_num_seqs: PositiveInt = Field(
        default=256, description="Requests that an engine decodes at once."
    )
    chat_template: str | None = Field(
        default=None, description="Jinja chat template, for weights that carry none."
    )
    engine_args: dict[str, Any] = Field(
        default_factory=dict, description="Further arguments of vLLM's engine, as `vllm serve`."
    )
    cpu_engine_args: dict[str, Any] = Field(
        default_factory=dict, description="Engine arguments that replace others on CPU."
    )

    @model_validator(mode="after")
    def _what_its_engine_needs(self) -> "ModelSpec":
        if (self.engine == "endpoint") != (self.endpoint is not None):
            raise ValueError(
                "`endpoint` is for models whose engine is `endpoint`, and they need it"
            )
        if self.engine in ("vllm", "fake"):
            needed = ("parameters", "weights_bytes", "memory_gib", "license")
            missing = [name for name in needed if not getattr(self, name)]
            missing += [] if self.weights.are_here else ["weights (one of hub, path and gguf)"]
            if missing:
                raise ValueError(f"a model that runs here needs {', '.join(missing)}")
        if self.endpoint is not None:
            # What keeps an engine here busy; requests beyond it would only wait.
            self.max_num_seqs = self.endpoint.max_concurrency
        return self

    @property
    def runs_here(self) -> bool:
        """It needs this cluster's hardware."""
        return self.engine in ("vllm", "fake")


class Fit(BaseModel):
    """Whether this cluster's hardware is enough for one engine of a model."""

    fits: bool
    reason: str = Field(
        description="Why (not), in figures.", examples=["fits: 2 of 23.5 GiB of memory"]
    )


class Model(ModelSpec):
    """A model of the registry as the API shows it."""

    size: str = Field(description="Parameters in words; empty: not known.", examples=["7.3B"])
    prepared: bool = Field(
        description="Weights are on this machine already, so that loading needs no download."
    )
    fit: Fit


class ModelList(BaseModel):
    models: list[Model]


# --- benchmarks -----------------------------------------------------------------------------------


class Sampling(Strict):
    """Sampling overrides: each field that is set replaces that field in every request's body."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=-1, le=_LARGEST_COUNT)
    min_p: float | None = Field(default=None, ge=0, le=1)
    max_tokens: PositiveInt | None = Field(
        default=None, le=_LARGEST_COUNT, description="Most tokens to generate."
    )
    seed: int | None = Field(default=None, ge=-(2**63), le=2**63 - 1)
    stop: list[StopText] | None = Field(default=None, max_length=16)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    repetition_penalty: float | None = Field(default=None, gt=0, le=2)


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


# --- progress -------------------------------------------------------------------------------------


class Tally(BaseModel):
    """Absolute counts of one chunk; a later tally of the chunk replaces an earlier one."""

    completed: NonNegativeInt = 0
    failed: NonNegativeInt = 0
    prompt_tokens: NonNegativeInt = 0
    output_tokens: NonNegativeInt = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            completed=self.completed + other.completed,
            failed=self.failed + other.failed,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
        )

    @property
    def finished(self) -> int:
        return self.completed + self.failed


class EngineLoad(BaseModel):
    """What an engine has to do at a moment."""

    running: NonNegativeInt = 0
    """Requests in its batch."""
    waiting: NonNegativeInt = 0
    """Requests that it has and that are not in its batch."""
    kv_cache_usage: float | None = None
    """Share of its KV cache that is taken, 0 to 1; none where it has none of its own."""


# --- results --------------------------------------------------------------------------------------


class MarkKind(StrEnum):
    """What a person found about a result."""

    GOLDEN = "golden"
    """Worth training on, as it is or as edited."""
    FIX = "fix"
    """Not right as it is; the edited response says how it should be."""
    WRONG = "wrong"
    """Not to be used."""


class Marking(Strict):
    """A judgement on a result. It replaces an earlier one."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"kind": "fix", "response": "Yes.", "note": "Should be one word."}]
        },
    )

    kind: MarkKind
    response: Words | None = Field(
        default=None, description="The response as it should be. A `fix` needs one."
    )
    note: Words | None = Field(default=None, description="Why, for other people.")

    @model_validator(mode="after")
    def _fix_has_response(self) -> "Marking":
        if self.kind is MarkKind.FIX and not self.response:
            raise ValueError("a fix needs `response`: what the answer should have been")
        return self


class Mark(BaseModel):
    """A judgement on a result, as recorded."""

    benchmark_id: str
    row_id: int
    kind: MarkKind
    response: str | None = Field(description="The response as edited; none: as the model gave it.")
    note: str | None
    author: str | None = Field(description="Who marked it last, by the name that they gave.")
    created_at: datetime
    updated_at: datetime


class MarkList(BaseModel):
    marks: list[Mark]
    total: int


class ResponseBody(BaseModel):
    status_code: int = Field(examples=[200])
    request_id: str
    body: dict[str, Any] = Field(description="The engine's response, OpenAI format.")


class ResultError(BaseModel):
    code: str
    message: str


class Score(BaseModel):
    """What a grader says of one result."""

    value: float | None = Field(description="0 to 1, the larger the better.")
    error: str | None = Field(description="Why the grader could not grade this row.")
    note: str | None = Field(description="What led to the score, where it is not plain.")


class Result(BaseModel):
    """One request's outcome in the shape of a line of OpenAI's batch output, with its figures."""

    id: str
    custom_id: str
    response: ResponseBody | None
    error: ResultError | None = Field(
        description="Set when the engine gave no answer at all; an answer with an error status "
        "is in `response`, as OpenAI does it."
    )
    row_id: int
    status_code: int
    prompt: str = Field(
        description="The beginning of what was asked; empty when the dataset has been deleted."
    )
    text: str | None = Field(
        description="The first choice's text; of a failed request, what the error says."
    )
    golden: bool = Field(description="A person marked it as an example worth training on.")
    mark: Mark | None = Field(description="What a person found about it.")
    finish_reason: str | None
    prompt_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    latency_ms: float | None = Field(
        description="From hand-over to the engine until the last token; not known of imported "
        "results."
    )
    ttft_ms: float | None = Field(
        description="Time to first token, waiting in the engine's queue included."
    )
    itl_ms: float | None = Field(description="Mean time between output tokens.")
    queue_ms: float | None = Field(description="Waiting in the engine's queue.")
    finished_at: datetime
    scores: dict[str, Score] = Field(
        default_factory=dict,
        description="By the key of a column of `…/scores`; columns that have none of it yet are "
        "left out.",
    )


class UnmatchedLine(BaseModel):
    """A result of an imported file that is for no request of the dataset."""

    line: int = Field(description="Line number in the file, from 1.")
    custom_id: str


class ResultsImported(BaseModel):
    """Answer to an import."""

    benchmark_id: str
    model_name: str
    completed: int = Field(description="Requests of the dataset that it answers with a 2xx status.")
    failed: int = Field(description="Requests with an error in the file, or without a result.")
    missing: int = Field(description="Requests of the dataset without a result in the file.")
    unmatched: int = Field(description="Results in the file for no request of the dataset; unused.")
    unmatched_lines: list[UnmatchedLine] = Field(description="The first 20 of them.")


class ResultPage(BaseModel):
    benchmark_id: str
    model_name: str
    dataset_name: str
    status: Status
    total_time_seconds: float | None
    throughput: float
    results: list[Result]
    total: int = Field(
        description="Results that match the filter; without one, those that exist now: all "
        "requests once completed."
    )
    limit: int
    offset: int
    next_cursor: str | None = Field(
        description="Give it as `cursor` for the page after this one; none: there is none (yet)."
    )


# --- service --------------------------------------------------------------------------------------


class Problem(BaseModel):
    """What went wrong."""

    code: str = Field(description="Stable name for programs.", examples=["dataset_not_found"])
    message: str = Field(description="What was wrong and what to do, for people.")
    details: dict[str, Any] = Field(
        default_factory=dict,
        description="More, by code: `errors` (line or field by line) and `total_errors`.",
    )


class ErrorResponse(BaseModel):
    """The body of every response that is not a success."""

    error: Problem


class Check(BaseModel):
    ok: bool
    message: str


class Health(BaseModel):
    status: Literal["ok"]


class Readiness(BaseModel):
    ready: bool
    checks: dict[str, Check] = Field(description="database, storage, tracker and ray.")
