"""Digests of weights and chat templates, of folders as the hub and as people lay them out."""

import hashlib
from pathlib import Path
from typing import Any

import orjson
import pytest
from factories import model

from jobs import fingerprint
from jobs.schemas.models import ModelSpec


def sha256(data: str | bytes) -> str:
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "weights"
    made.mkdir()
    (made / "config.json").write_text("{}")
    (made / "model-1.safetensors").write_bytes(b"one")
    (made / "model-2.safetensors").write_bytes(b"two")
    return made


def at(folder: Path, **fields: Any) -> ModelSpec:
    return model(engine="vllm", weights={"path": str(folder)}, **fields)


def test_weights_in_a_folder(folder: Path) -> None:
    found = fingerprint.weights(at(folder))
    assert found is not None
    assert (found.source, found.revision) == (f"path:{folder}", None)
    names = f"model-1.safetensors {sha256('one')}\nmodel-2.safetensors {sha256('two')}\n"
    assert found.sha256 == sha256(names)
    (folder / "README.md").write_text("not weights")
    assert fingerprint.weights(at(folder)) == found
    (folder / "model-2.safetensors").write_bytes(b"three")
    assert fingerprint.weights(at(folder)) != found


def test_weights_of_the_hub_are_not_read(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "c0ffee" * 6 + "abcd"
    snapshot = tmp_path / "models--org--m" / "snapshots" / commit
    blobs = tmp_path / "models--org--m" / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    digest = sha256("what the blob is named by, whatever it holds")
    (blobs / digest).write_bytes(b"huge")
    (snapshot / "config.json").write_text("{}")
    (snapshot / "model.safetensors").symlink_to(blobs / digest)
    monkeypatch.setattr(
        fingerprint, "try_to_load_from_cache", lambda *_, **__: str(snapshot / "config.json")
    )
    found = fingerprint.weights(model(engine="vllm", weights={"hub": "org/m"}))
    assert found is not None
    assert (found.source, found.revision) == ("hub:org/m", commit)
    assert found.sha256 == sha256(f"model.safetensors {digest}\n")


def test_weights_of_the_hub_that_are_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "try_to_load_from_cache", lambda *_, **__: None)
    found = fingerprint.weights(model(engine="vllm", weights={"hub": "org/m", "revision": "main"}))
    assert found is not None
    assert (found.revision, found.sha256) == ("main", None)


def test_weights_in_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {"a:x": b"first", "b:y": b"second"}
    for name, data in parts.items():
        (tmp_path / name[0]).write_bytes(data)
    monkeypatch.setattr(fingerprint, "locate", lambda _, part: tmp_path / part[0])
    found = fingerprint.weights(model(engine="vllm", weights={"gguf": list(parts)}))
    assert found is not None
    assert (found.source, found.sha256) == ("gguf:a:x+b:y", sha256(b"firstsecond"))
    verified = fingerprint.weights(
        model(engine="vllm", weights={"gguf": list(parts), "sha256": "known"})
    )
    assert verified is not None
    assert verified.sha256 == "known"


def test_a_fake_has_no_weights() -> None:
    assert fingerprint.weights(model()) is None
    assert fingerprint.chat_template(model()) is None


def test_the_chat_template(folder: Path) -> None:
    assert fingerprint.chat_template(at(folder)) is None
    config = {"chat_template": "{{ of the tokenizer }}"}
    (folder / "tokenizer_config.json").write_bytes(orjson.dumps(config))
    assert fingerprint.chat_template(at(folder)) == sha256("{{ of the tokenizer }}")
    (folder / "chat_template.jinja").write_text("{{ of the folder }}")
    assert fingerprint.chat_template(at(folder)) == sha256("{{ of the folder }}")
    own = at(folder, chat_template="{{ of the registry }}")
    assert fingerprint.chat_template(own) == sha256("{{ of the registry }}")


def test_several_chat_templates(folder: Path) -> None:
    named = [{"name": "default", "template": "a"}, {"name": "tools", "template": "b"}]
    config = orjson.dumps({"chat_template": named})
    (folder / "tokenizer_config.json").write_bytes(config)
    assert fingerprint.chat_template(at(folder)) == sha256(orjson.dumps(named))
