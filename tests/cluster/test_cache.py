"""Files that are made of what is stored: they replace each other, and go with what they are of."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster import cache
from cluster.storage import storage


@pytest.fixture
def put(data_folder: Path) -> Callable[..., None]:
    """Take in a file of that many bytes."""

    def taken(owner: str, name: str = "1", size: int = 1) -> None:
        data_folder.mkdir(exist_ok=True)
        made = data_folder / "made"
        made.write_bytes(b"x" * size)
        # As if each were made a second after the others.
        at = 1_700_000_000 + len(found())
        os.utime(made, (at, at))
        cache.put(owner, name, made)

    return taken


def found() -> list[str]:
    folder = cache.path("", "")
    return sorted(str(path.relative_to(folder)) for path in folder.glob("*/*"))


def test_a_file_replaces_those_of_its_owner(put: Callable[..., None]) -> None:
    put("bm_1", "before")
    put("bm_2")
    put("bm_1", "after", size=3)
    assert found() == ["bm_1/after", "bm_2/1"]
    assert cache.path("bm_1", "after").read_bytes() == b"xxx"
    cache.drop("bm_1")
    cache.drop("bm_none")
    assert found() == ["bm_2/1"]


def test_the_oldest_go_where_all_are_too_large(
    put: Callable[..., None], configure: Callable[..., None]
) -> None:
    configure(cache_bytes=100)
    for number in range(4):
        put(f"bm_{number}", size=40)
    assert found() == ["bm_2/1", "bm_3/1"]
    put("bm_large", size=200)
    assert found() == ["bm_large/1"]


def test_what_was_deleted_elsewhere_is_swept(put: Callable[..., None]) -> None:
    cache.sweep()
    for owner in ("bm_1", "bm_2", "ds_1", "ds_2"):
        put(owner)
    for key in ("benchmarks/bm_1/manifest.json", "datasets/ds_2/requests.parquet"):
        with storage().write(key) as file:
            file.write(b"x")
    cache.sweep()
    assert found() == ["bm_1/1", "ds_2/1"]
