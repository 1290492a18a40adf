"""A session: one run of the service, and how its processes are found and ended.

Every process that is started carries a marker in its environment, or has a title of Ray's or vLLM's
and logs of the session open; no others are ever ended.
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil
from pydantic import BaseModel

MARKER = "BENCHMARK_RUNNER_SESSION"
_TITLES = (b"ray::", b"ray-", b"VLLM::")


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
            ours = _is_of(process, session) and process.pid != os.getpid()
            # A dead process that its parent has not looked after yet cannot be ended any more.
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (OSError, psutil.NoSuchProcess):  # somebody else's, or just gone
            continue
    return found


def command(process: psutil.Process) -> str:
    """Its command line; empty where it has just ended, or is somebody else's."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


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


def _is_of(process: psutil.Process, session: Session) -> bool:
    """Whether a process was started by this session.

    Some of Ray's, and vLLM's engines, give themselves a title, which can overwrite the marker with
    the rest of their environment. They have logs of the session open.
    """
    folder = Path("/proc") / str(process.pid)
    if f"{MARKER}={session.id}".encode() in (folder / "environ").read_bytes().split(b"\0"):
        return True
    if not (folder / "cmdline").read_bytes().startswith(_TITLES):
        return False
    for opened in (folder / "fd").iterdir():
        with suppress(FileNotFoundError):  # closed in this moment
            if str(opened.readlink()).startswith(f"{session.ray_folder}/"):
                return True
    return False


def _signal(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
