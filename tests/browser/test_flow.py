"""The owner's flow in a real browser, by mouse and by keyboard, and what goes wrong on the way.

The service is real, its engines are the fake: ``tests/e2e`` walks real models.
"""

import csv
import json
import re
import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from integration.api import Api, Json, candidates, chat
from playwright.sync_api import Locator, Page, expect

from cluster.session import Session, command, processes

pytestmark = pytest.mark.e2e

Open = Callable[..., Page]
WriteFile = Callable[..., Path]

INSTANT, SLOW = "Fake, instant", "Fake, slow"


def people(count: int) -> list[Json]:
    """Requests whose names are not substrings of one another."""
    return [chat(f"person-{i:03}", f"Is person {i:03} a good fit?") for i in range(count)]


def section(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title, exact=True)


def card(page: Page, model: str, dataset: str) -> Locator:
    return page.get_by_role("listitem", name=f"{model} on {dataset}", exact=True)


def done(found: Locator) -> int | None:
    """The number of finished requests that a live card shows; none once it is gone."""
    text = " ".join(found.locator("dl").all_inner_texts())
    match = re.search(r"([\d,]+) / [\d,]+", text)
    return int(match[1].replace(",", "")) if match else None


def listed(page: Page, model: str, dataset: str) -> Locator:
    """The row of an ended benchmark."""
    link = page.get_by_role("link", name=f"View results of {model} on {dataset}", exact=True)
    return section(page, "Completed benchmarks").get_by_role("row").filter(has=link)


def export(page: Page, kind: str) -> Path:
    """Download the results in the Export menu's format ``kind``, by mouse."""
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as downloading:
        page.get_by_role("menuitem", name=kind, exact=True).click()
    return downloading.value.path()


def test_from_a_file_to_an_export_by_mouse(open_page: Open, dataset_file: WriteFile) -> None:
    name = "by-mouse.jsonl"
    files = [dataset_file(name, people(120)), dataset_file("another.jsonl", people(2))]
    page = open_page("/")
    expect(page).to_have_url(re.compile("/runner$"))

    # Upload; what came in last is chosen at once.
    dataset = page.get_by_role("combobox", name="Dataset")
    for file, count in zip(files, (120, 2), strict=True):
        with page.expect_file_chooser() as choosing:
            # The whole zone takes the mouse; the button in it is for the keyboard.
            page.locator("[role=presentation]").filter(has_text="Drop JSONL files").click()
        choosing.value.set_files(file)
        uploads = page.get_by_role("list", name="Uploads")
        expect(uploads).to_contain_text(f"{count} requests, all valid")
        expect(dataset).to_have_value(f"{file.name} ({count})")

    # Choose a dataset and two models, run.
    dataset.click()
    page.get_by_role("option", name=name).click()
    expect(dataset).to_have_value(f"{name} (120)")
    page.get_by_role("combobox", name="Models").click()
    for model in (SLOW, INSTANT):
        page.get_by_role("option", name=model).click()
    page.get_by_role("heading", name="Run", exact=True).click()
    page.get_by_role("button", name="Run 2 benchmarks").click()

    # Watch: the cards advance and never go back, then both benchmarks are in the list.
    slow = card(page, SLOW, name)
    expect(slow).to_be_visible()
    seen: list[int] = []
    while (now := done(slow)) is not None:
        seen.append(now)
        page.wait_for_timeout(400)
    assert seen == sorted(seen), "a card went back"
    assert any(0 < count < 120 for count in seen), seen
    for model in (SLOW, INSTANT):
        expect(listed(page, model, name)).to_contain_text("Completed")
        expect(listed(page, model, name)).to_contain_text("0 / 120")

    # View the results, filter by a candidate's name, open the answer.
    listed(page, INSTANT, name).get_by_role("link", name="View results").click()
    grid = page.get_by_role("grid", name="Results")
    expect(grid).to_have_attribute("aria-rowcount", "121")
    page.get_by_role("searchbox", name="Filter by name, prompt or response").fill("person-017")
    expect(grid).to_have_attribute("aria-rowcount", "2")
    grid.get_by_role("row").nth(1).click()
    drawer = page.get_by_role("dialog", name="person-017")
    expect(drawer).to_contain_text("Is person 017 a good fit?")
    expect(drawer.get_by_role("list")).to_contain_text("assistant")
    expect(drawer).to_contain_text("1 of 1")
    drawer.get_by_role("button", name="Close").click()
    expect(drawer).to_be_hidden()

    # Take what the filter leaves, and then all.
    rows = list(csv.DictReader(export(page, "CSV").read_text().splitlines()))
    assert [row["custom_id"] for row in rows] == ["person-017"]
    page.get_by_role("searchbox", name="Filter by name, prompt or response").clear()
    expect(grid).to_have_attribute("aria-rowcount", "121")
    lines = [json.loads(line) for line in export(page, "JSONL").read_text().splitlines()]
    assert [line["custom_id"] for line in lines] == [f"person-{i:03}" for i in range(120)]
    assert all(line["response"]["body"]["choices"][0]["message"]["content"] for line in lines)

    # Compare both models, mark an answer golden, find it again in the results.
    page.get_by_role("link", name="Benchmark Runner").click()
    for model in (INSTANT, SLOW):
        listed(page, model, name).get_by_role("checkbox").click()
    page.get_by_role("link", name="Compare 2").click()
    compared = page.get_by_role("grid", name="Answers side by side")
    expect(compared.get_by_role("columnheader")).to_have_count(3)
    expect(compared).to_have_attribute("aria-rowcount", "121")
    star = page.get_by_role("button", name=f"Golden: {INSTANT}, row 3", exact=True)
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name=INSTANT).click()
    page.get_by_role("button", name="Golden").click()
    expect(grid).to_have_attribute("aria-rowcount", "2")
    expect(grid).to_contain_text("person-003")


