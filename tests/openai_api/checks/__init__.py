"""The checks, in the order of the table. Importing this makes the suite."""

from openai_api.check import CHECKS
from openai_api.checks import batches, errors, failures, files, lists, models

__all__ = ["CHECKS", "batches", "errors", "failures", "files", "lists", "models"]
