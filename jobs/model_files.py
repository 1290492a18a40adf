"""What a model's files say: its config, and how large its weights are.

Read from a folder or from the hub; of safetensors files the headers are enough, so that nothing is
downloaded or loaded. No code of a repository is run, and pickled weights are refused.
"""

import re
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import orjson
from huggingface_hub import (
    HfApi,
    get_local_safetensors_metadata,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    NotASafetensorsRepoError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
    SafetensorsParsingError,
)
from huggingface_hub.utils import SafetensorsRepoMetadata, TensorInfo

from jobs import architecture, model_config, quantization
from jobs.errors import InvalidRequest
from jobs.model_config import Config
from jobs.schemas.models import ModelSpec
from jobs.weights import prepared_folder

_LARGEST_BYTES = {"config.json": 2**20, "model.safetensors.index.json": 2**26}
# What the hub's client raises at headers and indexes that are not what they should be.
_DAMAGED = (SafetensorsParsingError, AttributeError, KeyError, TypeError, ValueError)
_LAYER = re.compile(r"\blayers\.(\d+)\.")
_ENCODER = re.compile(r"vision|visual|audio|image")


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """What is known of a model before any weight is read."""

    config: dict[str, Any]
    tensors: SafetensorsRepoMetadata
    license: str
    """Empty: not stated."""


@dataclass(frozen=True, slots=True)
class Size:
    parameters: int
    weights_bytes: int
    """In memory, of all GPUs together."""


def of_folder(folder: Path) -> ModelFiles:
    """The files of a hub snapshot in ``folder``.

    Raises:
        InvalidRequest: no config or no safetensors in it, or damaged ones.
    """
    config = folder / "config.json"
    if not config.is_file():
        raise InvalidRequest("model_unreadable", f"There is no config.json in {folder}.")
    try:
        tensors = get_local_safetensors_metadata(folder)
    except NotASafetensorsRepoError as error:
        raise _no_safetensors(str(folder)) from error
    except (*_DAMAGED, OSError) as error:
        raise InvalidRequest(
            "model_unreadable", f"The safetensors files in {folder} cannot be read: {error!r}"
        ) from error
    return ModelFiles(_parsed(config), tensors, license="")


def of_hub(repository: str, revision: str | None) -> ModelFiles:
    """The files of a hub repository. Only its config is downloaded, and the weights' headers; none
    of it is kept, so that what is in the hub's cache was loaded. Where the hub cannot be reached,
    it is read from there.

    Raises:
        InvalidRequest: there is no such repository, it may not be read, it has no config or no
            safetensors, or the hub cannot be reached.
    """
    try:
        with _hub_errors(repository):
            return _of_hub(repository, revision)
    except InvalidRequest as error:
        cached = try_to_load_from_cache(repository, "config.json", revision=revision)
        if error.code != "hub_unreachable" or not isinstance(cached, str):
            raise
        return of_folder(Path(cached).parent)


def _of_hub(repository: str, revision: str | None) -> ModelFiles:
    api = HfApi()
    info = api.model_info(repository, revision=revision, files_metadata=True, timeout=10)
    for file in info.siblings or ():
        # What is read whole is looked at first: anybody may put anything on the hub.
        if (file.size or 0) > _LARGEST_BYTES.get(file.rfilename, sys.maxsize):
            raise InvalidRequest(
                "model_unreadable", f"{file.rfilename} of {repository} is larger than it can be."
            )
    with TemporaryDirectory() as folder:
        file = api.hf_hub_download(repository, "config.json", revision=info.sha, local_dir=folder)
        config = _parsed(Path(file))
    tensors = api.get_safetensors_metadata(repository, revision=info.sha)
    stated = getattr(info.card_data, "license", None)
    return ModelFiles(config, tensors, license=stated if isinstance(stated, str) else "")


def known_config(model: ModelSpec) -> Config | None:
    """The ``config.json`` of a registry entry as far as it is here: in the entry, or with its
    weights. The hub is not asked."""
    if model.config is not None or model.engine != "vllm":
        return model.config
    weights = model.weights
    if weights.hub:
        cached = try_to_load_from_cache(weights.hub, "config.json", revision=weights.revision)
        file = Path(cached) if isinstance(cached, str) else None
    else:
        folder = Path(weights.path).expanduser() if weights.path else prepared_folder(model)
        file = folder / "config.json"
    if file is None or not file.is_file():
        return None
    try:
        return _read(file, file.stat().st_mtime_ns)
    except InvalidRequest:
        return None  # vLLM will say what is wrong with it


