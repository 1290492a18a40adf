"""What only storage in a folder does."""

import errno
import os
from pathlib import Path

import pytest

from cluster import local
from cluster.local import Local


def test_a_large_object_goes_to_the_disk_as_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_STEP_BYTES", 2**20)
    flushed: list[int] = []
    fdatasync = os.fdatasync

    def noted(file: int) -> None:
        fdatasync(file)
        flushed.append(os.fstat(file).st_size)

    monkeypatch.setattr(os, "fdatasync", noted)
    store = Local(tmp_path.as_uri())
    pieces = [os.urandom(100_003) for _ in range(50)]
    with store.write("a") as file:
        for piece in pieces:
            file.write(piece)
    assert store.read("a") == b"".join(pieces)
    assert len(flushed) == 4
    # What comes meanwhile is written beside, up to the next step.
    assert all(step * 2**20 <= size < (step + 2) * 2**20 for step, size in enumerate(flushed, 1))


@pytest.mark.parametrize("at", [1, 4])
def test_a_disk_that_fails_meanwhile_fails_the_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(local, "_STEP_BYTES", 2**20)
    calls: list[int] = []

    def failing(file: int) -> None:
        calls.append(file)
        if len(calls) == at:
            raise OSError(errno.EIO, "the disk is broken")

    monkeypatch.setattr(os, "fdatasync", failing)
    store = Local(tmp_path.as_uri())
    with pytest.raises(OSError, match="broken"), store.write("a") as file:
        for _ in range(4):
            file.write(b"x" * 2**20)
    assert list(tmp_path.iterdir()) == []


def test_a_small_object_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fdatasync", lambda _: pytest.fail("flushed"))
    with Local(tmp_path.as_uri()).write("a") as file:
        file.write(b"x" * 2**20)