def tab_to(page: Page, target: Locator, key: str = "Tab") -> None:
    """Press ``key`` until ``target`` has the focus."""
    target.wait_for()
    for _ in range(150):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press(key)
    pytest.fail(f"Tab does not reach {target}")


def test_from_a_file_to_an_export_by_keyboard(open_page: Open, dataset_file: WriteFile) -> None:
    name = "by-keyboard.jsonl"
    file = dataset_file(name, people(12))
    page = open_page("/runner")
    keyboard = page.keyboard

    # The system's file dialog is not the page's; that its button opens it is.
    tab_to(page, page.get_by_role("button", name="Drop JSONL files here"))
    with page.expect_file_chooser() as choosing:
        keyboard.press("Enter")
    choosing.value.set_files(file)
    dataset = page.get_by_role("combobox", name="Dataset")
    expect(dataset).to_have_value(f"{name} (12)")

    tab_to(page, page.get_by_role("combobox", name="Models"))
    for model in ("instant", "slow"):
        keyboard.type(model)
        expect(page.get_by_role("option")).to_have_count(1)
        keyboard.press("ArrowDown")
        keyboard.press("Enter")
    run = page.get_by_role("button", name="Run 2 benchmarks")
    keyboard.press("Escape")
    tab_to(page, run)
    keyboard.press("Enter")
    expect(card(page, INSTANT, name)).to_be_visible()

    for model in (INSTANT, SLOW):
        expect(listed(page, model, name)).to_contain_text("Completed")
        tab_to(page, listed(page, model, name).get_by_role("checkbox"))
        keyboard.press("Space")
    tab_to(page, page.get_by_role("link", name="Compare 2"), "Shift+Tab")
    keyboard.press("Enter")

    # Compare: arrows move, g marks.
    compared = page.get_by_role("grid", name="Answers side by side")
    cell = compared.get_by_role("gridcell").first
    tab_to(page, cell)
    keyboard.press("g")
    expect(cell.get_by_role("button", pressed=True)).to_be_visible()
    keyboard.press("ArrowDown")
    expect(compared.get_by_role("gridcell").nth(2)).to_be_focused()
    keyboard.press("Enter")
    expect(compared.get_by_role("button", name="Show less")).to_be_visible()

    # Results: the table and the drawer have keys of their own.
    tab_to(page, compared.get_by_role("link").first, "Shift+Tab")
    keyboard.press("Enter")
    grid = page.get_by_role("grid", name="Results")
    expect(grid).to_have_attribute("aria-rowcount", "13")
    tab_to(page, page.get_by_role("searchbox", name="Filter by name, prompt or response"))
    keyboard.type("person-00")
    expect(grid).to_have_attribute("aria-rowcount", "11")
    tab_to(page, grid)
    for key in ("j", "ArrowDown"):
        keyboard.press(key)
    keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="person-001")).to_be_visible()
    keyboard.press("j")
    drawer = page.get_by_role("dialog", name="person-002")
    expect(drawer).to_contain_text("Is person 002 a good fit?")
    golden = drawer.get_by_role("button", name="Golden")
    before = golden.get_attribute("aria-pressed")
    keyboard.press("g")
    expect(golden).to_have_attribute("aria-pressed", "false" if before == "true" else "true")
    keyboard.press("Escape")
    expect(drawer).to_be_hidden()

    tab_to(page, page.get_by_role("button", name="Export"))
    keyboard.press("Enter")
    item = page.get_by_role("menuitem", name="CSV", exact=True)
    expect(item).to_be_visible()
    keyboard.press("ArrowDown")
    for _ in range(2):
        if item.evaluate("element => element === document.activeElement"):
            break
        keyboard.press("ArrowUp")
    expect(item).to_be_focused()
    with page.expect_download() as downloading:
        keyboard.press("Enter")
    rows = list(csv.DictReader(downloading.value.path().read_text().splitlines()))
    assert [row["custom_id"] for row in rows] == [f"person-{i:03}" for i in range(10)]


