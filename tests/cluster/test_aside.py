"""What looks after benchmarks leaves the cores of an engine on CPU alone."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from cluster import aside
from cluster.session import Session

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
    assert process.nice() == max(os.nice(0), aside.NICENESS)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no niceness")
def test_a_thread_gives_way_alone() -> None:
    with ThreadPoolExecutor(1, initializer=aside.thread_steps_aside) as executor:
        assert executor.submit(niceness).result() == max(niceness(), aside.NICENESS)
    assert niceness() < aside.NICENESS


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_a_process_that_has_ended_meanwhile_is_passed_over(
    process: psutil.Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = psutil.Popen([sys.executable, "-c", ""])
    ended.wait()
    monkeypatch.setattr(aside, "processes", lambda _: [ended, process])
    monkeypatch.setattr(aside, "command", lambda _: "gcs_server")
    moved: list[int] = []
    step_aside = aside.step_aside

    def noted(of: psutil.Process) -> None:
        step_aside(of)
        moved.append(of.pid)

    monkeypatch.setattr(aside, "step_aside", noted)
    aside.ray_steps_aside(Session.model_construct())
    assert moved == [process.pid]


@pytest.mark.skipif(len(CORES) < 2, reason="there is nowhere to step aside to")
def test_a_replica_that_has_stepped_aside_moves_the_helpers_beside_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(aside, "_NVIDIA", tmp_path / "none")
    # A raylet, with a replica, two helpers and a worker that may become an engine.
    worker = "import setproctitle, time; setproctitle.setproctitle({!r}); print(); time.sleep(60)"
    replica = """
import os, sys, psutil
from pathlib import Path
from cluster import aside
aside._NVIDIA = Path(sys.argv[1])
aside.step_aside()
aside.helpers_step_aside()
"""
    raylet = f"""
import subprocess, sys
titles = ["ray::_StatsActor", "ray::tracker:TrackerActor.report", "ray::MapWorker(Replica)"]
command = [sys.executable, "-uc"]
workers = [
    subprocess.Popen([*command, {worker!r}.format(title)], stdout=subprocess.PIPE)
    for title in titles
]
[worker.stdout.readline() for worker in workers]
subprocess.run([*command, {replica!r}, sys.argv[1]], check=True)
import os
print([sorted(os.sched_getaffinity(worker.pid)) for worker in workers])
[worker.kill() for worker in workers]
"""
    done = subprocess.run(
        [sys.executable, "-c", raylet, str(tmp_path / "none")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str([[max(CORES)], [max(CORES)], sorted(CORES)])


def test_where_engines_are_on_gpus_nothing_moves(
    process: psutil.Process, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(aside, "_NVIDIA", tmp_path)
    aside.step_aside(process)
    assert cores(process) == [CORES] * 2
