"""The model registry: the table ``model_registry``.

Its rows are ``configs/models/*.yaml``, validated, and the models that users add
(:mod:`jobs.added_models`).
"""

from datetime import UTC, datetime
from pathlib import Path

import yaml
from pydantic import ValidationError
from sqlalchemy import select

from cluster.database import session
from cluster.settings import settings
from jobs import fit, hardware, model_files
from jobs.errors import InvalidRequest, NotFound
from jobs.fit import Hardware
from jobs.models import ModelRow
from jobs.schemas.models import Model, ModelSpec
from jobs.weights import prepared


def read(folder: Path) -> dict[str, ModelSpec]:
    """The entries of the registry folder by id.

    Raises:
        InvalidRequest: naming the file and the field that is wrong.
    """
    entries: dict[str, ModelSpec] = {}
    for file in sorted(folder.glob("*.yaml")):
        entry = read_entry(file)
        if entry.model_id in entries:
            raise InvalidRequest(
                "invalid_model_file", f"{file}: {entry.model_id!r} is in another file already."
            )
        entries[entry.model_id] = entry
    return entries


def read_entry(file: Path) -> ModelSpec:
    """The entry of one file.

    Raises:
        InvalidRequest: naming the field that is wrong.
    """
    try:
        entry = ModelSpec.model_validate(yaml.safe_load(file.read_bytes()))
    except (yaml.YAMLError, ValidationError) as error:
        raise InvalidRequest("invalid_model_file", f"{file}: {error}") from error
    if entry.engine == "imported":
        raise InvalidRequest(
            "invalid_model_file",
            f"{file}: engine `imported` is for results that come through the API.",
        )
    return entry


def load() -> None:
    """Make the table say what the files say. Entries whose file is gone are kept as removed; models
    that users added stay, unless a file now has their id."""
    entries = read(settings().models_folder)
    with session() as sql:
        rows = {row.model_id: row for row in sql.scalars(select(ModelRow))}
        for model_id, entry in entries.items():
            row = rows.pop(model_id, None)
            if row is None:
                sql.add(ModelRow(model_id=model_id, name=entry.name, spec=entry.model_dump()))
            else:
                row.name, row.spec = entry.name, entry.model_dump()
                row.added, row.removed_at = False, None
        for row in rows.values():
            if not row.added:
                row.removed_at = row.removed_at or datetime.now(UTC)


def all_models() -> list[Model]:
    with session() as sql:
        present = select(ModelRow).where(ModelRow.removed_at.is_(None))
        rows = sql.scalars(present.order_by(ModelRow.name)).all()
    machine = hardware.read()
    return [_model(row, machine) for row in rows]


def added() -> dict[str, datetime]:
    """When each model that is in the registry came to be in it."""
    with session() as sql:
        present = select(ModelRow).where(ModelRow.removed_at.is_(None))
        rows = sql.scalars(present.order_by(ModelRow.model_id)).all()
    return {row.model_id: row.created_at for row in rows}


def get(model_id: str) -> Model:
    with session() as sql:
        row = sql.get(ModelRow, model_id)
    if row is None or row.removed_at is not None:
        known = ", ".join(model.model_id for model in all_models())
        raise NotFound("model_not_found", f"There is no model {model_id!r}. Known: {known}.")
    return _model(row, hardware.read())


def shown(spec: ModelSpec, *, added: bool, machine: Hardware | None = None) -> Model:
    """An entry as the API shows it, with the verdict on ``machine``; none: on what there is."""
    return Model(
        **spec.model_dump(),
        size=_in_words(spec.parameters),
        prepared=not spec.runs_here or prepared(spec),
        added=added,
        fit=fit.judge(
            spec,
            model_files.known_config(spec),
            machine or hardware.read(),
            cpu_cache_bytes=settings().cpu_kv_cache_gib * 2**30,
        ),
    )


def _model(row: ModelRow, machine: Hardware) -> Model:
    return shown(ModelSpec.model_validate(row.spec), added=row.added, machine=machine)


def _in_words(parameters: int) -> str:
    if parameters == 0:
        return ""
    if parameters >= 10**9:
        return f"{parameters / 10**9:.1f}B"
    return f"{parameters / 10**6:.0f}M"
