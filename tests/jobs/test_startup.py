"""What a job's processes import: a benchmark waits for it each time."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["jobs.driver", "jobs.replica"])
@pytest.mark.parametrize("heavy", ["sqlalchemy", "fastapi", "vllm", "torch", "transformers"])
def test_the_processes_of_a_job_do_not_import(module: str, heavy: str) -> None:
    code = f"import sys, {module}; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
