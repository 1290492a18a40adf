"""What a process runs on."""

import subprocess
from pathlib import Path

import pytest

from jobs import machine
from jobs.machine import Gpu


def test_this_machine() -> None:
    found = machine.read()
    assert found.cpu
    assert found.cores >= 1
    assert found.memory_bytes > 2**28
    assert machine.versions().keys() >= {"python", "ray", "transformers"}


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in on the PATH that prints two GPUs and keeps its arguments."""
    asked = tmp_path / "asked"
    script = tmp_path / "nvidia-smi"
    script.write_text(
        f'#!/bin/sh\necho "$@" > {asked}\n'
        'echo "NVIDIA H100 80GB HBM3, 81559, 570.1"\necho "NVIDIA L4, 23034, 570.1"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    return asked


def test_gpus(nvidia_smi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,GPU-abc")
    assert machine.read().gpus == [
        Gpu(name="NVIDIA H100 80GB HBM3", memory_mib=81559, driver="570.1"),
        Gpu(name="NVIDIA L4", memory_mib=23034, driver="570.1"),
    ]
    assert nvidia_smi.read_text().split()[-2:] == ["-i", "2,GPU-abc"]


def test_no_gpu_for_this_process(nvidia_smi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert machine.read().gpus == []
    assert not nvidia_smi.exists()


def test_code(tmp_path: Path) -> None:
    assert machine.code(tmp_path) is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run([*git, *command], check=True)
    found = machine.code(tmp_path)
    assert found is not None
    assert len(found.commit) == 40
    assert not found.changed
    (tmp_path / "a.py").write_text("1")
    subprocess.run([*git, "add", "a.py"], check=True)
    changed = machine.code(tmp_path)
    assert changed is not None
    assert changed.changed
