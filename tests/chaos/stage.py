"""A service of its own process, with a second Ray node, that can be killed as a whole."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
import yaml

from cluster import launch
from cluster.session import Session, command, processes
from cluster.settings import REPOSITORY, Settings

T = TypeVar("T")
Json = dict[str, Any]

# Not a measure of anything: a benchmark that makes no progress for so long hangs.
PATIENCE_SECONDS = 300.0
_NODE_PORTS = (
    "node-manager-port",
    "object-manager-port",
    "dashboard-agent-listen-port",
    "dashboard-agent-grpc-port",
    "runtime-env-agent-port",
    "metrics-export-port",
)


class Stage:
    """Where the play is given; everything lies in ``folder``."""

    def __init__(self, folder: Path, models: list[Json], *, two_nodes: bool) -> None:
        self.ledger = folder / "ledger"
        self.log = folder / "service.log"
        self._two_nodes = two_nodes
        models_folder = folder / "models"
        models_folder.mkdir(parents=True)
        for i, model in enumerate(models):
            (models_folder / f"{i}.yaml").write_text(yaml.safe_dump(model))
        self.settings = Settings(
            data_folder=folder / "data",
            models_folder=models_folder,
            port=launch.free_ports(1)[0],
            cpu_slots=2,
            # Kills come faster here than a model loads.
            max_attempts=25,
        )
        (folder / "data").mkdir()
        weights = REPOSITORY / "data" / "models"
        if weights.is_dir():  # prepared already: no need to do it again
            (folder / "data" / "models").symlink_to(weights)
        # One for all that is asked: making one takes 30 ms, of a core that an engine may be using.
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{self.settings.port}", timeout=60)
        self._service: subprocess.Popen[bytes] | None = None
        self._node: subprocess.Popen[bytes] | None = None

    @property
    def session(self) -> Session:
        return self.patiently(self._current)

    def start(self) -> None:
        """Start the service, or start it again after it was killed."""
        env = os.environ | {
            f"BENCHMARK_RUNNER_{name.upper()}": str(getattr(self.settings, name))
            for name in ("data_folder", "models_folder", "port", "cpu_slots", "max_attempts")
        }
        with self.log.open("ab") as log:
            self._service = subprocess.Popen(
                [sys.executable, "-m", "serve_app", "serve"],
                cwd=REPOSITORY,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.patiently(self._is_up)
        if self._two_nodes:
            self.start_node()

    def start_node(self) -> None:
        """Join a second node to the cluster, in place of the one that was killed."""
        if self._node is not None:
            self._node.wait()
        self._node = None
        self.patiently(self._joined)

    def _joined(self) -> None:
        # On a busy machine Ray may give up starting one, as an operator would not.
        if self._node is None or self._node.poll() is not None:
            self._node = self._new_node()
        _check(len(self._raylets()) == 2, "the second node is not up")

    def _new_node(self) -> subprocess.Popen[bytes]:
        ports = zip(_NODE_PORTS, launch.free_ports(len(_NODE_PORTS)), strict=True)
        raylets = self._raylets()
        _check(len(raylets) > 0, "the first node is not up")
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [
                    *(sys.executable, "-m", "ray.scripts.scripts", "start", "--block"),
                    f"--address={self.session.ray_address}",
                    *("--node-ip-address=127.0.0.1", "--num-cpus=2", "--disable-usage-stats"),
                    *(f"--{name}={port}" for name, port in ports),
                ],
                # That of the first node: the marker, the token, the settings.
                env=raylets[0].environ(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill_node(self) -> None:
        """SIGKILL the second node: its raylet and all that runs under it."""
        assert self._node is not None
        tree = psutil.Process(self._node.pid)
        _kill([*tree.children(recursive=True), tree])
        self.start_node()

    def kill_head(self) -> None:
        """SIGKILL Ray's head (its GCS); the launcher starts Ray again by itself."""
        session = self.session
        for process in self.processes():
            if _named(process, "gcs_server"):
                process.kill()
        self.patiently(lambda: _check(self.session.id != session.id, "Ray is not started again"))
        self.patiently(self._is_up)
        if self._two_nodes:
            self.start_node()

    def kill_launcher(self) -> None:
        """SIGKILL the launcher alone; its guard has to end all the others."""
        assert self._service is not None
        session = self.session
        self._service.kill()
        self._service.wait()
        self.patiently(lambda: _check(not processes(session), "processes are left"))
        self.start()

    def kill_service(self) -> None:
        """SIGKILL every process there is, and start the service again."""
        assert self._service is not None
        session = self.session
        self._service.kill()
        while left := processes(session):
            _kill(left)
        self._service.wait()
        self.start()

    def stop(self) -> list[str]:
        """End the service politely; returns what is left running."""
        self._client.close()
        if self._service is None:
            return []
        session = launch.current(self.settings)
        self._service.terminate()
        self._service.wait(timeout=120)
        if self._node is not None:
            self._node.wait(timeout=60)
        left = processes(session) if session else []
        named = [command(process)[:100] for process in left]
        _kill(left)
        return named

    def processes(self) -> list[psutil.Process]:
        return processes(self.session)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask the API, again while the service is away, as a client of such a service would."""

        def ask() -> httpx.Response:
            answer = self._client.request(method, path, **more)
            _check(answer.status_code not in (502, 503, 504), f"{answer.status_code} {path}")
            return answer.raise_for_status()

        return self.patiently(ask)

    def benchmarks(self) -> list[Json]:
        found = self.request("GET", "/admin/benchmarks", params={"limit": 1000}).json()
        return found["benchmarks"]

    def patiently(self, act: Callable[[], T]) -> T:
        """Try ``act`` until it works."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return act()
            except (httpx.TransportError, _NotYet):
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.2)

    def _current(self) -> Session:
        found = launch.current(self.settings)
        if found is None:
            raise _NotYet("there is no session")
        return found

    def _is_up(self) -> None:
        assert self._service is not None
        assert self._service.poll() is None, self.log.read_text()[-2000:]
        _check(self._client.get("/ready").status_code == 200, "not ready")

    def _raylets(self) -> list[psutil.Process]:
        raylets = [process for process in self.processes() if _named(process, "raylet")]
        return sorted(raylets, key=lambda process: process.create_time())


def _named(process: psutil.Process, name: str) -> bool:
    try:
        return process.name() == name
    except psutil.NoSuchProcess:
        return False


class _NotYet(Exception):
    pass


def _check(done: bool, message: str) -> None:
    if not done:
        raise _NotYet(message)


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, timeout=5)


def wait_until(
    done: Callable[[], bool], what: str, *, seconds: float = PATIENCE_SECONDS, every: float = 0.3
) -> None:
    """Wait for something that must happen."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(every)
