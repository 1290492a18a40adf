"""Which weights and which chat template a model has, as digests that two runs can be compared by.

The digest of a folder is that of its files' names and digests. A file of the hub's cache that is
large is named by its SHA-256 there, which is taken; all others are read.
"""

import hashlib
import re
from pathlib import Path
from typing import Any

import orjson
from huggingface_hub import try_to_load_from_cache

from jobs.manifest import WeightsRead
from jobs.schemas.models import ModelSpec
from jobs.weights import locate, resolve

_WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.gguf")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def weights(model: ModelSpec) -> WeightsRead | None:
    """The weights of a model that has been loaded here; none if it has none."""
    given = model.weights
    if given.gguf:
        source = f"gguf:{'+'.join(given.gguf)}"
        return WeightsRead(source=source, revision=None, sha256=_gguf(model))
    if model.engine != "vllm":
        return None
    folder = _folder(model)
    digest = None if folder is None else _digest(folder, _WEIGHTS)
    if given.path:
        return WeightsRead(source=f"path:{given.path}", revision=None, sha256=digest)
    revision = folder.name if folder is not None else given.revision
    return WeightsRead(source=f"hub:{given.hub}", revision=revision, sha256=digest)


def chat_template(model: ModelSpec) -> str | None:
    """The digest of the template that makes a prompt of messages; none if there is none."""
    template = model.chat_template or (
        _template(folder) if model.engine == "vllm" and (folder := _folder(model)) else None
    )
    return None if template is None else hashlib.sha256(template.encode()).hexdigest()


def _folder(model: ModelSpec) -> Path | None:
    """Where the weights are; none if they were downloaded to elsewhere than the hub's cache."""
    if not model.weights.hub:
        return Path(resolve(model))
    found = try_to_load_from_cache(
        model.weights.hub, "config.json", revision=model.weights.revision
    )
    return Path(found).parent if isinstance(found, str) else None


def _template(folder: Path) -> str | None:
    alone = folder / "chat_template.jinja"
    if alone.is_file():
        return alone.read_text()
    config = folder / "tokenizer_config.json"
    if not config.is_file():
        return None
    found: Any = orjson.loads(config.read_bytes()).get("chat_template")
    # Models with several have a list of them by name.
    return found if found is None or isinstance(found, str) else orjson.dumps(found).decode()


def _digest(folder: Path, patterns: tuple[str, ...]) -> str | None:
    files = sorted({file for pattern in patterns for file in folder.glob(pattern)})
    if not files:
        return None
    whole = hashlib.sha256()
    for file in files:
        whole.update(f"{file.name} {_of_file(file)}\n".encode())
    return whole.hexdigest()


def _of_file(file: Path) -> str:
    stored = file.resolve().name
    if file.is_symlink() and _SHA256.fullmatch(stored):
        return stored
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _gguf(model: ModelSpec) -> str:
    if model.weights.sha256:
        return model.weights.sha256  # verified when the weights were prepared
    whole = hashlib.sha256()
    for part in model.weights.gguf:
        with locate(model, part).open("rb") as opened:
            while data := opened.read(2**20):
                whole.update(data)
    return whole.hexdigest()
