"""What is made of Ray's answers about jobs."""

import pytest

from cluster import ray_jobs


def test_a_log_has_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    class Client:
        def get_job_logs(self, job_id: str) -> str:
            return f"\x1b[36m(MapWorker pid=7)\x1b[0m {job_id}: \x1b[1m\x1b[32mloaded\x1b[39m\n"

    monkeypatch.setattr(ray_jobs, "_client", Client)
    assert ray_jobs.logs("bm_1") == "(MapWorker pid=7) bm_1: loaded\n"
