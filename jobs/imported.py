"""What imported results are in the terms of everything else: a model and a benchmark."""

import hashlib
import re
from datetime import UTC, datetime

from sqlalchemy.exc import IntegrityError

from cluster.database import session
from jobs.errors import Conflict, NotFound
from jobs.models import BenchmarkRow, DatasetRow, ModelRow
from jobs.schemas.benchmarks import BenchmarkSpec, Phase, Status
from jobs.schemas.models import ModelSpec
from jobs.schemas.progress import Tally


def model(name: str) -> ModelSpec:
    """The model of results by this name. Imports of the same name are of the same model."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:100]
    # Names that are equal but for punctuation, or of other letters, are told apart.
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    model_id = "/".join(filter(None, ("imported", plain, digest)))
    return ModelSpec(model_id=model_id, name=name, engine="imported")


def store(spec: BenchmarkSpec, tally: Tally) -> None:
    """Write the row of a benchmark whose parts are there.

    Raises:
        NotFound: the dataset was deleted in the meantime.
    """
    _store_model(spec.model)
    now = datetime.now(UTC)
    with session() as sql:
        dataset = sql.get(DatasetRow, spec.dataset_id)
        if dataset is None or dataset.deleted_at is not None:
            raise NotFound("dataset_not_found", f"There is no dataset {spec.dataset_id!r}.")
        sql.add(
            BenchmarkRow(
                id=spec.benchmark_id,
                model_id=spec.model.model_id,
                dataset_id=spec.dataset_id,
                status=Status.COMPLETED.value,
                phase=Phase.COMPLETED.value,
                progress=100,
                total=spec.total,
                completed=tally.completed,
                failed=tally.failed,
                prompt_tokens=tally.prompt_tokens,
                output_tokens=tally.output_tokens,
                started_at=now,
                created_at=now,
                completed_at=now,
                spec=spec.model_dump(mode="json"),
                results_file=f"benchmarks/{spec.benchmark_id}/parts",
                metadata_file=f"benchmarks/{spec.benchmark_id}/manifest.json",
            )
        )


def check_engine(spec: BenchmarkSpec) -> None:
    """Refuse what only an engine can do.

    Raises:
        Conflict: the results were imported.
    """
    if spec.model.engine == "imported":
        raise Conflict(
            "imported_results",
            f"The results of benchmark {spec.benchmark_id!r} were imported; nothing here can ask "
            "their model again.",
        )


def _store_model(spec: ModelSpec) -> None:
    """The model has no file, so to the registry it is one that was removed: benchmarks name it,
    and it cannot be run."""
    try:
        with session() as sql:
            if sql.get(ModelRow, spec.model_id) is None:
                sql.add(
                    ModelRow(
                        model_id=spec.model_id,
                        name=spec.name,
                        spec=spec.model_dump(mode="json"),
                        removed_at=datetime.now(UTC),
                    )
                )
    except IntegrityError:
        return  # another import of the same name has stored it just now
