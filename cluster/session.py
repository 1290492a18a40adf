"""A session: one run of the service, and how its processes are found and ended.

Every process that is started carries a marker in its environment, and only processes with the
marker are ever ended.
"""

import os
import signal
import time
from pathlib import Path

import psutil
from pydantic import BaseModel

MARKER = "BENCHMARK_RUNNER_SESSION"


class Session(BaseModel):
    """A running cluster as others find it, in ``<data folder>/session.json``."""

    id: str
    pid: int
    ray_folder: Path
    ray_address: str
    dashboard_url: str
    service_url: str
    token_file: Path

    def client_environment(self) -> dict[str, str]:
        """What ``ray job submit`` and the like need in their environment."""
        return {
            "RAY_ADDRESS": self.dashboard_url,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(self.token_file),
        }


def processes(session: Session) -> list[psutil.Process]:
    """The processes of a session that are alive, however they came to be."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            ours = _carries_mark(process.environ(), session) and process.pid != os.getpid()
            # A dead process that its parent has not looked after yet cannot be ended any more.
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


def end(session: Session) -> None:
    """End every process of the session: politely, then for certain."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        alive = processes(session)
        for process in alive:
            _signal(process, number)
        psutil.wait_procs(alive, timeout=5)
    # Ray's processes may have started others in the meantime.
    while alive := processes(session):
        for process in alive:
            _signal(process, signal.SIGKILL)
        time.sleep(0.1)


def _carries_mark(environment: dict[str, str], session: Session) -> bool:
    """Whether a process was started by this session.

    Some of Ray's give themselves a title, which overwrites the beginning of their environment, and
    with it perhaps the marker: what only the session's own processes have counts as well.
    """
    return environment.get(MARKER) == session.id or any(
        name.startswith("RAY_SERVE_HAPROXY_") and value.startswith(f"{session.ray_folder}/")
        for name, value in environment.items()
    )


def _signal(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
