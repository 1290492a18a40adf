#!/usr/bin/env python3
"""Install everything into ``.venv``: what ``make install`` runs, with whatever python3 there is.

    python3 cluster/bootstrap.py [--dev]

Two environment variables override what is found: ``ENGINE=cpu|cuda``, the build of vLLM, and
``PYTHON=/path/to/python3.12``, the interpreter of ``.venv``. What is installed stays what it is
until one of them says otherwise.

``.venv/installed.json`` says what ``.venv`` was made from. It is complete only after a complete
install: the next call then returns at once, and an interrupted install is taken up again.
"""

# Standard library only, and nothing newer than Python 3.8: an old python3 has to get far enough
# to find a newer one, or to say in a sentence that there is none.
from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Generator, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "pyproject.toml"
VENV = ROOT / ".venv"
STATE = VENV / "installed.json"
LOG = VENV / "install.log"

# 3.11 first: the lock files are resolved and tested with it.
PYTHONS = ("python3.11", "python3.12", "python3.13", "python3")
MACHINES = ("x86_64", "aarch64")
GLIBC = (2, 31)  # llguidance's; vLLM's own is 2.28
DISK_GB = {"cpu": 8, "cuda": 20}
# PyTorch's own index of CPU builds; PyPI has CUDA builds only.
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"

HINTS = {
    "No space left on device": "The disk is full; pip also needs room in its cache and in TMPDIR.",
    "CERTIFICATE_VERIFY_FAILED": "Behind a proxy with its own certificate, set PIP_CERT.",
    "NewConnectionError": "The package index was not reached: check the network and any proxy.",
    "No matching distribution": "The package index has no file for this Python and machine.",
}


class Stop(Exception):
    """The install cannot go on; the message says why and what to do."""


class State(NamedTuple):
    """What ``.venv`` is made from."""

    root: str  # scripts in .venv name their interpreter by its full path
    python: str
    engine: str
    dev: bool
    digest: str  # of pyproject.toml and the lock files; empty while an install is under way


def main() -> int:
    parser = argparse.ArgumentParser(description="Install Benchmark Runner into .venv.")
    parser.add_argument("--dev", action="store_true", help="also what tests and checks need")
    dev: bool = parser.parse_args().dev
    try:
        check_platform()
        with one_at_a_time():
            install(dev)
    except Stop as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; the next call goes on from here.", file=sys.stderr)
        return 130
    return 0


def install(dev: bool) -> None:
    old = read_state()
    asked_engine, asked_python = os.environ.get("ENGINE"), os.environ.get("PYTHON")
    engine = asked_engine or (old.engine if old else find_engine())
    if engine not in DISK_GB:
        raise Stop(f"ENGINE is {engine!r}; it must be cpu or cuda.")
    python = old.python if old and not asked_python else find_python(asked_python)
    dev = dev or (old is not None and old.dev)
    locks = [ROOT / "requirements" / f"{name}.lock" for name in (engine, *(["dev"] if dev else []))]
    new = State(str(ROOT), python, engine, dev, digest([PROJECT, *locks]))
    if new == old:
        return

    # Never one engine over the other: both builds of vLLM own the same files.
    if old is None or (old.python, old.engine) != (python, engine):
        create_venv(python, engine)
    write_state(new._replace(digest=""))
    packages = [line for lock in locks for line in requirements(lock)]
    torch = next(line for line in packages if line.startswith("torch=="))
    with step(f"Installing {torch}"):
        try:
            pip(torch)
        except Stop:
            if engine != "cpu":
                raise
            pip("--extra-index-url", TORCH_CPU_INDEX, torch)
    with step(f"Installing {len(packages) - 1} packages, some minutes the first time"):
        pip(*(word for lock in locks for word in ("-r", str(lock))))
    with step("Installing benchmark-runner"):
        # The build backend is in the lock, so no index is asked and nothing is downloaded.
        pip("--no-build-isolation", "-e", str(ROOT))
    write_state(new)


def create_venv(python: str, engine: str) -> None:
    if VENV.exists():
        with step("Removing .venv, which another Python, engine, folder or program made"):
            shutil.rmtree(str(VENV))
    free = shutil.disk_usage(str(ROOT)).free / 1e9
    if free < DISK_GB[engine]:
        raise Stop(
            f"{free:.1f} GB are free on the disk of {ROOT}; "
            f"the {engine} build of vLLM and all it needs take about {DISK_GB[engine]} GB."
        )
    with step(f"Creating .venv for the {engine} build of vLLM, with {python}"):
        made = subprocess.run([python, "-m", "venv", str(VENV)], capture_output=True, text=True)
        if made.returncode:
            raise Stop(f"{python} -m venv failed:\n{made.stdout}{made.stderr}")


