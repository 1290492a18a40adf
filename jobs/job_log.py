"""The log of a benchmark's job: what its driver and its replicas printed.

Ray keeps it for as long as the cluster lives. Each attempt has a job, and so a log, of its own.
"""

from pydantic import BaseModel, Field

from cluster import ray_jobs
from cluster.database import session
from cluster.logs import hide
from jobs import benchmarks

MOST_LINES = 5000


class JobLog(BaseModel):
    """A piece of a log. Ask again from `next` for what has been added since."""

    benchmark_id: str
    job_id: str | None = Field(description="The Ray job of the newest attempt; none before any.")
    lines: list[str]
    first: int = Field(description="Number of the first line here, counted from 0.")
    next: int = Field(description="Number of the line after the last one here.")
    total: int = Field(description="Lines that there are now.")
    available: bool = Field(description="False when the cluster knows the job no more.")


def read(benchmark_id: str, start: int | None, limit: int) -> JobLog:
    """``limit`` lines from number ``start`` on, or the last ones without it.

    Raises:
        NotFound: there is no such benchmark.
    """
    with session() as sql:
        job_id = benchmarks.row(sql, benchmark_id).job_id
    known = job_id is not None and ray_jobs.status(job_id) is not None
    said = hide(ray_jobs.logs(job_id)).splitlines() if known and job_id is not None else []
    first = max(0, len(said) - limit) if start is None else min(start, len(said))
    lines = said[first : first + limit]
    return JobLog(
        benchmark_id=benchmark_id,
        job_id=job_id,
        lines=lines,
        first=first,
        next=first + len(lines),
        total=len(said),
        available=known,
    )
