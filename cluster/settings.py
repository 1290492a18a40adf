"""One frozen settings object, read from the environment once per process and validated at start."""

import ipaddress
from functools import cache
from pathlib import Path
from typing import Self

from pydantic import AliasChoices, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

REPOSITORY = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Every setting of every process.

    Each field is read from ``BENCHMARK_RUNNER_<FIELD>``, except ``DATABASE_URL``, which has the
    name that deployment tools already use. Ray hands the environment of ``ray start`` to each
    process that it starts, so the service, its jobs and the tracker agree.
    """

    model_config = SettingsConfigDict(
        env_prefix="BENCHMARK_RUNNER_", frozen=True, extra="ignore", populate_by_name=True
    )

    data_folder: Path = Field(
        default=Path("data"),
        description="Folder of the default database, storage and prepared model weights, relative "
        "to the folder in which the service is started.",
    )
    database_url: str = Field(
        default="",
        validation_alias="DATABASE_URL",
        description="SQLAlchemy URL; empty: SQLite (WAL) in the data folder.",
    )
    storage_url: str = Field(
        default="",
        description="Where datasets and results live: file:///folder or s3://bucket/prefix (empty: "
        "in the data folder). Region and credentials of a bucket: AWS_REGION, AWS_ACCESS_KEY_ID, "
        "AWS_SECRET_ACCESS_KEY, or the role of the machine.",
    )
    storage_endpoint: str = Field(
        default="",
        validation_alias=AliasChoices(
            "BENCHMARK_RUNNER_STORAGE_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"
        ),
        pattern=r"^(https?://[^/\s@]+/?)?$",
        description="Address of an S3-compatible object store, http(s)://host:port; empty: "
        "Amazon's.",
    )
    storage_timeout_seconds: float = Field(
        default=30.0,
        gt=0,
        description="How long one request to the object store may take (at most 5 MiB), seconds.",
    )
    storage_patience_seconds: float = Field(
        default=10.0,
        gt=0,
        description="How long calls of the API try an object store that is away, seconds; then "
        "they answer 503.",
    )
    job_storage_patience_seconds: float = Field(
        default=600.0,
        gt=0,
        description="How long a benchmark waits for an object store that is away, seconds; then it "
        "fails, keeps its results and can be retried.",
    )
    cache_bytes: int = Field(
        default=20 * 2**30,
        ge=0,
        description="How much of the data folder indexes of results may take, bytes; beyond it the "
        "oldest go, and are made again when they are asked for.",
    )
    models_folder: Path = Field(
        default=REPOSITORY / "configs" / "models",
        description="Folder of the model registry, one YAML file a model.",
    )
    added_models_folder: Path | None = Field(
        default=None,
        description="Folder, the same on every node, in which the folders of models are that users "
        "may add by path; none: they may add models by hub id only.",
    )
    web_folder: Path = Field(
        default=REPOSITORY / "web" / "dist",
        description="Folder of the built web UI; without an index.html in it there is none.",
    )
    host: str = Field(default="127.0.0.1", description="Address that the HTTP service binds to.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port of the HTTP service.")

    keyless: bool = Field(
        default=False,
        description="Answer without API keys as long as none was made. `benchmark-runner serve` "
        "sets it where the host is a loopback address, and unsets it elsewhere.",
    )
    secure_cookie: bool = Field(
        default=False,
        description="The login cookie goes over HTTPS only: set it where TLS ends before us.",
    )
    login_hours: float = Field(default=12.0, gt=0, description="How long a login lasts, hours.")
    requests_per_second: float = Field(
        default=50.0,
        gt=0,
        description="Calls that a key may make in each replica of the API; bursts of 4 s.",
    )
    audit_days: int = Field(
        default=365, gt=0, description="How long the audit log keeps an entry, days."
    )

    max_upload_bytes: int = Field(
        default=10 * 2**30, gt=0, description="Largest accepted dataset file, bytes."
    )
    max_line_bytes: int = Field(
        default=16 * 2**20, gt=0, description="Longest accepted line of a dataset, bytes."
    )
    upload_patience_seconds: float = Field(
        default=60.0,
        gt=0,
        description="How long an upload may pause, seconds; then it is ended and removed.",
    )
    min_free_bytes: int = Field(
        default=256 * 2**20,
        ge=0,
        description="Free space that uploads and results leave on the disk, bytes: room for the "
        "database, and to write down why a benchmark has stopped.",
    )
    max_reported_errors: int = Field(
        default=100, gt=0, description="Errors listed one by one for a rejected dataset."
    )

    batch_max_requests: int = Field(
        default=50_000, gt=0, description="Most requests of one batch of the OpenAI API."
    )
    batch_max_bytes: int = Field(
        default=200 * 2**20, gt=0, description="Largest input file of a batch, bytes."
    )
    batch_window_seconds: int = Field(
        default=24 * 3600,
        gt=0,
        description="What a batch's completion window, 24h, stands for: after it, what is not "
        "finished expires.",
    )
    batch_metadata_pairs: int = Field(
        default=16, ge=0, description="Most pairs in a batch's metadata."
    )
    batch_metadata_key_chars: int = Field(
        default=64, gt=0, description="Longest key in a batch's metadata."
    )
    batch_metadata_value_chars: int = Field(
        default=512, gt=0, description="Longest value in a batch's metadata."
    )
    file_min_expiry_seconds: int = Field(
        default=3_600, ge=0, description="Shortest life that a client may give a file."
    )
    file_max_expiry_seconds: int = Field(
        default=2_592_000, gt=0, description="Longest life that a client may give a file."
    )

    cpu_slots: int = Field(
        default=1,
        gt=0,
        description="Engines that may run at once on a cluster without GPUs. One engine already "
        "uses every core of its machine.",
    )
    endpoint_slots: int = Field(
        default=4,
        gt=0,
        description="Benchmarks of models behind an endpoint that may run at once, beside those "
        "on this cluster's hardware; of one model always one, which keeps its max_concurrency.",
    )
    cpu_kv_cache_gib: int = Field(
        default=2, gt=0, description="KV cache of an engine on CPU, GiB (VLLM_CPU_KVCACHE_SPACE)."
    )
    max_attempts: int = Field(
        default=3,
        gt=0,
        description="Attempts in a row without a single new result, after which a benchmark is "
        "given up.",
    )
    max_replica_restarts: int = Field(
        default=5,
        ge=0,
        description="Times one replica is restarted within a job before the job is started anew.",
    )
    request_timeout_seconds: float = Field(
        default=600.0,
        gt=0,
        description="A request fails when its engine has generated nothing for so long, for any "
        "request, while it had this one. An engine that is only slow generates all the time.",
    )
    stuck_seconds: float = Field(
        default=120.0,
        gt=0,
        description="A replica that does not come to anything for so long (a chat template that "
        "never ends, say) is ended and started again.",
    )
    query_timeout_seconds: float = Field(
        default=60.0, gt=0, description="Longest search through results, seconds."
    )

    @model_validator(mode="after")
    def _host_is_an_address(self) -> Self:
        if self.host != "localhost":
            try:
                ipaddress.ip_address(self.host)
            except ValueError:
                raise ValueError(
                    f"host {self.host!r} is neither an IP address nor localhost"
                ) from None
        return self

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the service."""
        return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback

    @property
    def sql_url(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{self.data_folder.resolve()}/benchmark_runner.db"

    @property
    def storage_uri(self) -> str:
        """The storage URI in force."""
        return self.storage_url or (self.data_folder.resolve() / "storage").as_uri()


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
