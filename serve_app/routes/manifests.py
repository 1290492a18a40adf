"""What a benchmark's answers depend on, and whether a rerun gives the same."""

from typing import Annotated

from fastapi import APIRouter, Query

from jobs import benchmarks, manifest, reproduction
from jobs.manifest import Manifest
from jobs.reproduction import Reproduction
from jobs.schemas.base import Id
from serve_app.errors import responses
from serve_app.routes.benchmarks import BenchmarkId

router = APIRouter(prefix="/admin/benchmarks/{benchmark_id}", tags=["benchmarks"])


@router.get("/manifest", summary="Manifest of a benchmark", responses=responses(404))
def get_manifest(benchmark_id: BenchmarkId) -> Manifest:
    """Model, revision and digest of its weights, chat template, engine arguments, sampling, digest
    of the dataset, versions, hardware and code; of imported results the file."""
    benchmarks.get(benchmark_id)
    return manifest.read(benchmark_id)


@router.get("/agreement", summary="Agreement with another run", responses=responses(404, 422))
def get_agreement(
    benchmark_id: BenchmarkId,
    first_id: Annotated[
        Id | None, Query(description="The other run; without it the one that this repeats.")
    ] = None,
) -> Reproduction:
    """How many answers of a rerun are those of the first run, and what is known to have been
    different."""
    return reproduction.reproduction(benchmark_id, first_id)
