"""Weights: from packages to a folder. The conversion itself is left to the end-to-end tests."""

import hashlib
import threading
from pathlib import Path
from typing import Any

import pytest
from factories import model

from jobs import weights
from jobs.errors import InvalidRequest

PARTS = {"br_part_one": b"first ", "br_part_two": b"second ", "br_part_three": b"third"}
WHOLE = b"first second third"


@pytest.fixture
def converted(data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Packages that carry a file in three parts; what conversions were given."""
    for package, content in PARTS.items():
        folder = tmp_path / "packages" / package
        (folder / "data").mkdir(parents=True)
        (folder / "__init__.py").write_text("raise RuntimeError('weights need no import')")
        (folder / "data" / "part").write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path / "packages")
    given: list[bytes] = []

    def convert(gguf: Path, folder: Path) -> None:
        given.append(gguf.read_bytes())
        (folder / "config.json").write_text("{}")

    monkeypatch.setattr(weights, "_dequantize", convert)
    return given


def packaged(**fields: Any) -> Any:
    source = {
        "gguf": [f"{package}:data/part" for package in PARTS],
        "sha256": hashlib.sha256(WHOLE).hexdigest(),
    }
    return model(model_id="maker/small-model", weights=source | fields)


def test_parts_are_joined_in_order_and_converted_once(
    converted: list[bytes], data_folder: Path
) -> None:
    small = packaged()
    assert not weights.prepared(small)
    folder = weights.prepare(small)
    assert weights.prepared(small)
    assert weights.prepare(small) == folder
    assert weights.resolve(small) == str(folder)
    assert converted == [WHOLE]
    assert folder == data_folder / "models" / "maker--small-model"
    assert sorted(file.name for file in folder.iterdir()) == ["config.json", "prepared.ok"]


def test_processes_that_ask_together_convert_once(converted: list[bytes]) -> None:
    threads = [threading.Thread(target=weights.prepare, args=[packaged()]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert converted == [WHOLE]


def test_damaged_weights_are_refused_and_not_kept(
    converted: list[bytes], data_folder: Path
) -> None:
    with pytest.raises(InvalidRequest, match="sha256") as caught:
        weights.prepare(packaged(sha256="0" * 64))
    assert caught.value.code == "weights_damaged"
    assert converted == []
    assert not weights.prepared(packaged())
    # The next try does not find the first one's leftovers.
    weights.prepare(packaged())
    names = {path.name for path in (data_folder / "models").iterdir()}
    assert names == {"maker--small-model", "maker--small-model.lock"}


@pytest.mark.parametrize("part", ["br_nowhere:data/part", "br_part_one:data/other"])
def test_a_missing_package_or_file_is_named(converted: list[bytes], part: str) -> None:
    with pytest.raises(InvalidRequest, match=r"is not installed.*make install") as caught:
        weights.prepare(packaged(gguf=[part]))
    assert caught.value.code == "weights_not_found"
    assert part.split(":")[0] in caught.value.message


def test_an_interrupted_conversion_is_not_taken_for_complete(
    converted: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_gguf: Path, folder: Path) -> None:
        (folder / "config.json").write_text("{}")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(weights, "_dequantize", killed)
        with pytest.raises(KeyboardInterrupt):
            weights.prepare(packaged())
    assert not weights.prepared(packaged())
    weights.prepare(packaged())
    assert converted == [WHOLE]


def test_a_hub_id_is_given_to_vllm_as_it_is(data_folder: Path) -> None:
    assert weights.resolve(model(weights={"hub": "maker/model"})) == "maker/model"
    assert not weights.prepared(model(weights={"hub": "no-such-maker/no-such-model"}))


def test_a_local_folder_is_used_where_it_is(tmp_path: Path) -> None:
    local = model(weights={"path": str(tmp_path)})
    with pytest.raises(InvalidRequest, match=f"no config.json in {tmp_path}"):
        weights.resolve(local)
    (tmp_path / "config.json").write_text("{}")
    assert weights.resolve(local) == str(tmp_path)
    assert weights.prepared(local)
