"""One real service and Debian's Chromium for all browser tests.

The engines are the fake, so that these tests are fast and about the UI; real models are walked in
``tests/e2e``.
"""

import json
import re
import shutil
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from integration.api import Api, Json, candidates, chat
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from cluster import launch
from cluster.session import Session
from cluster.settings import REPOSITORY, Settings

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
)
# Generous: a shared machine may be slow, and no test is about absolute time.
_PATIENCE_MS = 60_000


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    chosen = Settings(
        data_folder=tmp_path_factory.mktemp("data"),
        models_folder=REPOSITORY / "tests" / "models",
        port=launch.free_ports(1)[0],
    )
    if not (chosen.web_folder / "index.html").is_file():
        pytest.fail(f"no web UI in {chosen.web_folder}: `make web/dist/index.html` builds it")
    return chosen


@pytest.fixture(scope="session")
def session(settings: Settings) -> Generator[Session]:
    with launch.service(settings) as running:
        yield running


@pytest.fixture(scope="session")
def api(session: Session) -> Generator[Api]:
    with httpx.Client(base_url=session.service_url, timeout=60) as client:
        yield Api(client)


@dataclass
class Finished:
    """Two benchmarks of one dataset that have ended, with answers that differ."""

    dataset_id: str
    first: str
    second: str


@pytest.fixture(scope="session")
def finished(api: Api) -> Finished:
    requests: list[Json] = candidates(60)
    requests[7] = chat("candidate-7", "fake:error")
    for request in requests:
        request["expected"] = "Yes"
    dataset = api.upload(requests, "screening.jsonl")
    first = api.run("fake/instant", dataset)
    second = api.run("fake/instant", dataset, max_tokens=6)
    for benchmark in (first, second):
        assert api.finished(benchmark)["status"] == "completed"
    grade(api, dataset, first, second)
    return Finished(dataset, first, second)


def grade(api: Api, dataset: str, *graded: str) -> None:
    """Have benchmarks scored, and wait until they are."""
    draft = {"name": "right", "dataset_id": dataset, "spec": {"kind": "normalized"}}
    api.client.post("/admin/graders", json=draft).raise_for_status()
    deadline = time.monotonic() + _PATIENCE_MS / 1000
    for benchmark in graded:
        path = f"/admin/benchmarks/{benchmark}/scores"
        while api.client.get(path).json()["columns"][0]["state"] != "complete":
            assert time.monotonic() < deadline, "the scores did not come"
            time.sleep(0.3)


# Not of the whole session: while Playwright runs, no asynchronous test can.
@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("Chromium is missing: `apt-get install chromium`")
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield opened
        opened.close()


@dataclass
class Console:
    """What the browser complained about. A test names what it provokes."""

    complaints: list[str] = field(default_factory=list)
    provoked: list[str] = field(default_factory=list)

    def unexpected(self) -> list[str]:
        return [
            complaint
            for complaint in self.complaints
            if not any(re.search(pattern, complaint) for pattern in self.provoked)
        ]


@pytest.fixture
def console() -> Generator[Console]:
    """Fails a test whose pages logged an error, threw, or opened a dialog."""
    heard = Console()
    yield heard
    assert heard.unexpected() == []


@pytest.fixture
def open_page(
    browser: Browser, session: Session, console: Console
) -> Generator[Callable[..., Page]]:
    """Opens pages of the service: ``open_page("/runner", viewport={…}, color_scheme="dark")``."""
    contexts: list[BrowserContext] = []

    def open_(path: str, **options: Any) -> Page:
        chosen = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"} | options
        context = browser.new_context(base_url=session.service_url, **chosen)
        contexts.append(context)
        context.set_default_timeout(_PATIENCE_MS)
        page = context.new_page()

        def refuse(dialog: Any) -> None:
            console.complaints.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        page.on("dialog", refuse)
        # Chromium starts to intercept file dialogs a while after the first listener: before the
        # test needs it, then.
        page.on("filechooser", lambda _: None)
        page.on("pageerror", lambda error: console.complaints.append(f"thrown: {error}"))
        page.on(
            "console",
            lambda said: (
                console.complaints.append(f"{said.text} ({said.location['url']})")
                if said.type == "error"
                else None
            ),
        )
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture
def dataset_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a JSONL file: ``dataset_file("name.jsonl", requests)``; text is taken as lines."""

    def write(name: str, lines: list[Json | str]) -> Path:
        file = tmp_path / name
        text = (one if isinstance(one, str) else json.dumps(one) for one in lines)
        file.write_text("".join(f"{line}\n" for line in text))
        return file

    return write
