"""A Ray cluster of one machine, with the service on it: started here, and ended here for certain.

Everything binds to loopback where Ray allows it; where it does not (GCS, raylet), Ray's token
authentication keeps strangers out. Every process that is started carries a marker in its
environment, and only processes with the marker are ever ended.
"""

import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml
from filelock import FileLock, Timeout
from pydantic import BaseModel

from cluster import haproxy
from cluster.settings import REPOSITORY, Settings

SERVE_CONFIG = REPOSITORY / "configs" / "serve.yaml"
_MARKER = "BENCHMARK_RUNNER_SESSION"
_DASHBOARD_PORT = 8265
# For HAProxy and Serve's fallback, and for replicas: those before and after an upgrade overlap.
_PROXY_PORTS = 68
_START_SECONDS = 120.0
# Rows never pass through the object store, so it need not take 30 % of the memory.
_OBJECT_STORE_BYTES = 512 * 2**20


class LaunchError(Exception):
    """The service cannot start; the message says why and what to do."""


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


@contextmanager
def service(settings: Settings) -> Generator[Session]:
    """Ray and the Serve application, running while the block runs.

    Raises:
        LaunchError: a port is taken, another service uses the data folder, or Ray did not start.
    """
    folder = settings.data_folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(folder / "service.lock").acquire(timeout=0)
    except Timeout:
        raise LaunchError(
            f"A service is running on {folder} already: see {_file(settings)}. Stop it first, or "
            "set BENCHMARK_RUNNER_DATA_FOLDER to another folder."
        ) from None
    with lock:
        _end_leftovers(settings)
        if not _is_free(settings.host, settings.port):
            raise LaunchError(
                f"Port {settings.port} is taken. Stop what listens there, or choose another: "
                "make demo PORT=8001"
            )
        with _ray(settings) as session:
            _deploy(settings, session)
            yield session


def current(settings: Settings) -> Session | None:
    """The session of the service that runs on this data folder, if one does."""
    try:
        session = Session.model_validate_json(_file(settings).read_text())
    except FileNotFoundError:
        return None
    return session if psutil.pid_exists(session.pid) else None


