"""Everything that can go wrong by a user's doing or a state of the world, as one tree.

    BenchmarkRunnerError
    ├── NotFound              404  dataset_not_found, model_not_found, benchmark_not_found,
    │                              result_not_found, ballot_not_found, file_not_found,
    │                              batch_not_found
    ├── Conflict              409  dataset_in_use, dataset_deleted, benchmark_live, …
    ├── NotReady              409  not_ready: ask again, details say how far it is
    ├── InvalidDataset        422  invalid_dataset: line-numbered details
    ├── InvalidRequest        422  the request is well formed but cannot be done
    ├── InvalidParameter      400  of the OpenAI API: a parameter is missing or out of bounds
    └── TooLarge              413  the upload exceeds a limit

Each carries a stable ``code`` for programs and a sentence for people. ``serve_app`` turns them
into responses; ``jobs`` never sees HTTP.
"""

from typing import Any


class BenchmarkRunnerError(Exception):
    """Base class. ``status`` is the HTTP status that says the same."""

    status = 500

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


class NotFound(BenchmarkRunnerError):
    status = 404


class Conflict(BenchmarkRunnerError):
    status = 409


class NotReady(Conflict):
    """What was asked for is being prepared; ``details["progress"]`` is the share done, 0 to 1."""


class TooLarge(BenchmarkRunnerError):
    status = 413


class InvalidRequest(BenchmarkRunnerError):
    status = 422


class InvalidParameter(InvalidRequest):
    """A parameter of the OpenAI API, named in ``details["param"]``."""

    status = 400

    def __init__(self, code: str, message: str, param: str) -> None:
        super().__init__(code, message, param=param)


class InvalidDataset(InvalidRequest):
    """A dataset file that breaks the format; ``details`` name the lines."""
