"""What files say of a model: in a folder, on a hub, and files that lie."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from factories import model
from hub import COMMIT, CONFIG, PARAMETERS, serve, snapshot
from huggingface_hub import HfApi, constants

from jobs import architecture, model_files
from jobs.errors import InvalidRequest
from jobs.model_files import ModelFiles


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub's cache of this test alone."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    return folder


def at(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Take ``address`` for the hub."""
    monkeypatch.setattr(model_files, "HfApi", partial(HfApi, endpoint=address))


@contextmanager
def hub(monkeypatch: pytest.MonkeyPatch, folder: Path, **fields: Any) -> Iterator[None]:
    with serve(folder, **fields) as address:
        at(monkeypatch, address)
        yield


def refused(folder: Path) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        model_files.of_folder(folder)
    return caught.value


def test_a_folder(tmp_path: Path) -> None:
    files = model_files.of_folder(snapshot(tmp_path / "tiny"))
    shape = architecture.read(files.config)
    assert shape.parameters is not None
    # Without the copy of the tied head, and without what only speculative decoding uses.
    found = model_files.size(files, "auto", None)
    assert found.parameters == PARAMETERS == shape.parameters.total
    assert found.weights_bytes == 2 * PARAMETERS  # float32 is computed in bfloat16
    assert model_files.size(files, "float32", None).weights_bytes == 4 * PARAMETERS


def test_quantized_while_loading(tmp_path: Path) -> None:
    files = model_files.of_folder(snapshot(tmp_path / "tiny"))
    plain = 100 * 32 + 32 + 2 * 64  # embedding and norms
    smaller = model_files.size(files, "bfloat16", "fp8").weights_bytes
    assert smaller == 2 * plain + PARAMETERS - plain


def test_a_quantized_checkpoint_is_as_large_as_its_files(tmp_path: Path) -> None:
    quantized = {"quantization_config": {"quant_method": "fp8"}}
    files = model_files.of_folder(snapshot(tmp_path / "tiny", **quantized))
    found = model_files.size(files, "auto", None)
    assert (found.parameters, found.weights_bytes) == (PARAMETERS, 4 * PARAMETERS)


def test_folders_that_are_no_model(tmp_path: Path) -> None:
    assert "no config.json" in refused(tmp_path).message
    folder = snapshot(tmp_path / "tiny")
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"x")
    assert refused(folder).code == "no_safetensors"
    (folder / "model.safetensors").write_bytes(b"\xff" * 100)
    assert refused(folder).code == "model_unreadable"


@pytest.mark.parametrize(
    "header", ["[]", "{", '{"a": 1}', '{"a": {"dtype": "F32"}}', '{"a": {"shape": "x"}}']
)
def test_headers_that_are_none(tmp_path: Path, header: str) -> None:
    folder = snapshot(tmp_path / "tiny")
    content = len(header).to_bytes(8, "little") + header.encode()
    (folder / "model.safetensors").write_bytes(content)
    assert refused(folder).code == "model_unreadable"


@pytest.mark.parametrize("index", ["[]", "{", '{"weight_map": []}', '{"weight_map": {"a": 1}}'])
def test_indexes_that_are_none(tmp_path: Path, index: str) -> None:
    folder = snapshot(tmp_path / "tiny")
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(index)
    assert refused(folder).code == "model_unreadable"


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff", b" " * (2**20 + 1)])
def test_configs_that_are_none(tmp_path: Path, content: bytes) -> None:
    folder = snapshot(tmp_path / "tiny")
    (folder / "config.json").write_bytes(content)
    assert refused(folder).code == "model_unreadable"


def test_the_hub_is_asked_for_headers_only(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = snapshot(tmp_path / "tiny")
    with hub(monkeypatch, folder, card={"license": "mit"}):
        found = model_files.of_hub("org/tiny", None)
    assert (found.config, found.license) == (CONFIG, "mit")
    assert model_files.size(found, "auto", None).parameters == PARAMETERS
    assert not list(cache.rglob("*"))  # what is there counts as downloaded


def ask(repository: str = "org/tiny") -> str:
    with pytest.raises(InvalidRequest) as caught:
        model_files.of_hub(repository, None)
    return caught.value.code


def test_what_the_hub_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = snapshot(tmp_path / "tiny")
    with hub(monkeypatch, folder):
        assert ask("org/other") == "model_unreadable"
        (folder / "config.json").rename(folder / "no.json")
        assert ask() == "model_unreadable"
    with hub(monkeypatch, folder, status=403):
        assert ask() == "model_gated"
    with hub(monkeypatch, folder, status=500):
        assert ask() == "hub_unreachable"


def test_a_huge_config_is_not_downloaded(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = snapshot(tmp_path / "tiny")
    (folder / "config.json").write_bytes(b" " * 2**21)
    with hub(monkeypatch, folder):
        assert ask() == "model_unreadable"
    assert not list(cache.rglob("config.json"))


def test_without_the_hub_its_cache_is_read(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, "http://127.0.0.1:9")
    assert ask() == "hub_unreachable"
    repository = cache / "models--org--tiny"
    snapshot(repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    found: ModelFiles = model_files.of_hub("org/tiny", None)
    assert model_files.size(found, "auto", None).parameters == PARAMETERS


def test_the_config_of_an_entry_is_read_where_it_is(tmp_path: Path) -> None:
    folder = snapshot(tmp_path / "tiny", rope_theta=1)
    entry = model(engine="vllm", weights={"path": str(folder)})
    assert model_files.known_config(entry) == CONFIG
    (folder / "config.json").write_text(json.dumps(CONFIG | {"vocab_size": 1000000}))
    found = model_files.known_config(entry)
    assert found is not None
    assert found["vocab_size"] == 1000000
    (folder / "config.json").write_text("{")
    assert model_files.known_config(entry) is None
    given = entry.model_copy(update={"config": {"model_type": "llama"}})
    assert model_files.known_config(given) == {"model_type": "llama"}
    assert model_files.known_config(model(weights={"path": str(folder)})) is None  # the fake engine
