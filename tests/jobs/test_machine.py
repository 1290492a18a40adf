"""What a process runs on."""

import subprocess
from pathlib import Path

import pytest

from jobs import machine
from jobs.gpus import Gpu


def test_this_machine() -> None:
    found = machine.read()
    assert found.cpu
    assert found.cores >= 1
    assert found.memory_bytes > 2**28
    assert machine.versions().keys() >= {"python", "ray", "transformers"}


def test_only_the_gpus_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    def read(visible: str | None) -> list[Gpu]:
        asked.append(visible)
        return []

    monkeypatch.setattr(machine.gpus, "read", read)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,GPU-abc")
    assert machine.read().gpus == []
    assert asked == ["2,GPU-abc"]


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
