"""What looks after benchmarks leaves the cores of an engine on CPU alone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cluster import aside

CORES = os.sched_getaffinity(0)
# A thread beside the main one, as servers have many.
CODE = "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start(); print()"


@pytest.fixture
def process() -> Iterator[psutil.Process]:
    with subprocess.Popen(
        [sys.executable, "-uc", f"{CODE}; time.sleep(60)"], stdout=subprocess.PIPE
    ) as started:
        assert started.stdout is not None
        started.stdout.readline()
        yield psutil.Process(started.pid)
        started.kill()


def cores(process: psutil.Process) -> list[set[int]]:
    return [os.sched_getaffinity(thread.id) for thread in process.threads()]


@pytest.mark.skipif(len(CORES) < 2, reason="there is nowhere to step aside to")
def test_all_threads_move_to_the_core_that_vllm_leaves_free(
    process: psutil.Process, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(aside, "_NVIDIA", tmp_path / "none")
    assert len(process.threads()) == 2
    aside.step_aside(process)
    assert cores(process) == [{max(CORES)}] * 2


def test_where_engines_are_on_gpus_nothing_moves(
    process: psutil.Process, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(aside, "_NVIDIA", tmp_path)
    aside.step_aside(process)
    assert cores(process) == [CORES] * 2
