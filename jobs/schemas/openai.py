"""The records of the OpenAI API: files, batches and lists, with that API's own names.

https://platform.openai.com/docs/api-reference/batch. Times are seconds since the epoch.
"""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from jobs.schemas.base import Id, Text
from jobs.schemas.requests import Endpoint


class BatchStatus(StrEnum):
    """The life of a batch; it only moves forward."""

    VALIDATING = "validating"
    IN_PROGRESS = "in_progress"
    FINALIZING = "finalizing"
    COMPLETED = "completed"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"

    def is_terminal(self) -> bool:
        return self in (
            BatchStatus.COMPLETED,
            BatchStatus.FAILED,
            BatchStatus.EXPIRED,
            BatchStatus.CANCELLED,
        )


LIVE = [status.value for status in BatchStatus if not status.is_terminal()]


class Purpose(StrEnum):
    """What a file is for."""

    BATCH = "batch"
    BATCH_OUTPUT = "batch_output"


class File(BaseModel):
    """A file."""

    id: str = Field(examples=["file-4f1c0a9be27d"])
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    expires_at: int | None
    filename: str = Field(examples=["batchinput.jsonl"])
    purpose: Purpose
    status: Literal["uploaded", "processed", "error"]
    status_details: str | None


class DeletedFile(BaseModel):
    """Answer to a deletion."""

    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True


class BatchError(BaseModel):
    """Why a batch failed."""

    code: str = Field(examples=["invalid_json_line"])
    message: str
    param: str | None = Field(description="The parameter at fault, if it is one.")
    line: int | None = Field(description="Line of the input file, from 1.")


class BatchErrors(BaseModel):
    object: Literal["list"] = "list"
    data: list[BatchError]


class RequestCounts(BaseModel):
    total: int = 0
    completed: int = 0
    failed: int = 0


class InputTokensDetails(BaseModel):
    cached_tokens: int = 0


class OutputTokensDetails(BaseModel):
    reasoning_tokens: int = 0


class Usage(BaseModel):
    """Tokens of all requests of a batch."""

    input_tokens: int = 0
    input_tokens_details: InputTokensDetails = InputTokensDetails()
    output_tokens: int = 0
    output_tokens_details: OutputTokensDetails = OutputTokensDetails()
    total_tokens: int = 0


class Batch(BaseModel):
    """A batch: a benchmark of the model that its lines name, over its input file."""

    id: str = Field(examples=["batch_9d02b7c4e1a8"])
    object: Literal["batch"] = "batch"
    endpoint: str = Field(examples=["/v1/chat/completions"])
    model: str | None = Field(description="The lines' model, once they are validated.")
    errors: BatchErrors | None
    input_file_id: str
    completion_window: str
    status: BatchStatus
    output_file_id: str | None = Field(description="Answers; null if there is none.")
    error_file_id: str | None = Field(
        description="Requests without a successful answer; null if there is none."
    )
    created_at: int
    in_progress_at: int | None
    expires_at: int
    finalizing_at: int | None
    completed_at: int | None
    failed_at: int | None
    expired_at: int | None
    cancelling_at: int | None
    cancelled_at: int | None
    request_counts: RequestCounts
    usage: Usage
    metadata: dict[str, str] | None


class OpenAIModel(BaseModel):
    """A model of the registry."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class _Page(BaseModel):
    """One page of a list; the next begins ``after`` its ``last_id``."""

    object: Literal["list"] = "list"
    first_id: str | None
    last_id: str | None
    has_more: bool


class FilePage(_Page):
    data: list[File]


class BatchPage(_Page):
    data: list[Batch]


class OpenAIModels(BaseModel):
    object: Literal["list"] = "list"
    data: list[OpenAIModel]


class ExpiresAfter(BaseModel):
    """When a file is deleted, counted from its creation."""

    model_config = ConfigDict(extra="forbid")

    anchor: Literal["created_at"]
    seconds: int


class CreateBatch(BaseModel):
    """Run the requests of a file."""

    model_config = ConfigDict(extra="forbid")

    input_file_id: Id = Field(examples=["file-4f1c0a9be27d"])
    endpoint: Endpoint
    completion_window: Literal["24h"]
    metadata: dict[Text, Text] | None = None
    output_expires_after: ExpiresAfter | None = None


class OpenAIProblem(BaseModel):
    message: str
    type: str = Field(examples=["invalid_request_error"])
    param: str | None
    code: str | None


class OpenAIError(BaseModel):
    """The body of every response of ``/v1`` that is not a success."""

    error: OpenAIProblem
