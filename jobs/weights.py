"""Model weights: from where the registry says they are to what vLLM can load.

A hub id is handed to vLLM as it is. A GGUF file carried by Python packages (the embedded models)
is dequantized once into a folder like a hub snapshot, because vLLM's CPU build loads no GGUF.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from filelock import FileLock

from cluster.settings import settings
from jobs.errors import InvalidRequest
from jobs.schemas.models import ModelSpec

log = structlog.get_logger()

# Written last, so that a folder without it is one whose preparation was interrupted.
_COMPLETE = "prepared.ok"


def resolve(model: ModelSpec) -> str:
    """What to give vLLM as the model: a local folder, or a hub id that it downloads itself."""
    weights = model.weights
    if weights.hub:
        return weights.hub
    if weights.path:
        folder = Path(weights.path).expanduser()
        if not (folder / "config.json").is_file():
            raise InvalidRequest(
                "weights_not_found", f"{model.model_id}: no config.json in {folder}."
            )
        return str(folder)
    return str(prepare(model))


def prepared(model: ModelSpec) -> bool:
    """Whether the weights are on this machine."""
    weights = model.weights
    if weights.path:
        return Path(weights.path).expanduser().is_dir()
    if weights.gguf:
        return (prepared_folder(model) / _COMPLETE).exists()
    assert weights.hub is not None
    # Only here: the engine's process imports it while it loads.
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(weights.hub, "config.json", revision=weights.revision)
    return isinstance(cached, str)


def prepare(model: ModelSpec, announce: Callable[[str], None] = log.info) -> Path:
    """Make the folder of a model that comes as GGUF in packages, unless it is there already.

    Processes that ask at the same time make it once; a killed one leaves nothing that is taken
    for complete.
    """
    folder = prepared_folder(model)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if (folder / _COMPLETE).exists():
            return folder
        announce(f"preparing the weights of {model.name}")
        for leftover in folder.parent.glob(f"{folder.name}.tmp-*"):
            shutil.rmtree(leftover)
        aside = folder.with_name(f"{folder.name}.tmp-{uuid.uuid4().hex[:8]}")
        aside.mkdir()
        gguf = aside / "model.gguf"
        _concatenate([locate(model, part) for part in model.weights.gguf], gguf)
        _verify(model, gguf)
        _dequantize(gguf, aside)
        gguf.unlink()
        (aside / _COMPLETE).touch()
        shutil.rmtree(folder, ignore_errors=True)
        aside.rename(folder)
    return folder


def prepared_folder(model: ModelSpec) -> Path:
    return settings().data_folder.resolve() / "models" / model.model_id.replace("/", "--")


def locate(model: ModelSpec, part: str) -> Path:
    """The file of an installed package that ``part`` (``package:file``) names.

    Raises:
        InvalidRequest: it is not installed.
    """
    package, _, file = part.partition(":")
    # find_spec does not import a top-level package, which could have side effects.
    found = importlib.util.find_spec(package)
    folder = Path(found.origin).parent if found and found.origin else None
    if folder is None or not (folder / file).is_file():
        raise InvalidRequest(
            "weights_not_found",
            f"{model.model_id}: the Python package {package!r} with {file!r} is not installed. "
            "Run `make install`.",
        )
    return folder / file


def _concatenate(parts: list[Path], target: Path) -> None:
    with target.open("wb") as whole:
        for part in parts:
            with part.open("rb") as file:
                shutil.copyfileobj(file, whole, 2**20)


def _verify(model: ModelSpec, gguf: Path) -> None:
    with gguf.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if model.weights.sha256 and digest != model.weights.sha256:
        raise InvalidRequest(
            "weights_damaged", f"{model.model_id}: sha256 of the GGUF file is {digest}."
        )


def _dequantize(gguf: Path, folder: Path) -> None:
    """In a process of its own: it takes several times the weights' size in memory for a moment."""
    quiet = {"TQDM_DISABLE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    done = subprocess.run(
        [sys.executable, "-m", "jobs.weights", str(gguf), str(folder)],
        env={**os.environ, **quiet},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"converting {gguf.name} failed:\n{done.stderr[-2000:]}")


def _save_dequantized(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source: dict[str, Any] = {"gguf_file": gguf.name}
    AutoTokenizer.from_pretrained(gguf.parent, **source).save_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.bfloat16, **source)
    # The weights are plain bf16 now; while the GGUF quantizer is attached, saving is refused.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)


if __name__ == "__main__":
    _save_dequantized(Path(sys.argv[1]), Path(sys.argv[2]))
