"""Graders in SQL: make, look up, change, delete. What they do is in :mod:`jobs.grading`."""

import uuid
from datetime import UTC, datetime

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from cluster.database import session
from jobs import benchmarks, datasets, grading, registry
from jobs.errors import Conflict, InvalidRequest, NotFound
from jobs.models import GraderRow
from jobs.schemas.benchmarks import Benchmark
from jobs.schemas.requests import Endpoint
from jobs.scoring import Grader, GraderDraft, GraderSpec, Judge

_SPEC: TypeAdapter[GraderSpec] = TypeAdapter(GraderSpec)


def create(draft: GraderDraft) -> Grader:
    """Make a grader. Scores are computed in the background, a judge's when it is asked.

    Raises:
        NotFound: no such dataset, benchmark or (of a judge) model.
        Conflict: the dataset or benchmark has a grader of that name.
        InvalidRequest: its pattern or schema is none, or embeddings would be graded.
    """
    if draft.dataset_id is not None:
        endpoints = datasets.get(draft.dataset_id).endpoints
        if Endpoint.EMBEDDINGS in endpoints:
            raise InvalidRequest("nothing_to_grade", "Embeddings are no texts to grade.")
    if draft.benchmark_id is not None:
        benchmarks.get(draft.benchmark_id)
    _check(draft.spec)
    row = GraderRow(
        id=f"gr_{uuid.uuid4().hex[:12]}",
        name=draft.name,
        dataset_id=draft.dataset_id,
        benchmark_id=draft.benchmark_id,
        spec=draft.spec.model_dump(mode="json"),
        revision=1,
        created_at=datetime.now(UTC),
    )
    with session() as sql:
        _check_name(sql, row)
        sql.add(row)
    return _grader(row)


def get(grader_id: str) -> Grader:
    with session() as sql:
        return _grader(_row(sql, grader_id))


def replace(grader_id: str, spec: GraderSpec) -> Grader:
    """Change what a grader does; its scores are computed anew.

    Raises:
        NotFound: no such grader, or (of a judge) model.
        InvalidRequest: its pattern or schema is none.
    """
    _check(spec)
    with session() as sql:
        row = _row(sql, grader_id)
        row.spec = spec.model_dump(mode="json")
        return _grader(row)


def recompute(grader_id: str) -> Grader:
    """Have all scores of a grader computed anew; a judge's verdicts are read again."""
    with session() as sql:
        row = _row(sql, grader_id)
        row.revision += 1
        return _grader(row)


def delete(grader_id: str) -> None:
    """Delete a grader. Its scores are shown no more; judges that it started stay benchmarks."""
    with session() as sql:
        sql.delete(_row(sql, grader_id))


def all_graders(
    limit: int, offset: int, dataset_id: str | None = None, benchmark_id: str | None = None
) -> tuple[list[Grader], int]:
    """Graders in the order in which they were made, and how many match; with ``benchmark_id``
    those that grade that benchmark, its dataset's included.
    """
    query = select(GraderRow)
    if dataset_id is not None:
        query = query.where(GraderRow.dataset_id == dataset_id)
    if benchmark_id is not None:
        query = query.where(_grades(benchmarks.get(benchmark_id)))
    with session() as sql:
        rows = sql.scalars(_ordered(query).limit(limit).offset(offset)).all()
        total = sql.scalar(select(func.count()).select_from(query.subquery()))
    return [_grader(row) for row in rows], total or 0


def of_benchmark(benchmark: Benchmark) -> list[Grader]:
    """All graders that grade a benchmark."""
    with session() as sql:
        rows = sql.scalars(_ordered(select(GraderRow).where(_grades(benchmark)))).all()
    return [_grader(row) for row in rows]


def _grades(benchmark: Benchmark) -> ColumnElement[bool]:
    return or_(
        GraderRow.dataset_id == benchmark.dataset_id,
        GraderRow.benchmark_id == benchmark.benchmark_id,
    )


def _ordered(query: Select[GraderRow]) -> Select[GraderRow]:
    return query.order_by(GraderRow.created_at, GraderRow.id)


def _check(spec: GraderSpec) -> None:
    if isinstance(spec, Judge):
        registry.get(spec.model_id)
    else:
        grading.compiled(spec)


def _check_name(sql: Session, row: GraderRow) -> None:
    same = select(GraderRow.id).where(
        GraderRow.name == row.name,
        # Of the two, one is none, which SQLAlchemy compares by IS NULL.
        GraderRow.dataset_id == row.dataset_id,
        GraderRow.benchmark_id == row.benchmark_id,
    )
    if sql.scalar(same.limit(1)) is not None:
        raise Conflict("grader_exists", f"There is a grader {row.name!r} already. Name it anew.")


def _row(sql: Session, grader_id: str) -> GraderRow:
    found = sql.get(GraderRow, grader_id)
    if found is None:
        raise NotFound("grader_not_found", f"There is no grader {grader_id!r}.")
    return found


def _grader(row: GraderRow) -> Grader:
    spec = _SPEC.validate_python(row.spec)
    return Grader(
        grader_id=row.id,
        name=row.name,
        dataset_id=row.dataset_id,
        benchmark_id=row.benchmark_id,
        spec=spec,
        version=spec.version,
        revision=row.revision,
        created_at=row.created_at,
    )
