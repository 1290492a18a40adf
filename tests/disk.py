"""A small disk of its own, that can be filled: a tmpfs."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, kib: int) -> Iterator[Path]:
    """``folder`` as a disk of ``kib`` KiB while the block runs."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"needs to mount a small disk, as root: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        # Lazily, since an engine of the database may still have a file open.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def resize(folder: Path, kib: int) -> None:
    command = ["mount", "-o", f"remount,size={kib}k", str(folder)]
    subprocess.run(command, check=True)


def fill(folder: Path, leave: int = 0) -> Path:
    """Write a file until the disk is full, but for ``leave`` bytes; delete it to free them."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (2**20, 2**16, 4096):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
        file.truncate(max(ballast.stat().st_size - leave, 0))
    return ballast
