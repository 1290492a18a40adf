"""What a job's processes import: a benchmark waits for it each time."""

import subprocess
import sys

import pytest

HEAVY = ["sqlalchemy", "fastapi", "vllm", "torch", "transformers"]


@pytest.mark.parametrize("module", ["jobs.driver", "jobs.replica"])
def test_the_processes_of_a_job_import_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