def pip(*arguments: str) -> None:
    """``pip install`` without dependencies: a lock is complete, and leaves out what would break."""
    # -I: nothing from PYTHONPATH, the user's site-packages or the current folder.
    command = [str(VENV / "bin" / "python"), "-I", "-m", "pip", "install", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-input", "--progress-bar=off", *arguments]
    with LOG.open("a+") as log:
        print("$", *command, file=log, flush=True)
        begin = log.tell()
        if subprocess.run(command, stdout=log, stderr=subprocess.STDOUT).returncode == 0:
            return
        log.seek(begin)
        output = log.read()
    tail = "\n".join(f"    {line[:200]}" for line in output.splitlines()[-15:])
    hint = next((hint for sign, hint in HINTS.items() if sign in output), "Run it again to go on.")
    raise Stop(f"pip failed:\n{tail}\n{hint}\nThe whole log: {LOG}")


def check_platform() -> None:
    system, machine = platform.system(), platform.machine()
    if system == "Darwin":
        raise Stop("vLLM has no packages for macOS: use a Linux machine, container or VM.")
    if system != "Linux" or machine not in MACHINES:
        raise Stop(
            f"vLLM has packages for Linux on {' and '.join(MACHINES)}, not {system} {machine}."
        )
    libc, version = platform.libc_ver()
    if libc != "glibc" or tuple(map(int, version.split(".")[:2])) < GLIBC:
        raise Stop(
            f"The packages need glibc {GLIBC[0]}.{GLIBC[1]} or newer (Debian 11, Ubuntu 20.04, "
            f"RHEL 9); this system has {f'glibc {version}' if version else 'another C library'}."
        )


def find_engine() -> str:
    """``cuda`` where NVIDIA's driver lists a GPU."""
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return "cpu"
    return "cuda" if listed.returncode == 0 and b"GPU " in listed.stdout else "cpu"


def find_python(asked: str | None) -> str:
    """Full path of a Python that the packages support and that can make virtual environments."""
    # The interpreter below a virtual environment, which may be the .venv about to be replaced.
    probe = "import sys; print(sys.version_info[1], sys._base_executable); import ensurepip, venv"
    without_venv = ""
    for name in (asked,) if asked else PYTHONS:
        # Asked by running it: pyenv puts names on PATH whose interpreter is not there.
        try:
            found = subprocess.run([name, "-I", "-c", probe], capture_output=True, text=True)
        except OSError:
            continue
        minor, _, path = found.stdout.strip().partition(" ")
        if minor not in ("11", "12", "13"):
            continue
        if found.returncode == 0:
            return path
        without_venv = without_venv or f"python3.{minor}"
    if without_venv:
        raise Stop(
            f"{without_venv} cannot make virtual environments. "
            f"On Debian and Ubuntu: apt install {without_venv}-venv"
        )
    raise Stop(
        f"{asked or 'No python3 on PATH'} is {'not ' if asked else ''}Python 3.11, 3.12 or 3.13. "
        "Install one (Debian, Ubuntu: apt install python3.11-venv or python3.12-venv; "
        "Fedora, RHEL: dnf install python3.11; anywhere: uv python install 3.11), "
        "and if it is not on PATH, name it: make install PYTHON=/path/to/python3.11"
    )


@contextmanager
def one_at_a_time() -> Generator[None]:
    """Two calls at once (``make test`` beside ``make demo``) take turns."""
    import fcntl  # not on Windows, which check_platform turns away

    with PROJECT.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def step(what: str) -> Generator[None]:
    """One line: what is done, and the seconds it took."""
    print(f"{what} … ", end="", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{time.monotonic() - started:.0f} s", flush=True)


def requirements(lock: Path) -> list[str]:
    return [line for line in lock.read_text().splitlines() if line and not line.startswith("#")]


def digest(files: list[Path]) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def read_state() -> State | None:
    """None unless ``.venv`` can be used as it is: made here, and its interpreter still there."""
    try:
        state = State(**json.loads(STATE.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return state if state.root == str(ROOT) and (VENV / "bin" / "python").exists() else None


def write_state(state: State) -> None:
    STATE.write_text(json.dumps(state._asdict(), indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