def size(files: ModelFiles, dtype: str, asked: str | None) -> Size:
    """How large the weights are in memory, as vLLM keeps them: in ``dtype``, or as the checkpoint
    or the registry entry (``asked``) quantizes them.

    Raises:
        Unpredictable: the config or its quantization is not understood.
    """
    shape = architecture.read(files.config)
    computed_in = quantization.computed_in(shape, dtype)
    item = quantization.item_bytes(computed_in)
    numbers = stored = 0
    for tensor in _loaded(files):
        first, last = tensor.data_offsets
        numbers += tensor.parameter_count
        stored += last - first
    if files.config.get("quantization_config"):
        # Packed numbers are not parameters; those are counted by the shapes, where they are known.
        parameters = shape.parameters.total if shape.parameters else numbers
        return Size(parameters, stored)
    plain = numbers * item
    if asked is None or shape.parameters is None:
        return Size(numbers, plain)
    ways = quantization.stored(files.config, computed_in, asked)
    smaller = quantization.weights_bytes(shape.parameters, ways) / (shape.parameters.total * item)
    return Size(numbers, round(plain * smaller))


def _loaded(files: ModelFiles) -> Iterator[TensorInfo]:
    """The tensors that vLLM loads: without the copy of an embedding that is also the output head,
    and without the layers behind the last, which only speculative decoding uses."""
    config = files.config
    text = model_config.text_part(config)
    tied = text.get("tie_word_embeddings", config.get("tie_word_embeddings"))
    layers = len(architecture.read(config).windows)
    for file in files.tensors.files_metadata.values():
        for name, tensor in file.tensors.items():
            layer = _LAYER.search(name)
            beyond = layer and int(layer[1]) >= layers and not _ENCODER.search(name)
            if not beyond and not (tied and name.endswith("lm_head.weight")):
                yield tensor


@lru_cache(maxsize=256)
def _read(file: Path, _changed_ns: int) -> dict[str, Any]:
    """A config; ``_changed_ns`` makes that a changed one is read again."""
    return model_config.relevant(_parsed(file))


def _parsed(file: Path) -> dict[str, Any]:
    if file.stat().st_size > _LARGEST_BYTES["config.json"]:
        raise InvalidRequest("model_unreadable", f"{file.name} is larger than a config can be.")
    try:
        found = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise InvalidRequest("model_unreadable", f"{file.name} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise InvalidRequest("model_unreadable", f"{file.name} is not an object of JSON.")
    return found


def _no_safetensors(where: str) -> InvalidRequest:
    return InvalidRequest(
        "no_safetensors",
        f"{where} has no weights in safetensors format. Others can run code when they are loaded, "
        "so they are not accepted here.",
    )


@contextmanager
def _hub_errors(repository: str) -> Generator[None]:
    """Errors of the hub's client as ours. The order matters: some are kinds of others."""
    try:
        yield
    except GatedRepoError as error:
        raise InvalidRequest(
            "model_gated",
            f"{repository} is gated: accept its terms on the hub, and start the service with an "
            "HF_TOKEN of that account.",
        ) from error
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as error:
        raise InvalidRequest(
            "model_unreadable",
            f"The hub has no {repository} in this revision, or this service's HF_TOKEN may not "
            "read it.",
        ) from error
    except NotASafetensorsRepoError as error:
        raise _no_safetensors(repository) from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, httpx2.TransportError) as error:
        raise InvalidRequest(
            "hub_unreachable",
            f"The model hub cannot be reached to check {repository}. Where there is no hub, add a "
            "model by the path of its folder.",
        ) from error
    except EntryNotFoundError as error:
        raise InvalidRequest("model_unreadable", f"{repository} has no config.json.") from error
    except HfHubHTTPError as error:
        raise InvalidRequest("hub_unreachable", f"The model hub answers: {error}") from error
    except _DAMAGED as error:
        raise InvalidRequest(
            "model_unreadable", f"The safetensors files of {repository} cannot be read: {error!r}"
        ) from error
