"""Models that users add: from a hub id or a folder, checked before they are used.

They are rows of ``model_registry`` like those of the registry's files, and so known on every node
and after every restart. What a user gives is a name and a few numbers; code of a repository is
never run, and only folders below ``added_models_folder`` may be named.
"""

import re
from datetime import UTC, datetime
from math import ceil
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from cluster.database import session
from cluster.settings import settings
from jobs import architecture, footprint, model_config, model_files, registry, vllm_models
from jobs.errors import Conflict, InvalidRequest, NotFound
from jobs.model_config import Unpredictable
from jobs.model_files import ModelFiles, Size
from jobs.models import BenchmarkRow, ModelRow
from jobs.schemas.benchmarks import Status
from jobs.schemas.models import AddModelRequest, Model, ModelSpec, Weights

_HUB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_LARGEST_BYTES = 2**50  # a thousand times the largest there is
_LIVE = [status.value for status in Status if not status.is_terminal()]


def check(request: AddModelRequest) -> Model:
    """The model as it would be in the registry, with the verdict on its size; nothing is kept.

    Raises:
        InvalidRequest: its files cannot be read, or vLLM does not know its architecture.
    """
    return registry.shown(_entry(request), added=True)


def add(request: AddModelRequest) -> Model:
    """Put a model into the registry. One that does not fit may be put there, but not run.

    Raises:
        InvalidRequest: as :func:`check`.
        Conflict: the id is taken.
    """
    spec = _entry(request)
    taken = Conflict(
        "model_exists",
        f"There is a model {spec.model_id!r} already. Remove it first, or give another `model_id`.",
    )
    try:
        with session() as sql:
            row = sql.get(ModelRow, spec.model_id)
            if row is None:
                row = ModelRow(model_id=spec.model_id)
                sql.add(row)
            elif row.removed_at is None:
                raise taken
            row.name, row.spec = spec.name, spec.model_dump(mode="json")
            row.added, row.removed_at = True, None
    except IntegrityError:
        raise taken from None  # another call has added it just now
    return registry.get(spec.model_id)


def remove(model_id: str) -> None:
    """Take a model out of the registry that was added; its benchmarks stay.

    Raises:
        NotFound: no such model.
        Conflict: it comes from a file, or a benchmark that has not ended uses it.
    """
    registry.get(model_id)
    with session() as sql:
        row = sql.get(ModelRow, model_id)
        if row is None:
            raise NotFound("model_not_found", f"There is no model {model_id!r}.")
        if not row.added:
            raise Conflict(
                "model_of_file",
                f"{model_id!r} comes from a file of the registry folder; take it out there.",
            )
        using = select(BenchmarkRow.id).where(
            BenchmarkRow.model_id == model_id, BenchmarkRow.status.in_(_LIVE)
        )
        if benchmark_id := sql.scalar(using.limit(1)):
            raise Conflict(
                "model_in_use",
                f"Benchmark {benchmark_id!r} uses {model_id!r}. Cancel it first, or wait.",
            )
        row.removed_at = datetime.now(UTC)


def _entry(request: AddModelRequest) -> ModelSpec:
    """The registry entry that a request asks for."""
    own_id, weights, files = _found(request)
    model_id = request.model_id or own_id
    if model_id.startswith("imported/"):
        raise InvalidRequest("reserved_id", "Ids that begin with `imported/` are of results.")
    size = _checked_size(request, files)
    spec = ModelSpec(
        model_id=model_id,
        name=request.name or model_id.rstrip("/").rpartition("/")[2],
        description=f"Added from {request.source}.",
        parameters=size.parameters,
        weights=weights,
        weights_bytes=size.weights_bytes,
        memory_gib=size.weights_bytes / footprint.GIB,
        license=files.license or "not stated",
        dtype=request.dtype,
        quantization=request.quantization,
        max_model_len=request.max_model_len,
        tensor_parallel=request.tensor_parallel,
        max_num_seqs=request.max_num_seqs,
        config=model_config.relevant(files.config),
    )
    return spec.model_copy(update={"memory_gib": _memory_gib(spec)})


def _found(request: AddModelRequest) -> tuple[str, Weights, ModelFiles]:
    """The id that a model has by its source, where its weights are, and what its files say."""
    source = request.source
    if source.startswith("/"):
        folder = _allowed(source)
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", folder.name).lstrip(".-_")[:100] or "model"
        return f"local/{name}", Weights(path=str(folder)), model_files.of_folder(folder)
    if not _HUB_ID.fullmatch(source) or ".." in source:
        raise InvalidRequest(
            "invalid_source", f"{source!r} is neither a hub id (`org/name`) nor an absolute path."
        )
    files = model_files.of_hub(source, request.revision)
    return source, Weights(hub=source, revision=request.revision), files


def _checked_size(request: AddModelRequest, files: ModelFiles) -> Size:
    """How large a model is that can be run as the request asks.

    Raises:
        InvalidRequest: it cannot, or nothing is known of its size.
    """
    try:
        shape = architecture.read(files.config)
        size = model_files.size(files, request.dtype, request.quantization)
    except Unpredictable as why:
        raise InvalidRequest(
            "model_not_understood", f"The size of {request.source} cannot be told: {why}."
        ) from why
    known = vllm_models.architectures()
    if known is not None and shape.name not in known:
        named = f"architecture {shape.name}" if shape.name else "architecture, which is not named"
        raise InvalidRequest(
            "architecture_unknown", f"The installed vLLM does not know {request.source}'s {named}."
        )
    if not 0 < size.weights_bytes < _LARGEST_BYTES:
        raise InvalidRequest(
            "model_not_understood",
            f"The weights of {request.source} are said to have {size.weights_bytes:,} bytes.",
        )
    if request.max_model_len and shape.max_len and request.max_model_len > shape.max_len:
        raise InvalidRequest(
            "context_too_long",
            f"{request.source} is made for {shape.max_len:,} tokens; `max_model_len` is "
            f"{request.max_model_len:,}.",
        )
    return size


def _allowed(path: str) -> Path:
    """The folder that a path leads to, if it may be named.

    Raises:
        InvalidRequest: it may not. Whether it exists is not said then.
    """
    allowed = settings().added_models_folder
    if allowed is None:
        raise InvalidRequest(
            "paths_not_allowed",
            "Models cannot be added by path: BENCHMARK_RUNNER_ADDED_MODELS_FOLDER is not set.",
        )
    root = allowed.resolve()
    folder = Path(path).resolve()
    if folder == root or not folder.is_relative_to(root):
        raise InvalidRequest("path_not_allowed", f"{path} is not in {allowed}.")
    return folder


def _memory_gib(spec: ModelSpec) -> float:
    """Accelerator memory of one engine with one request of full length, GiB, rounded up."""
    assert spec.config is not None
    try:
        need = footprint.predict(spec, spec.config, on_gpu=True).footprint()
    except Unpredictable:
        each = spec.weights_bytes
    else:
        each = (need.weights_bytes + need.overhead_bytes + need.kv_request_bytes) * need.gpus
    return ceil(each / footprint.GIB * 10) / 10
