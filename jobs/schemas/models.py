"""Models: entries of the registry, as a file or a user says them and as the API shows them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, model_validator

from jobs.schemas.base import LARGEST_COUNT, Id, Strict
from jobs.schemas.memory import Fit

MODEL_ID = r"^[A-Za-z0-9][A-Za-z0-9._/-]*$"
"""Ids of models: they are parts of URLs and names of folders."""


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
        pattern=MODEL_ID,
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
    config: dict[str, Any] | None = Field(
        default=None,
        description="The fields of the weights' `config.json` that memory depends on, to predict "
        "it where the weights are not; none: read from the weights, if they are here.",
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


class Model(ModelSpec):
    """A model of the registry as the API shows it."""

    size: str = Field(description="Parameters in words; empty: not known.", examples=["7.3B"])
    prepared: bool = Field(
        description="Weights are on this machine already, so that loading needs no download."
    )
    added: bool = Field(description="A user has added it; it can be removed.")
    fit: Fit


class ModelList(BaseModel):
    models: list[Model]


class AddModelRequest(Strict):
    """A model to put into the registry."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"source": "Qwen/Qwen3-8B", "max_model_len": 32768}]},
    )

    source: Id = Field(
        min_length=1,
        description="Hub id (`org/name`), or the absolute path of a folder with a hub snapshot. "
        "Its weights have to be safetensors.",
    )
    model_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        pattern=MODEL_ID,
        description="Its id here; none: the hub id, or `local/` and the folder's name.",
    )
    name: str | None = Field(
        default=None, min_length=1, max_length=200, pattern=r"^[^\x00]*$", description="For people."
    )
    revision: str | None = Field(
        default=None,
        max_length=200,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$",
        description="Branch, tag or commit of the hub repository.",
    )
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    quantization: Literal["fp8", "bitsandbytes"] | None = Field(
        default=None,
        description="Quantize plain weights while they are loaded; those that are quantized "
        "already need nothing here.",
    )
    max_model_len: PositiveInt | None = Field(
        default=None, le=LARGEST_COUNT, description="Context length in tokens; none: its own."
    )
    tensor_parallel: PositiveInt = Field(
        default=1, le=1024, description="GPUs that share one engine."
    )
    max_num_seqs: PositiveInt = Field(
        default=256, le=65_536, description="Requests that an engine decodes at once."
    )
