"""What only storage in a folder does."""

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
    steps = [b - a for a, b in zip([0, *flushed], flushed, strict=False)]
    assert len(steps) == 4
    assert all(2**20 <= step < 2**20 + 200_000 for step in steps)


def test_a_small_object_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fdatasync", lambda _: pytest.fail("flushed"))
    with Local(tmp_path.as_uri()).write("a") as file:
        file.write(b"x" * 2**20)
