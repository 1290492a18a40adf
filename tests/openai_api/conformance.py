"""The suite as a whole: ``python -m openai_api.conformance`` (``make conformance``).

Starts two services, runs every check with each client, and writes the table of
docs/openai-compatibility.md.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import httpx
from openai_api.checks import CHECKS

from cluster import launch
from cluster.settings import REPOSITORY

DOCUMENT = REPOSITORY / "docs" / "openai-compatibility.md"
_BEGIN = "<!-- made by `make conformance`: begin -->\n"
_END = "<!-- end -->\n"

CURRENT = "3.57.0"
OLDER = "1.109.1"
# Beside the version that is installed: what is not in the environment that it needs.
_OLDER_PACKAGES = (f"openai=={OLDER}", "distro==1.9.0")
_MODELS = Path(__file__).parent / "models"
_STRICT = {
    "BENCHMARK_RUNNER_BATCH_MAX_BYTES": "10000",
    "BENCHMARK_RUNNER_BATCH_MAX_REQUESTS": "20",
    "BENCHMARK_RUNNER_BATCH_WINDOW_SECONDS": "4",
}
_START_SECONDS = 60.0


class Report(TypedDict):
    version: str
    outcomes: dict[str, str | None]
    """By check: what went wrong, or none."""


def reports() -> list[Report]:
    """Run the suite with each client, one after the other, on the same services."""
    clients: list[list[str]] = [[], [str(_older_client())]]
    with (
        tempfile.TemporaryDirectory(prefix="openai-api-") as folder,
        _service(Path(folder) / "usual", {}) as usual,
        _service(Path(folder) / "strict", _STRICT) as strict,
    ):
        for service in (usual, strict):
            service.wait()
        return [_run(path, usual.url, strict.url) for path in clients]


def _run(path: list[str], usual: str, strict: str) -> Report:
    command = [sys.executable, "-m", "openai_api.run", usual, strict]
    done = subprocess.run(command, env=_env(path), stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


@dataclass(frozen=True)
class Service:
    """A process that serves the application at ``url``."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                httpx.get(f"{self.url}/health").raise_for_status()
                return
            except httpx.TransportError:
                assert self.process.poll() is None, self.log.read_text()
                assert time.monotonic() < deadline, self.log.read_text()
                time.sleep(0.1)


@contextmanager
def _service(folder: Path, settings: dict[str, str]) -> Generator[Service]:
    """A service on a free port, which is about to answer."""
    folder.mkdir()
    port = launch.free_ports(1)[0]
    own = {
        "BENCHMARK_RUNNER_DATA_FOLDER": str(folder),
        "BENCHMARK_RUNNER_MODELS_FOLDER": str(_MODELS),
        "RAY_ENABLE_AUTO_CONNECT": "0",
        "BENCHMARK_RUNNER_KEYLESS": "1",
        "DATABASE_URL": "",
    }
    command = [sys.executable, "-m", "openai_api.service", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=_env() | own | settings, stdout=log, stderr=log)
    try:
        yield Service(f"http://127.0.0.1:{port}", process, folder / "log")
    finally:
        process.terminate()
        process.wait()


def _env(path: list[str] | None = None) -> dict[str, str]:
    """The environment of a process that finds this package, and what is in ``path`` first."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("BENCHMARK_RUNNER_")}
    folders = [*(path or []), str(REPOSITORY), str(REPOSITORY / "tests")]
    return inherited | {"PYTHONPATH": os.pathsep.join(folders)}


def _older_client() -> Path:
    """The folder with the older client, installed there once."""
    folder = Path(sys.prefix) / "clients" / f"openai-{OLDER}"
    if not (folder / "openai" / "__init__.py").exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--target", str(folder), *_OLDER_PACKAGES]
        subprocess.run(command, check=True)
    return folder


def table(found: list[Report]) -> str:
    """What conforms, as a table."""
    versions = [report["version"] for report in found]
    passed = [sum(bad is None for bad in report["outcomes"].values()) for report in found]
    score = " and ".join(
        f"{count} of {len(CHECKS)} with `openai` {version}"
        for count, version in zip(passed, versions, strict=True)
    )
    lines = [
        f"Checks passed: {score}.\n\n",
        f"| | What a client sees | {' | '.join(versions)} |\n",
        f"|---|---|{'---|' * len(versions)}\n",
    ]
    area = ""
    for check in CHECKS:
        marks = ["✓" if report["outcomes"][check.sentence] is None else "✗" for report in found]
        shown = check.area if check.area != area else ""
        lines.append(f"| {shown} | {check.sentence} | {' | '.join(marks)} |\n")
        area = check.area
    return "".join(lines)


def document(found: list[Report]) -> str:
    """The document with the table of these reports in it."""
    text = DOCUMENT.read_text()
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{table(found)}{_END}{after}"


def main() -> None:
    found = reports()
    DOCUMENT.write_text(document(found))
    wrong = 0
    for report in found:
        for sentence, problem in report["outcomes"].items():
            if problem is not None:
                wrong += 1
                print(f"openai {report['version']}: {sentence}\n{problem}", file=sys.stderr)
    print(table(found).splitlines()[0])
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
