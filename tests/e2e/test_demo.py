"""`benchmark-runner demo` as a user runs it, and what it leaves to be read."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from cluster import launch
from cluster.launch import Session
from cluster.settings import Settings
from serve_app.demo import EMBEDDED

pytestmark = pytest.mark.e2e

PEOPLE = ("Ada Obi", "Bo Lind", "Chen Wei", "Dina Katz", "Emre Kaya")
SKILLS = ("Python", "welding", "tax law", "nursing", "Kubernetes")


def screening(count: int) -> list[dict[str, Any]]:
    """Candidate screening requests, some with parameters of their own, two that vLLM refuses."""
    lines: list[dict[str, Any]] = []
    for i in range(count):
        person, skill = PEOPLE[i % 5], SKILLS[i // 5 % 5]
        text = f"{person} has {i % 12} years of {skill}. The role needs 5. Suitable? Yes or no."
        body: dict[str, Any] = {"messages": [{"role": "user", "content": text}], "max_tokens": 8}
        if i % 10 == 3:
            body |= {"temperature": 0.7, "seed": i, "logprobs": True}
        if i == 20:
            body["messages"][0]["content"] = "too long " * 4000
        if i == 21:
            body["temperature"] = -3
        line = {"custom_id": f"candidate-{i}", "method": "POST", "url": "/v1/chat/completions"}
        lines.append(line | {"body": body, "expected": "Yes" if i % 12 >= 5 else "No"})
    return lines


class Demo:
    """A demo process that has finished its benchmarks and keeps serving."""

    def __init__(self, process: subprocess.Popen[str], url: str, session: Session, said: str):
        self.process = process
        self.url = url
        self.session = session
        self.said = said


@pytest.fixture(scope="module")
def demo(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Demo]:
    file = tmp_path_factory.mktemp("datasets") / "screening.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in screening(60)))
    port = launch.free_ports(1)[0]
    command = [sys.executable, "-m", "serve_app", "demo", "--dataset", str(file)]
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        env={**os.environ, "BENCHMARK_RUNNER_DATA_FOLDER": str(data_folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = ""
    try:
        assert process.stdout is not None
        for line in process.stdout:
            said += line
            if "Serving until" in line:
                break
        else:
            pytest.fail(said)
        session = launch.current(Settings(data_folder=data_folder))
        assert session is not None
        yield Demo(process, f"http://127.0.0.1:{port}", session, said)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def test_two_real_models_answer_every_request_exactly_once(demo: Demo) -> None:
    benchmarks = httpx.get(f"{demo.url}/admin/benchmarks").json()["benchmarks"]
    assert {b["model_id"] for b in benchmarks} == set(EMBEDDED)
    answers: dict[str, list[str]] = {}
    for benchmark in benchmarks:
        assert (benchmark["status"], benchmark["completed"], benchmark["failed"]) == (
            "completed",
            58,
            2,
        )
        path = f"/admin/benchmarks/{benchmark['benchmark_id']}/results"
        results = httpx.get(f"{demo.url}{path}").json()["results"]
        assert [r["custom_id"] for r in results] == [f"candidate-{i}" for i in range(60)]
        good = [r for r in results if r["status_code"] == 200]
        assert len(good) == 58
        for result in good:
            assert 1 <= result["output_tokens"] <= 8
            assert 0 < result["ttft_ms"] <= result["latency_ms"]
            assert result["finish_reason"] in ("stop", "length")
        texts = [r["response"]["body"]["choices"][0]["message"]["content"] for r in good]
        answers[benchmark["model_id"]] = texts
    first, second = answers.values()
    assert first != second, "two different models that answer all the same are one model"


def test_what_vllm_refuses_is_a_result_with_its_own_error(demo: Demo) -> None:
    benchmark = httpx.get(f"{demo.url}/admin/benchmarks").json()["benchmarks"][0]
    path = f"/admin/benchmarks/{benchmark['benchmark_id']}/results"
    results = httpx.get(f"{demo.url}{path}").json()["results"]

    too_long, bad_parameter = results[20]["response"], results[21]["response"]

    assert too_long["status_code"] == 400
    assert "context length" in too_long["body"]["error"]["message"]
    assert bad_parameter["status_code"] == 400
    assert "temperature" in bad_parameter["body"]["error"]["message"]
    assert results[23]["response"]["body"]["choices"][0]["logprobs"]["content"]


def test_the_summary_names_both_models(demo: Demo) -> None:
    assert "SmolLM2" in demo.said
    assert "Gemma" in demo.said
    assert "tok/s" in demo.said


def test_ctrl_c_leaves_no_process_behind(demo: Demo) -> None:
    assert launch.processes(demo.session)

    demo.process.send_signal(signal.SIGINT)
    demo.process.communicate(timeout=60)

    assert launch.processes(demo.session) == []
    deadline = time.monotonic() + 5
    while psutil.pid_exists(demo.process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert demo.process.returncode == 0
    assert not demo.session.ray_folder.exists()
