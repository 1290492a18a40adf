"""What the import of another system's results says."""

from pydantic import BaseModel, Field


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
