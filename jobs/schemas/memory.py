"""The memory that an engine takes: predicted, measured, and whether there is enough."""

from enum import StrEnum

from pydantic import BaseModel, Field


class FitVerdict(StrEnum):
    """What can be said of a model on this cluster's hardware before it is loaded."""

    FITS = "fits"
    FITS_SHORTER = "fits_shorter"
    """Its weights do, but not a request of its whole context length."""
    DOES_NOT_FIT = "does_not_fit"
    CANNOT_TELL = "cannot_tell"
    """Too little is known, or it is so close that only loading it will show."""


class Footprint(BaseModel):
    """The memory that one engine is predicted to take, on each of its GPUs (or of its machine)."""

    gpus: int = Field(description="GPUs of one engine; 0: it runs on CPU.")
    weights_bytes: int
    overhead_bytes: int = Field(
        description="Estimated, on the safe side: activations, CUDA graphs, libraries."
    )
    kv_token_bytes: int = Field(
        description="KV cache of a token in all layers; windows drop tokens from theirs."
    )
    kv_request_bytes: int = Field(
        description="KV cache without which vLLM does not start: of one request of `max_model_len`."
    )
    max_model_len: int = Field(description="The context length that this is for, tokens.")


class MemoryTaken(BaseModel):
    """The memory that an engine has taken, as vLLM measured it; the largest of its workers'."""

    weights_bytes: int | None = Field(default=None, description="On each GPU; none on CPU.")
    overhead_bytes: int | None = Field(
        default=None, description="On each GPU, beside weights and KV cache; none on CPU."
    )
    process_bytes: int | None = Field(
        default=None, description="Memory of the machine that the process which computes holds."
    )
    kv_cache_bytes: int | None = Field(default=None, description="On each GPU; none on CPU.")
    kv_cache_blocks: int | None = None
    block_tokens: int | None = None
    kv_cache_tokens: int | None = Field(
        default=None, description="That the KV cache holds, of requests of `max_model_len`."
    )


class Fit(BaseModel):
    """Whether this cluster's hardware is enough for one engine of a model."""

    verdict: FitVerdict
    fits: bool = Field(
        description="It may be run: the verdict is `fits`, or that it cannot be told."
    )
    reason: str = Field(
        description="Why (not), in figures.",
        examples=["needs 15 GiB of weights and 16 GiB of KV cache on a GPU of 79.3 GiB"],
    )
    longest: int | None = Field(
        default=None, description="The longest context that fits, tokens; none: not known."
    )
    footprint: Footprint | None = Field(
        default=None, description="None where its config is not known or not understood."
    )
