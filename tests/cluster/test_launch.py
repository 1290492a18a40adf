"""Starting and ending: what needs no Ray."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from cluster import launch
from cluster.launch import LaunchError, current, service
from cluster.session import Session, end
from cluster.settings import REPOSITORY, settings

Sleeper = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def sleeper() -> Iterator[Sleeper]:
    """Start a process that sleeps, with more environment variables."""
    started: list[subprocess.Popen[bytes]] = []

    def start(environment: dict[str, str], first: str = "") -> "subprocess.Popen[bytes]":
        code = f"from signal import *; import time; {first}; print(flush=True); time.sleep(60)"
        command = [sys.executable, "-c", code.replace("; ;", ";")]
        process = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def session_of(folder: Path, pid: int) -> Session:
    return Session(
        id=secrets.token_hex(8),  # tests that run beside this one end their own processes only
        pid=pid,
        ray_folder=folder,
        ray_address="127.0.0.1:1",
        dashboard_url="http://127.0.0.1:2",
        service_url="http://127.0.0.1:3",
        token_file=folder / "token",
    )


def leave_behind(data_folder: Path, session: Session) -> None:
    data_folder.mkdir(exist_ok=True)
    (data_folder / "session.json").write_text(session.model_dump_json())


def test_a_taken_port_is_said_before_anything_starts(configure: Callable[..., None]) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        configure(port=port)
        with (
            pytest.raises(LaunchError, match=f"Port {port} is taken.*PORT=8001"),
            service(settings()),
        ):
            pass
    assert current(settings()) is None


def test_two_services_on_one_data_folder_are_refused(data_folder: Path) -> None:
    data_folder.mkdir()
    with (
        FileLock(data_folder / "service.lock"),
        pytest.raises(LaunchError, match=r"running on .* already.*DATA_FOLDER"),
        service(settings()),
    ):
        pass


def test_only_marked_processes_are_ended(tmp_path: Path, sleeper: Sleeper) -> None:
    session = session_of(tmp_path, os.getpid())
    ours = sleeper({"BENCHMARK_RUNNER_SESSION": session.id})
    another_session = sleeper({"BENCHMARK_RUNNER_SESSION": "fedcba9876543210"})
    stranger = sleeper({})
    end(session)
    assert not psutil.pid_exists(ours.pid)
    assert psutil.pid_exists(another_session.pid)
    assert psutil.pid_exists(stranger.pid)


def test_a_process_whose_title_has_overwritten_the_marker_is_ended(
    tmp_path: Path, sleeper: Sleeper
) -> None:
    session = session_of(tmp_path, os.getpid())
    code = "from ray._raylet import setproctitle; import time; setproctitle('ray::Agent'); "
    out = tmp_path / "agent.out"
    with out.open("wb") as log:
        ours = subprocess.Popen(
            [sys.executable, "-c", code + "print('ready', flush=True); time.sleep(60)"],
            # As short as that of a service that was started from an empty environment.
            env={"BENCHMARK_RUNNER_SESSION": session.id},
            stdout=log,
        )
    while b"ready" not in out.read_bytes():
        assert ours.poll() is None
        time.sleep(0.05)
    assert session.id.encode() not in Path(f"/proc/{ours.pid}/environ").read_bytes()
    # A shell in which somebody has used `benchmark-runner env`, and reads a log.
    reads = f"log = open({str(out)!r})"
    stranger = sleeper({"RAY_AUTH_TOKEN_PATH": f"{tmp_path}/token"}, reads)
    end(session)
    assert not psutil.pid_exists(ours.pid)
    ours.wait()
    assert psutil.pid_exists(stranger.pid)


def test_a_process_that_ignores_the_polite_signal_is_ended(
    tmp_path: Path, sleeper: Sleeper
) -> None:
    session = session_of(tmp_path, os.getpid())
    deaf = sleeper({"BENCHMARK_RUNNER_SESSION": session.id}, "signal(SIGTERM, SIG_IGN)")
    end(session)
    assert not psutil.pid_exists(deaf.pid)


def test_what_a_killed_launcher_left_is_ended_at_the_next_start(
    data_folder: Path, tmp_path: Path, sleeper: Sleeper
) -> None:
    folder = tmp_path / "br-left"
    folder.mkdir()
    session = session_of(folder, pid=1)
    leave_behind(data_folder, session)
    orphan = sleeper({"BENCHMARK_RUNNER_SESSION": session.id})
    launch._end_leftovers(settings())
    assert not psutil.pid_exists(orphan.pid)
    assert not folder.exists()


def test_the_running_session_is_found(data_folder: Path, tmp_path: Path) -> None:
    assert current(settings()) is None
    leave_behind(data_folder, session_of(tmp_path, os.getpid()))
    found = current(settings())
    assert found is not None
    assert found.client_environment()["RAY_AUTH_TOKEN_PATH"] == str(tmp_path / "token")


def test_a_session_whose_launcher_is_gone_is_none(data_folder: Path, tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not psutil.pid_exists(ended.pid)
    leave_behind(data_folder, session_of(tmp_path, ended.pid))
    assert current(settings()) is None


def test_the_guard_ends_what_a_killed_launcher_left(
    data_folder: Path, tmp_path: Path, sleeper: Sleeper
) -> None:
    folder = tmp_path / "br-ray"
    folder.mkdir()
    session = session_of(folder, pid=1)
    leave_behind(data_folder, session)
    orphan = sleeper({"BENCHMARK_RUNNER_SESSION": session.id})
    guard = subprocess.Popen(
        [sys.executable, "-m", "cluster.guard", str(data_folder / "session.json")],
        stdin=subprocess.PIPE,
        cwd=REPOSITORY,
    )
    try:
        assert orphan.poll() is None
        # As when the launcher, which holds the other end, is killed.
        guard.communicate(timeout=60)
        assert orphan.wait(timeout=60) != 0
        assert not folder.exists()
    finally:
        guard.kill()
        guard.wait()


def test_of_services_that_start_at_once_one_gets_ray_s_usual_dashboard_port() -> None:
    with launch._dashboard_port() as first, launch._dashboard_port() as second:
        assert second not in (first, launch._DASHBOARD_PORT)