def test_a_malformed_file_is_refused_with_its_line_numbers(
    open_page: Open, dataset_file: WriteFile, console: Any
) -> None:
    console.provoked.append("status of 422")
    lines: list[Json | str] = [*candidates(3), "{not json", *candidates(1), '{"no": "request"}']
    file = dataset_file("malformed.jsonl", lines)
    page = open_page("/runner")

    page.get_by_label("Upload datasets").set_input_files(file)

    report = page.get_by_role("region", name="Errors by line")
    expect(report).to_be_visible()
    numbers = [int(n) for n in report.locator("tbody td:first-child").all_inner_texts()]
    # Line 5 has the same custom_id as line 1.
    assert set(numbers) == {4, 5, 6}
    expect(report).to_contain_text("{not json")
    expect(page.get_by_role("list", name="Uploads")).to_contain_text("Refused")
    expect(section(page, "Datasets").get_by_role("link", name="malformed.jsonl")).to_have_count(0)


def test_a_dataset_in_use_cannot_be_deleted_and_says_why(
    open_page: Open, api: Api, console: Any
) -> None:
    console.provoked.append("status of 409")
    dataset = api.upload(people(400), "in-use.jsonl")
    benchmark = api.run("fake/slow", dataset)
    page = open_page("/runner")

    page.get_by_role("button", name="Actions for in-use.jsonl", exact=True).click()
    page.get_by_role("menuitem", name="Delete…").click()
    question = page.get_by_role("dialog", name="Delete this dataset?")
    question.get_by_role("button", name="Delete dataset").click()

    expect(question.get_by_role("alert")).to_contain_text(benchmark)
    expect(question.get_by_role("alert")).to_contain_text("Cancel first, or wait")
    question.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("link", name="in-use.jsonl", exact=True)).to_be_visible()

    # Cancel as it says: then it can be deleted.
    card(page, SLOW, "in-use.jsonl").get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel benchmark").click()
    expect(listed(page, SLOW, "in-use.jsonl")).to_contain_text("Cancelled")
    page.get_by_role("button", name="Actions for in-use.jsonl", exact=True).click()
    page.get_by_role("menuitem", name="Delete…").click()
    question.get_by_role("button", name="Delete dataset").click()
    expect(page.get_by_role("link", name="in-use.jsonl", exact=True)).to_have_count(0)


@contextmanager
def away(session: Session) -> Generator[None]:
    """The service's proxy and replicas stand still: connections are taken, nothing is answered."""
    names = ("haproxy", "ServeReplica")
    stopped = [p for p in processes(session) if any(n in command(p) for n in names)]
    assert stopped, "nothing to stop"
    for process in stopped:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in stopped:
            # Serve replaces a replica that does not answer.
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)


