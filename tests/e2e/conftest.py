"""The whole product with real vLLM, on the two models that come with the installation."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cluster import launch
from cluster.session import Session
from cluster.settings import REPOSITORY, Settings

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


@dataclass(frozen=True)
class Demo:
    """A demo process that has finished its benchmarks and keeps serving."""

    process: subprocess.Popen[str]
    url: str
    session: Session
    said: str


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty data folder that shares the repository's prepared weights.

    Preparing takes a minute per machine; `make demo` and the tests do it once between them.
    """
    folder = tmp_path_factory.mktemp("data")
    prepared = REPOSITORY / "data" / "models"
    prepared.mkdir(parents=True, exist_ok=True)
    (folder / "models").symlink_to(prepared)
    return folder


@pytest.fixture(scope="session")
def demo(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Demo]:
    file = tmp_path_factory.mktemp("datasets") / "screening.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in screening(60)))
    port = launch.free_ports(1)[0]
    command = [sys.executable, "-m", "serve_app", "demo", "--dataset", str(file)]
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        env={
            **os.environ,
            "BENCHMARK_RUNNER_DATA_FOLDER": str(data_folder),
            "BENCHMARK_RUNNER_ADDED_MODELS_FOLDER": str(data_folder / "models"),
        },
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
