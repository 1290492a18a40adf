"""A Ray cluster of one machine, with the service on it: started here, and ended here for certain.

Everything binds to loopback where Ray allows it; where it does not (GCS, raylet), Ray's token
authentication keeps strangers out.
"""

import ipaddress
import json
import os
import random
import secrets
import shutil
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

from cluster import haproxy
from cluster.aside import ray_steps_aside
from cluster.session import MARKER, Session, end
from cluster.settings import REPOSITORY, Settings

API_KEY = "BENCHMARK_RUNNER_API_KEY"
"""The variable from which the command line takes the key that it sends."""
SERVE_CONFIG = REPOSITORY / "configs" / "serve.yaml"
_DASHBOARD_PORT = 8265
# For HAProxy and Serve's fallback, and for replicas: those before and after an upgrade overlap.
_PROXY_PORTS = 68
_START_SECONDS = 120.0
_LOOK_SECONDS = 1.0
# Rows never pass through the object store, so it need not take 30 % of the memory.
_OBJECT_STORE_BYTES = 512 * 2**20


class LaunchError(Exception):
    """The service cannot start; the message says why and what to do."""


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
        with _dashboard_port() as dashboard_port, _ray(settings, dashboard_port) as session:
            _deploy(settings, session)
            ray_steps_aside(session)
            yield session


def wait_for_end(session: Session) -> None:
    """Return when Ray has ended: one of its processes was killed, and with it went the others."""
    host, port = session.ray_address.split(":")
    while not _is_free(host, int(port)):
        time.sleep(_LOOK_SECONDS)


def current(settings: Settings) -> Session | None:
    """The session of the service that runs on this data folder, if one does."""
    try:
        session = Session.model_validate_json(_file(settings).read_text())
    except FileNotFoundError:
        return None
    return session if psutil.pid_exists(session.pid) else None


@contextmanager
def _dashboard_port() -> Generator[int]:
    """Where Ray's own tools look first, if that is free, for one service of the machine at a time.

    Two that start at once would both find it free, and one would talk to the other's dashboard. An
    abstract socket is a claim that ends with its process, however that ends.
    """
    with socket.socket(socket.AF_UNIX) as claim:
        try:
            claim.bind(f"\0benchmark-runner-{_DASHBOARD_PORT}")
            claimed = _is_free("127.0.0.1", _DASHBOARD_PORT)
        except OSError:
            claimed = False
        yield _DASHBOARD_PORT if claimed else free_ports(1)[0]


@contextmanager
def _ray(settings: Settings, dashboard_port: int) -> Generator[Session]:
    # Sockets lie below it, and the path of a socket may have about 100 characters: hence neither
    # the data folder nor a longer name.
    ray_folder = Path(tempfile.mkdtemp(prefix="br-", dir="/tmp"))
    ports = {"dashboard-port": dashboard_port}
    ports |= dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
    session = Session(
        id=secrets.token_hex(8),
        pid=os.getpid(),
        ray_folder=ray_folder,
        ray_address=f"127.0.0.1:{ports['port']}",
        dashboard_url=f"http://127.0.0.1:{ports['dashboard-port']}",
        service_url=f"http://{_reachable(settings.host)}:{settings.port}",
        token_file=ray_folder / "token",
    )
    _temporary(session).mkdir()
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
    "dashboard-agent-listen-port",
    "dashboard-agent-grpc-port",
    "runtime-env-agent-port",
    "metrics-export-port",
    "ray-client-server-port",
    "node-manager-port",
    "object-manager-port",
)


def _reachable(host: str) -> str:
    """The address at which this machine reaches a service that listens to ``host``, as in a URL."""
    if host == "localhost":
        return host
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        address = ipaddress.ip_address("::1" if address.version == 6 else "127.0.0.1")
    return f"[{address}]" if address.version == 6 else str(address)


def _temporary(session: Session) -> Path:
    return session.ray_folder / "tmp"


