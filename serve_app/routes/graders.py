"""Graders and scores."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from jobs import benchmarks, graders, judgements, scores
from jobs.schemas.base import Id
from jobs.schemas.benchmarks import BenchmarkStarted
from jobs.scoring import (
    Grader,
    GraderChange,
    GraderDraft,
    GraderList,
    JudgeRequest,
    ScoreColumns,
)
from serve_app import tracking
from serve_app.errors import responses
from serve_app.paging import Limit, Offset
from serve_app.routes.benchmarks import BenchmarkId
from serve_app.routes.datasets import Deleted

router = APIRouter(tags=["scores"])

GraderId = Annotated[Id, Path(description="A grader's id.", examples=["gr_7c0d81f2ab34"])]


@router.post("/admin/graders", summary="Make a grader", responses=responses(404, 409, 422))
def create_grader(draft: GraderDraft) -> Grader:
    """Grade every benchmark over a dataset, or one benchmark, those at work included. Scores
    appear in the background; a judge gives them when it is asked (`…/judge`)."""
    return graders.create(draft)


@router.get("/admin/graders", summary="List graders", responses=responses(404, 422))
def list_graders(
    limit: Limit = 100,
    offset: Offset = 0,
    dataset_id: Annotated[Id | None, Query(description="Only of this dataset.")] = None,
    benchmark_id: Annotated[
        Id | None, Query(description="Only those that grade this benchmark.")
    ] = None,
) -> GraderList:
    """Graders in the order in which they were made."""
    found, total = graders.all_graders(limit, offset, dataset_id, benchmark_id)
    return GraderList(graders=found, total=total)


@router.get("/admin/graders/{grader_id}", summary="Get a grader", responses=responses(404))
def get_grader(grader_id: GraderId) -> Grader:
    return graders.get(grader_id)


@router.put("/admin/graders/{grader_id}", summary="Change a grader", responses=responses(404, 422))
def change_grader(grader_id: GraderId, change: GraderChange) -> Grader:
    """Its scores are computed anew; a judge has to be asked again."""
    return graders.replace(grader_id, change.spec)


@router.post(
    "/admin/graders/{grader_id}/recompute",
    summary="Compute scores anew",
    responses=responses(404),
)
def recompute_scores(grader_id: GraderId) -> Grader:
    """Forget the scores of a grader; they appear again in the background. Of a judge, its verdicts
    are read again; to have it judge again, ask it again."""
    return graders.recompute(grader_id)


@router.delete("/admin/graders/{grader_id}", summary="Delete a grader", responses=responses(404))
def delete_grader(grader_id: GraderId) -> Deleted:
    """Delete a grader and its scores."""
    graders.delete(grader_id)
    return Deleted(id=grader_id)


@router.get(
    "/admin/benchmarks/{benchmark_id}/scores",
    summary="Scores of a benchmark",
    responses=responses(404),
)
def list_scores(benchmark_id: BenchmarkId) -> ScoreColumns:
    """What each grader's scores amount to, as far as they exist. The scores themselves come with
    the results."""
    found = scores.columns(benchmarks.get(benchmark_id))
    return ScoreColumns(benchmark_id=benchmark_id, columns=[scores.summary(one) for one in found])


@router.post(
    "/admin/benchmarks/{benchmark_id}/judge",
    summary="Have answers judged",
    responses=responses(404, 409, 422),
)
def judge_benchmark(benchmark_id: BenchmarkId, asked: JudgeRequest) -> BenchmarkStarted:
    """Run a judge over an ended benchmark's answers, as a benchmark of its own: watch it under the
    id that this answers with. When it ends, its verdicts become scores."""
    judge = judgements.start(benchmark_id, asked)
    tracking.wake()
    current = benchmarks.get(judge.benchmark_id)
    return BenchmarkStarted(
        benchmark_id=current.benchmark_id, status=current.status, started_at=current.started_at
    )