@contextmanager
def _ray(settings: Settings) -> Generator[Session]:
    # Sockets lie below it, and the path of a socket may have about 100 characters: hence neither
    # the data folder nor a longer name.
    ray_folder = Path(tempfile.mkdtemp(prefix="br-", dir="/tmp"))
    ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
    if _is_free("127.0.0.1", _DASHBOARD_PORT):
        ports["dashboard-port"] = _DASHBOARD_PORT  # where Ray's own tools look first
    session = Session(
        id=secrets.token_hex(8),
        pid=os.getpid(),
        ray_folder=ray_folder,
        ray_address=f"127.0.0.1:{ports['port']}",
        dashboard_url=f"http://127.0.0.1:{ports['dashboard-port']}",
        service_url=f"http://{settings.host}:{settings.port}",
        token_file=ray_folder / "token",
    )
    session.token_file.touch(mode=0o600)
    session.token_file.write_text(secrets.token_hex(32))
    command = [
        *(sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"),
        *("--node-ip-address=127.0.0.1", "--dashboard-host=127.0.0.1", "--disable-usage-stats"),
        *(f"--{name}={port}" for name, port in ports.items()),
        f"--temp-dir={ray_folder}",
        f"--object-store-memory={_OBJECT_STORE_BYTES}",
    ]
    _file(settings).write_text(session.model_dump_json(indent=2))
    log_file = ray_folder / "start.log"
    with log_file.open("wb") as log:
        environment = _environment(settings, session)
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for this process, which then ends the others in order.
            start_new_session=True,
        )
    guard = subprocess.Popen(
        [sys.executable, "-m", "cluster.guard", str(_file(settings))],
        env=environment,
        cwd=REPOSITORY,
        # Nothing is written to it: it closes with this process, however this process ends.
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for_dashboard(session, process, log_file)
        yield session
    finally:
        end(session)
        process.wait()
        guard.communicate()
        shutil.rmtree(ray_folder, ignore_errors=True)
        _file(settings).unlink(missing_ok=True)


_PORTS = (
    "port",
    "dashboard-port",
    "dashboard-agent-listen-port",
    "dashboard-agent-grpc-port",
    "runtime-env-agent-port",
    "metrics-export-port",
    "ray-client-server-port",
    "node-manager-port",
    "object-manager-port",
)


def _environment(settings: Settings, session: Session) -> dict[str, str]:
    return {
        **os.environ,
        **session.client_environment(),
        # Ray's own processes are told their address; this variable would make workers guess.
        "RAY_ADDRESS": session.ray_address,
        _MARKER: session.id,
        # `python` in an entry point is this one, also where no virtual environment is active.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "BENCHMARK_RUNNER_DATA_FOLDER": str(settings.data_folder.resolve()),
        "BENCHMARK_RUNNER_MODELS_FOLDER": str(settings.models_folder.resolve()),
        "RAY_USAGE_STATS_ENABLED": "0",
        # Workers run at nice 15 otherwise, and vLLM's engine inherits it: 0.91 of the raw speed
        # instead of 0.98 on a busy machine.
        "RAY_worker_niceness": "0",
        # When a worker is killed, what it started goes with it: vLLM's engine holds the GPU's
        # memory, and would keep it.
        "RAY_process_group_cleanup_enabled": "1",
        # The environment that is installed is the one to run in, also under `uv run`.
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
        **haproxy.environment(session.ray_folder, _free_range(_PROXY_PORTS)),
    }


def _wait_for_dashboard(session: Session, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    host, port = session.dashboard_url.removeprefix("http://").split(":")
    while _is_free(host, int(port)):
        if process.poll() is not None or time.monotonic() > deadline:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise LaunchError(f"Ray did not start:\n{tail}")
        time.sleep(0.2)


def _deploy(settings: Settings, session: Session) -> None:
    """Deploy ``configs/serve.yaml`` through Ray's REST API and wait until it answers."""
    config: dict[str, Any] = yaml.safe_load(SERVE_CONFIG.read_text())
    config["http_options"] = {"host": settings.host, "port": settings.port}
    token = session.token_file.read_text().strip()
    api = httpx.Client(
        base_url=session.dashboard_url, headers={"Authorization": f"Bearer {token}"}, timeout=60
    )
    deadline = time.monotonic() + _START_SECONDS
    with api:
        while True:
            answer = api.put("/api/serve/applications/", json=config)
            if answer.is_success:
                break
            # The dashboard listens before all of its parts are up.
            if time.monotonic() > deadline:
                raise LaunchError(f"Ray Serve refused the application: {answer.text[:2000]}")
            time.sleep(0.5)
        while not _answers(session.service_url):
            details = api.get("/api/serve/applications/").json()
            states = details.get("applications", {})
            for name, state in states.items():
                if state["status"] in ("DEPLOY_FAILED", "UNHEALTHY"):
                    raise LaunchError(f"{name}: {state['message']}")
            if time.monotonic() > deadline:
                raise LaunchError(f"The service did not answer: {json.dumps(states)[:2000]}")
            time.sleep(0.2)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def _end_leftovers(settings: Settings) -> None:
    """End what a launcher that was killed could not end itself."""
    try:
        session = Session.model_validate_json(_file(settings).read_text())
    except FileNotFoundError:
        return
    end(session)
    shutil.rmtree(session.ray_folder, ignore_errors=True)


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


def processes(session: Session) -> list[psutil.Process]:
    """The processes of a session that are alive, however they came to be."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get(_MARKER) == session.id and process.pid != os.getpid()
            # A dead process that its parent has not looked after yet cannot be ended any more.
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


def _signal(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def _file(settings: Settings) -> Path:
    return settings.data_folder.resolve() / "session.json"


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) != 0


def free_ports(count: int) -> list[int]:
    """Ports that nobody has now, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _free_range(count: int) -> range:
    """Consecutive ports below the ephemeral ones that nobody has now."""
    while True:
        first = random.randrange(20_000, 32_000 - count)
        if all(_is_free("127.0.0.1", port) for port in range(first, first + count)):
            return range(first, first + count)