def test_the_page_says_when_the_service_is_away_and_catches_up(
    open_page: Open, api: Api, session: Session, console: Any
) -> None:
    console.provoked.append("Failed to load resource")
    name = "away.jsonl"
    dataset = api.upload(people(160), name)
    benchmark = api.run("fake/slow", dataset)
    page = open_page("/runner")
    live = card(page, SLOW, name)
    # It may have to wait for the benchmark of the test before.
    expect(live).to_contain_text("Running", timeout=90_000)
    banner = page.get_by_role("alert").filter(has_text="Server away")

    with away(session):
        expect(banner).to_be_visible(timeout=20_000)
        before = done(live)
        time.sleep(2)
        assert done(live) == before, "a page without a server invents progress"

    # Serve may replace a replica that did not answer.
    expect(banner).to_be_hidden(timeout=180_000)
    expect(listed(page, SLOW, name)).to_contain_text("Completed", timeout=60_000)
    assert api.benchmark(benchmark)["completed"] == 160


HOSTILE = (
    "<script>alert('script')</script>"
    "<img class=hostile src=/nothing onerror=\"alert('image')\">"
    "<a class=hostile href=\"javascript:alert('link')\">link</a>"
)


def test_hostile_text_is_shown_as_text(open_page: Open, api: Api) -> None:
    """The fake engine echoes nothing, so the prompt, the name and the expected answer carry it."""
    hostile = {"custom_id": f"<b class=hostile>{HOSTILE}", "expected": HOSTILE}
    requests = [chat("plain", HOSTILE) | hostile, chat("other", "hello")]
    dataset = api.upload(requests, "<i class=hostile>.jsonl")
    benchmarks = [api.run("fake/instant", dataset) for _ in range(2)]
    for benchmark in benchmarks:
        api.finished(benchmark)

    pages = {
        "/runner": "<i class=hostile>.jsonl",
        f"/datasets/{dataset}?row=0": HOSTILE,
        f"/results/{benchmarks[0]}?at=0&row=0": HOSTILE,
        f"/compare?ids={','.join(benchmarks)}&row=0": HOSTILE,
    }
    for path, text in pages.items():
        page = open_page(path)
        expect(page.get_by_text(text, exact=False).first).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert page.locator(".hostile").count() == 0, path
        assert page.locator("script:not([src])").count() == 0, path


def test_filter_and_open_row_survive_a_reload_and_a_link(open_page: Open, finished: Any) -> None:
    page = open_page(f"/results/{finished.first}")
    grid = page.get_by_role("grid", name="Results")
    search = page.get_by_role("searchbox", name="Filter by name, prompt or response")
    search.fill("candidate-1")
    page.get_by_text("Succeeded", exact=True).click()
    expect(grid).to_have_attribute("aria-rowcount", "12")
    grid.get_by_role("button", name="Name").click()
    # The charts above the table move it: rates are not shown of a part of the results.
    expect(page.get_by_role("figure", name="Prompt tokens")).to_be_visible()
    expect(page.get_by_role("figure", name="Output tokens per second")).to_have_count(0)
    grid.get_by_role("row").nth(3).click()
    drawer = page.get_by_role("dialog", name="candidate-11")
    expect(drawer).to_contain_text("3 of 11")

    page.reload()
    other = open_page(page.url)

    for shown in (page, other):
        opened = shown.get_by_role("dialog", name="candidate-11")
        expect(opened).to_contain_text("3 of 11")
        shown.keyboard.press("Escape")
        expect(opened).to_be_hidden()
        expect(shown.get_by_role("searchbox")).to_have_value("candidate-1")
        expect(shown.get_by_role("radio", name="Succeeded")).to_be_checked()
        rows = shown.get_by_role("grid", name="Results")
        expect(rows).to_have_attribute("aria-rowcount", "12")
        expect(rows.locator("[aria-selected=true]")).to_contain_text("candidate-11")


def test_the_old_addresses_lead_to_the_right_pages(open_page: Open, finished: Any) -> None:
    page = open_page("/static/benchmark-runner.html")
    expect(page.get_by_role("heading", name="Completed benchmarks")).to_be_visible()

    page = open_page(f"/static/benchmark-results.html?benchmark_id={finished.first}")
    expect(page.get_by_role("grid", name="Results")).to_contain_text("candidate-0")
