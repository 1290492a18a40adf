#!/usr/bin/env python3
"""Install everything into ``.venv``: run by ``make`` with the system's Python, so only stdlib.

A finished install leaves a stamp with the digest of what it was made from, so the next call
returns at once; an interrupted one leaves none and is done again.
"""

# Parsed by whatever Python the machine has, so that an old one gets a sentence to read rather than
# a syntax error: nothing newer than Python 3.8 here.

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterable, List, NoReturn, Optional

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "pyproject.toml"
VENV = ROOT / ".venv"
STAMP = VENV / "installed.stamp"
LOG = VENV / "install.log"
# 3.11 first: the lock files are made and tested with it.
PYTHONS = ("python3.11", "python3.12", "python3.13", "python3")
DISK_GB = {"cpu": 8, "cuda": 20}
# Where PyTorch publishes its CPU builds; asked only when the configured indexes have none.
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def main() -> None:
    parser = argparse.ArgumentParser(description="Install Benchmark Runner into .venv.")
    parser.add_argument("--dev", action="store_true", help="also what tests and checks need")
    dev = parser.parse_args().dev
    engine = os.environ.get("ENGINE") or ("cuda" if has_gpu() else "cpu")
    if engine not in DISK_GB:
        stop(f"ENGINE is {engine!r}; it must be cpu or cuda.")
    locks = [ROOT / "requirements" / f"{engine}.lock"]
    plain = digest([*locks, PROJECT])
    if dev:
        locks.append(ROOT / "requirements" / "dev.lock")
    wanted = digest([*locks, PROJECT])
    if STAMP.exists() and wanted in STAMP.read_text().split():
        return
    check_platform()
    check_disk(DISK_GB[engine])
    started = time.monotonic()
    if not (VENV / "bin" / "pip").exists():
        print("Creating .venv…", flush=True)
        subprocess.check_call([find_python(), "-m", "venv", "--clear", str(VENV)])
    if STAMP.exists():
        STAMP.unlink()
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    # --no-deps: the lock is complete, and it leaves out packages that would break (see its head).
    install = [*pip, "--no-deps", *(word for lock in locks for word in ("-r", str(lock)))]
    elsewhere = [*install, "--extra-index-url", TORCH_CPU_INDEX] if engine == "cpu" else None
    step(f"Installing packages ({engine}; some minutes the first time)", install, elsewhere)
    editable = [*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)]
    step("Installing Benchmark Runner", editable)
    # What a plain install wants is there as well.
    STAMP.write_text(f"{wanted}\n{plain}\n")
    print(f"Installed in {time.monotonic() - started:.0f} s.")


def has_gpu() -> bool:
    """Whether the NVIDIA driver lists a GPU."""
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listed.returncode == 0 and b"GPU" in listed.stdout


def check_platform() -> None:
    if platform.system() != "Linux":
        stop(f"Only Linux is supported (this is {platform.system()}).")


def check_disk(needed_gb: int) -> None:
    free_gb = shutil.disk_usage(str(ROOT)).free / 1e9
    if free_gb < needed_gb:
        stop(
            f"Only {free_gb:.1f} GB free on the disk of {ROOT}; "
            f"the installation takes about {needed_gb} GB."
        )


def find_python() -> str:
    """A Python that the packages support and that can make virtual environments."""
    named = os.environ.get("PYTHON")
    for name in (named,) if named else PYTHONS:
        if not shutil.which(name):
            continue
        probe = "import sys, venv, ensurepip; print(sys.version_info[1])"
        found = subprocess.run([name, "-c", probe], capture_output=True, text=True, check=False)
        if found.returncode == 0 and 11 <= int(found.stdout) <= 13:
            return name
        if "ensurepip" in found.stderr or "venv" in found.stderr:
            print(f"{name} has no venv module; on Debian and Ubuntu: apt install {name}-venv")
    return stop(
        "No suitable Python found: 3.11, 3.12 or 3.13 with venv is needed, 3.11 is best. "
        "Install one, or name it: make install PYTHON=/path/to/python3.11"
    )


def step(what: str, command: List[str], elsewhere: Optional[List[str]] = None) -> None:
    """Run a command with its output in the log; show the end of the log if it fails."""
    print(f"{what}…", flush=True)
    if logged(command) == 0 or (elsewhere and logged(elsewhere) == 0):
        return
    print("\n".join(LOG.read_text(errors="replace").splitlines()[-20:]), file=sys.stderr)
    stop(f"{what} failed. All output: {LOG}")


def logged(command: List[str]) -> int:
    with LOG.open("ab") as log:
        return subprocess.call(command, stdout=log, stderr=subprocess.STDOUT)


def digest(files: Iterable[Path]) -> str:
    """One digest over the content of files."""
    whole = hashlib.sha256()
    for file in files:
        whole.update(file.read_bytes())
    return whole.hexdigest()


def stop(message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
