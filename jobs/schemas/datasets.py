"""Datasets as the API shows them."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from jobs.schemas.requests import Endpoint


class Kind(StrEnum):
    """What a benchmark or a dataset is for."""

    ORDINARY = "ordinary"
    JUDGE = "judge"
    """Made by the service, to have answers judged by a model."""


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