def _environment(settings: Settings, session: Session) -> dict[str, str]:
    # The key of a client in the same shell is nothing for the service's processes.
    inherited = {name: value for name, value in os.environ.items() if name != API_KEY}
    return {
        **inherited,
        **session.client_environment(),
        # Ray's own processes are told their address; this variable would make workers guess.
        "RAY_ADDRESS": session.ray_address,
        MARKER: session.id,
        # Killed engines leave sockets and folders behind, which go with the session so.
        "TMPDIR": str(_temporary(session)),
        # `python` in an entry point is this one, also where no virtual environment is active.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "BENCHMARK_RUNNER_DATA_FOLDER": str(settings.data_folder.resolve()),
        "BENCHMARK_RUNNER_MODELS_FOLDER": str(settings.models_folder.resolve()),
        "BENCHMARK_RUNNER_KEYLESS": str(int(settings.is_local)),
        "RAY_USAGE_STATS_ENABLED": "0",
        # Metrics of Ray's dashboard and autoscaler, which answer anybody on all interfaces and have
        # no other switch: with a port that is none, they are not served.
        "DASHBOARD_METRIC_PORT": "-1",
        "AUTOSCALER_METRIC_PORT": "-1",
        # The node's agent would do the same; our own metrics are at /metrics, behind the keys.
        "RAY_enable_metrics_collection": "0",
        # Workers run at nice 15 otherwise, and vLLM's engine inherits it: 0.91 of the raw speed
        # instead of 0.98 on a busy machine.
        "RAY_worker_niceness": "0",
        # Ten looks a second at what hardly changes took 3 % of a core.
        "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.5",
        # When a worker is killed, what it started goes with it: vLLM's engine holds the GPU's
        # memory, and would keep it.
        "RAY_process_group_cleanup_enabled": "1",
        # The environment that is installed is the one to run in, also under `uv run`.
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
        **haproxy.environment(session.ray_folder, _free_range(_PROXY_PORTS)),
    }


def _wait_for_dashboard(session: Session, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until its parts answer, too: it listens before they are up, and some of them may never be."""
    deadline = time.monotonic() + _START_SECONDS
    token = session.token_file.read_text().strip()
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=5) as client:
        while not _answers(client, f"{session.dashboard_url}/api/serve/applications/"):
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
    with api, httpx.Client(timeout=5) as service:
        while refusal := _refusal(api, config):
            if time.monotonic() > deadline:
                raise LaunchError(f"Ray Serve refused the application: {refusal}")
            time.sleep(0.5)
        while not _answers(service, f"{session.service_url}/health"):
            details = api.get("/api/serve/applications/").json()
            states = details.get("applications", {})
            for name, state in states.items():
                if state["status"] in ("DEPLOY_FAILED", "UNHEALTHY"):
                    raise LaunchError(f"{name}: {state['message']}")
            if time.monotonic() > deadline:
                raise LaunchError(f"The service did not answer: {json.dumps(states)[:2000]}")
            time.sleep(0.2)


def _refusal(api: httpx.Client, config: dict[str, Any]) -> str | None:
    try:
        answer = api.put("/api/serve/applications/", json=config)
    except httpx.TransportError as error:
        return repr(error)
    return None if answer.is_success else answer.text[:2000]


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == 200
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


def _file(settings: Settings) -> Path:
    return settings.data_folder.resolve() / "session.json"


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) != 0


def free_ports(count: int) -> list[int]:
    """Ports that nobody has now, all different.

    They lie below the ephemeral ones, of which any connection may take one before the process that
    it was meant for listens on it, and above those of Ray's workers (10002 to 19999).
    """
    ports: set[int] = set()
    while len(ports) < count:
        port = random.randrange(26_000, 32_000)
        if _is_free("127.0.0.1", port):
            ports.add(port)
    return list(ports)


def _free_range(count: int) -> range:
    """Consecutive ports below the ephemeral ones that nobody has now."""
    while True:
        first = random.randrange(20_000, 26_000 - count)
        if all(_is_free("127.0.0.1", port) for port in range(first, first + count)):
            return range(first, first + count)
