"""Files of this machine that are made of what storage has, and made again when they are not there.

Each belongs to a benchmark or a dataset, by its id, and goes with it.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from cluster.settings import settings
from cluster.storage import storage


def path(owner: str, name: str) -> Path:
    """Where a file is, if it is there."""
    return _folder() / owner / name


def put(owner: str, name: str, made: Path) -> None:
    """Take in a file, which must be in the data folder. It replaces what its owner had; of others
    the oldest go where all are more than ``cache_bytes``."""
    with made.open("rb") as file:
        os.fsync(file.fileno())
    target = path(owner, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    made.replace(target)
    for old in set(target.parent.iterdir()) - {target}:
        old.unlink(missing_ok=True)
    _shrink(target)


def drop(owner: str) -> None:
    """Remove what was made of something that is deleted."""
    shutil.rmtree(_folder() / owner, ignore_errors=True)


def sweep() -> None:
    """Remove what was made of something that was deleted where this folder is not."""
    there = {*storage().list("benchmarks"), *storage().list("datasets")}
    for owner in _folder().iterdir() if _folder().is_dir() else ():
        if owner.name not in there:
            drop(owner.name)


def _shrink(kept: Path) -> None:
    left = settings().cache_bytes - kept.stat().st_size
    for _, size, file in sorted(_others(kept), reverse=True):
        left -= size
        if left < 0:
            file.unlink(missing_ok=True)


def _others(kept: Path) -> Iterator[tuple[int, int, Path]]:
    """When each was made, and its size."""
    for file in set(_folder().glob("*/*")) - {kept}:
        try:
            found = file.stat()
        except FileNotFoundError:
            continue  # another process has removed it
        yield found.st_mtime_ns, found.st_size, file


def _folder() -> Path:
    return settings().data_folder / "cache"
