"""Ray's jobs API; the only user of ``JobSubmissionClient``."""

import ray
from click import unstyle
from ray.job_submission import JobStatus, JobSubmissionClient

__all__ = ["JobStatus", "logs", "status", "stop", "submit"]


def _client() -> JobSubmissionClient:
    # The client finds the dashboard of the cluster that this process belongs to through its GCS;
    # the token, if any, comes from RAY_AUTH_TOKEN_PATH.
    return JobSubmissionClient(ray.get_runtime_context().gcs_address)


def _known(client: JobSubmissionClient, job_id: str) -> JobStatus | None:
    try:
        return client.get_job_status(job_id)
    except RuntimeError as error:
        # The client has no type for it, and an id or a port in the text may well contain "404".
        if str(error).startswith("Request failed with status code 404"):
            return None
        raise


def submit(job_id: str, entrypoint: str, metadata: dict[str, str]) -> None:
    """Submit a job whose id is ``job_id``. Asking twice for the same id starts it once."""
    client = _client()
    if _known(client, job_id) is None:
        client.submit_job(entrypoint=entrypoint, submission_id=job_id, metadata=metadata)


def status(job_id: str) -> JobStatus | None:
    """The job's status; none when the cluster does not know it (a new cluster, say)."""
    return _known(_client(), job_id)


def stop(job_id: str) -> None:
    """Ask the job to stop; it is stopped once :func:`status` is terminal."""
    client = _client()
    if _known(client, job_id) is not None:
        client.stop_job(job_id)


def logs(job_id: str) -> str:
    """All that the job's driver printed, without the colours that Ray puts in for terminals."""
    return unstyle(_client().get_job_logs(job_id))
