"""Whether a file can be run as a batch: what is wrong with which line, or the model to run.

Bad lines are known since the upload. Here the good ones are held against the batch: its endpoint,
its limits, and that they name one model, which the registry has.
"""

from dataclasses import dataclass, field

import duckdb

from cluster.database import session
from cluster.settings import settings
from cluster.storage import storage
from jobs import files, queries, registry, request_file
from jobs.batch_errors import URL_MISMATCH, of_batch, of_line
from jobs.errors import NotFound
from jobs.models import BatchRow, FileRow
from jobs.schemas.openai import BatchError, Purpose
from jobs.schemas.requests import Endpoint, LineError

_ENDPOINT_NAMES = {
    Endpoint.CHAT.value: "Chat Completions",
    Endpoint.COMPLETIONS.value: "Completions",
    Endpoint.EMBEDDINGS.value: "Embeddings",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Errors, or else what to run."""

    errors: list[BatchError] = field(default_factory=list[BatchError])
    model: str = ""
    dataset_id: str = ""


def judge(batch: BatchRow) -> Verdict:
    """Look through the batch's input file."""
    try:
        with session() as sql:
            file = files.row(sql, batch.input_file_id)
    except NotFound:
        message = f"Cannot find file {batch.input_file_id}: it does not exist or was deleted."
        return Verdict([of_batch("invalid_request", message, "file_id")])
    if file.purpose != Purpose.BATCH.value:
        message = f"File {file.id} has the purpose '{file.purpose}'; a batch's is 'batch'."
        return Verdict([of_batch("invalid_file_purpose", message, "file_id")])
    if file.bytes > settings().batch_max_bytes:
        message = f"The file is larger than {settings().batch_max_bytes:,} bytes."
        return Verdict([of_batch("file_too_large", message, "file_id")])
    most = settings().max_reported_errors
    bad = [of_line(LineError.model_validate(error)) for error in file.errors or []]
    with queries.connect() as db:
        path = storage().url(_requests_key(file))
        db.execute("SET VARIABLE requests = $1", [path])
        db.execute(
            "CREATE TEMP VIEW requests AS SELECT * FROM read_parquet(getvariable('requests'))"
        )
        count, first = queries.one(db, "SELECT count(*), arg_min(model, line) FROM requests")
        if count == 0 and not bad:
            return Verdict([of_batch("empty_file", "The file contains no request.")])
        if count > settings().batch_max_requests:
            limit = settings().batch_max_requests
            message = f"The file has {count:,} requests; a batch may have {limit:,}."
            return Verdict([of_batch("too_many_tasks", message)])
        errors = sorted([*bad, *_unfit(db, batch.endpoint, first, most)], key=lambda e: e.line or 0)
    if errors:
        return Verdict(errors[:most])
    assert file.dataset_id is not None, "a file without bad lines is a dataset"
    return Verdict(model=first, dataset_id=file.dataset_id)


def _requests_key(file: FileRow) -> str:
    return request_file.key(file.key.split("/")[1])


def _unfit(
    db: duckdb.DuckDBPyConnection, endpoint: str, first: str | None, most: int
) -> list[BatchError]:
    """Lines that are right, but not for a batch of this endpoint and one model."""
    known = {model.model_id for model in registry.all_models()}
    rows = db.execute(
        """
        WITH judged AS (
            SELECT line, model, url != $endpoint AS other_url, model IS NULL AS no_model,
                   NOT list_contains($known, model) AS unknown_model,
                   model != $first AS other_model,
                   CASE WHEN contains(body, '"stream"')
                        THEN json_extract_string(body, '$.stream') = 'true' END AS streams
            FROM requests
        )
        SELECT * FROM judged
        WHERE other_url OR no_model OR unknown_model OR other_model OR streams
        ORDER BY line LIMIT $most
        """,
        {"endpoint": endpoint, "known": sorted(known), "first": first, "most": most},
    ).fetchall()
    errors: list[BatchError] = []
    for line, model, other_url, no_model, unknown_model, other_model, streams in rows:
        if other_url:
            errors.append(_error(line, "invalid_url", f"{URL_MISMATCH} It is {endpoint}.", "url"))
        if no_model:
            message = "Model parameter is required."
            errors.append(_error(line, "invalid_request", message, "body.model"))
        elif unknown_model:
            message = (
                f"The provided model '{model}' is not supported by the Batch API. "
                f"Known: {', '.join(sorted(known))}."
            )
            errors.append(_error(line, "model_not_found", message, "body.model"))
        elif other_model:
            message = (
                f"The provided model '{model}' does not match the rest of the batch ('{first}'). "
                "Each batch must contain requests for a single model."
            )
            errors.append(_error(line, "mismatched_model", message, "body.model"))
        if streams:
            message = f"{_ENDPOINT_NAMES[endpoint]}: Streaming is not supported in the Batch API."
            errors.append(_error(line, "streaming_unsupported", message, "body.stream"))
    return errors


def _error(line: int, code: str, message: str, param: str) -> BatchError:
    return BatchError(code=code, message=message, param=param, line=line)
