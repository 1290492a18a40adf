"""A benchmark's life on real Ray: run, queue, cancel, fail. Kills are in ``tests/chaos``."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from integration.api import Api, candidates, chat

from cluster.session import Session, command, processes

pytestmark = pytest.mark.integration


def test_every_request_comes_back_exactly_once(api: Api) -> None:
    dataset = api.upload(candidates(1000))
    benchmark = api.run("fake/instant", dataset)

    ended = api.finished(benchmark)

    assert (ended["status"], ended["progress"], ended["error"]) == ("completed", 100, None)
    assert (ended["completed"], ended["failed"], ended["total"]) == (1000, 0, 1000)
    assert ended["output_tokens"] == 16_000
    assert ended["throughput"] > 0
    page = api.results(benchmark, limit=1000)
    assert [r["custom_id"] for r in page["results"]] == [f"candidate-{i}" for i in range(1000)]
    lines = api.client.get(f"/admin/benchmarks/{benchmark}/results/download").text.splitlines()
    assert [json.loads(line)["custom_id"] for line in lines] == [
        f"candidate-{i}" for i in range(1000)
    ]


def test_a_rejected_request_fails_alone(api: Api) -> None:
    dataset = api.upload([chat("good", "hello"), chat("bad", "fake:error"), chat("fine", "hi")])

    ended = api.finished(benchmark := api.run("fake/instant", dataset))

    assert (ended["status"], ended["completed"], ended["failed"]) == ("completed", 2, 1)
    bad = api.results(benchmark)["results"][1]
    assert bad["custom_id"] == "bad"
    assert bad["response"]["status_code"] == 400
    assert bad["response"]["body"]["error"]["message"] == "rejected as asked"


def test_benchmarks_wait_for_each_other_and_partial_results_are_readable(api: Api) -> None:
    dataset = api.upload(candidates(120))
    first, second = api.run("fake/slow", dataset), api.run("fake/instant", dataset)

    assert api.benchmark(second)["queue_position"] == 1
    api.wait(first, lambda b: 0 < b["completed"] < 120)
    partial = api.results(first)
    assert 0 < partial["total"] < 120
    assert partial["status"] == "running"
    assert all(r["response"]["status_code"] == 200 for r in partial["results"])

    assert api.finished(first)["status"] == "completed"
    assert api.finished(second)["status"] == "completed"
    assert api.benchmark(second)["started_at"] >= api.benchmark(first)["completed_at"]


def test_a_dataset_in_use_is_kept_and_a_cancelled_benchmark_keeps_its_results(
    api: Api, session: Session
) -> None:
    dataset = api.upload(candidates(200))
    benchmark = api.run("fake/slow", dataset)
    api.wait(benchmark, lambda b: b["completed"] > 0)
    refused = api.client.delete(f"/admin/datasets/{dataset}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "dataset_in_use")

    for _ in range(2):
        api.client.post(f"/admin/benchmarks/{benchmark}/cancel").raise_for_status()
    ended = api.finished(benchmark)

    assert ended["status"] == "cancelled"
    assert 0 < ended["completed"] < 200
    assert api.results(benchmark)["total"] == ended["completed"]
    assert not [p for p in processes(session) if "MapWorker" in command(p)]
    api.client.delete(f"/admin/datasets/{dataset}").raise_for_status()
    assert api.results(benchmark)["total"] > 0


def test_a_cancelled_benchmark_goes_on_where_it_was(api: Api) -> None:
    benchmark = api.run("fake/slow", api.upload(candidates(120)))
    api.wait(benchmark, lambda b: b["completed"] > 4)
    api.client.post(f"/admin/benchmarks/{benchmark}/cancel").raise_for_status()
    before = api.finished(benchmark)
    kept = {r["custom_id"]: r["id"] for r in api.results(benchmark)["results"]}

    again = api.client.post(f"/admin/benchmarks/{benchmark}/retry-failed").raise_for_status().json()
    ended = api.finished(benchmark)

    assert again["completed"] == before["completed"]
    assert (ended["status"], ended["completed"], ended["attempts"]) == ("completed", 120, 2)
    results = api.results(benchmark)["results"]
    assert [r["custom_id"] for r in results] == [f"candidate-{i}" for i in range(120)]
    finished_at = {r["custom_id"]: r["id"] for r in results}
    assert kept.items() <= finished_at.items()


def test_failed_requests_are_asked_again_and_a_benchmark_can_be_run_anew(api: Api) -> None:
    dataset = api.upload([*candidates(5), chat("bad", "fake:error")])
    first = api.run("fake/instant", dataset, max_tokens=4)
    assert api.finished(first)["failed"] == 1
    failed_at = api.results(first, outcome="failed")["results"][0]["finished_at"]

    api.client.post(f"/admin/benchmarks/{first}/retry-failed").raise_for_status()
    assert api.finished(first)["failed"] == 1
    assert api.results(first, outcome="failed")["results"][0]["finished_at"] > failed_at
    assert api.results(first)["total"] == 6

    second = api.client.post(f"/admin/benchmarks/{first}/rerun").raise_for_status().json()
    ended = api.finished(second["benchmark_id"])
    assert (ended["completed"], ended["failed"], ended["output_tokens"]) == (5, 1, 20)
    both = {"benchmark_id": [first, second["benchmark_id"]]}
    compared = api.client.get("/admin/comparisons", params=both).raise_for_status().json()
    assert compared["total"] == 6
    assert all(row["similarity"] == 1 for row in compared["rows"])

    again = f"/admin/benchmarks/{second['benchmark_id']}"
    agreed = api.client.get(f"{again}/agreement").raise_for_status().json()
    assert (agreed["first_id"], agreed["exact_share"], agreed["changed"]) == (first, 1, [])
    assert (agreed["compared"], agreed["both_failed"]) == (5, 1)
    manifest = api.client.get(f"{again}/manifest").raise_for_status().json()
    (engine,) = manifest["engines"]
    assert engine["machine"]["cpu"]
    assert engine["versions"]["ray"] == manifest["versions"]["ray"]


def test_a_queued_benchmark_can_be_cancelled(api: Api) -> None:
    dataset = api.upload(candidates(20))
    first, queued = api.run("fake/slow", dataset), api.run("fake/slow", dataset)

    answer = api.client.post(f"/admin/benchmarks/{queued}/cancel").raise_for_status().json()

    assert answer["status"] == "cancelled"
    assert api.finished(first)["status"] == "completed"


def test_a_model_that_cannot_be_loaded_fails_its_benchmark_with_the_reason(api: Api) -> None:
    benchmark = api.run("broken/unloadable", api.upload(candidates(3)))

    ended = api.finished(benchmark)

    assert ended["status"] == "failed"
    assert "no config.json in /nonexistent/weights" in ended["error"]


def test_a_job_submitted_by_hand_appears_like_any_other(
    api: Api, session: Session, tmp_path: Path
) -> None:
    file = tmp_path / "by-hand.jsonl"
    file.write_text("".join(json.dumps(request) + "\n" for request in candidates(50)))
    ray = str(Path(sys.executable).with_name("ray"))
    command = [ray, "job", "submit", "--", "python", "-m", "jobs.driver"]

    done = subprocess.run(
        [*command, "--model", "fake/instant", "--dataset", str(file), "--max-tokens", "4"],
        env={**os.environ, **session.client_environment()},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    newest = api.client.get("/admin/benchmarks").json()["benchmarks"][0]
    assert (newest["dataset_name"], newest["model_id"]) == ("by-hand.jsonl", "fake/instant")
    assert (newest["status"], newest["completed"]) == ("completed", 50)
    assert newest["sampling"]["max_tokens"] == 4
    assert newest["output_tokens"] == 200


def test_ready_says_what_works(api: Api) -> None:
    ready = api.client.get("/ready")

    assert ready.status_code == 200
    assert set(ready.json()["checks"]) == {"database", "storage", "tracker", "ray"}


def test_memory_stays_flat_while_a_large_file_is_uploaded(
    api: Api, session: Session, tmp_path: Path
) -> None:
    """Peak memory of the service grows by a small part of the file's 256 MB."""
    file = tmp_path / "large.jsonl"
    with file.open("w") as out:
        for i in range(256):
            text = "x" * 2**20
            out.write(json.dumps(chat(f"large-{i}", text)) + "\n")
    service = [p.pid for p in processes(session) if "Serve" in command(p)]
    before = sum(map(_peak_bytes, service))

    with file.open("rb") as body:
        answer = api.client.post("/admin/datasets/upload", files={"file": body}, timeout=300)

    assert answer.json()["count"] == 256
    grown = sum(map(_peak_bytes, service)) - before
    assert grown < file.stat().st_size / 2
    api.client.delete(f"/admin/datasets/{answer.json()['dataset_id']}").raise_for_status()


def _peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if "VmHWM" in line)
