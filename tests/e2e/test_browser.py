"""The owner's flow in a real browser on a real model: upload, run, watch, view, compare, export."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = pytest.mark.e2e

_PATIENCE_MS = 300_000


def test_a_person_runs_a_real_model_and_compares(demo: Any, tmp_path: Path) -> None:
    file = tmp_path / "people.jsonl"
    lines = [
        {"messages": [{"role": "user", "content": f"Greet person {i}."}], "max_tokens": 6}
        for i in range(12)
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(base_url=demo.url)
        page.set_default_timeout(_PATIENCE_MS)
        expect.set_options(timeout=_PATIENCE_MS)
        run_smollm2(page, file)
        read_results(page)
        compare_the_demo(page)
        browser.close()


def run_smollm2(page: Page, file: Path) -> None:
    page.goto("/static/benchmark-runner.html")
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_role("list", name="Uploads")).to_contain_text("12 requests, all valid")
    expect(page.get_by_role("combobox", name="Dataset")).to_have_value("people.jsonl (12)")
    page.get_by_role("combobox", name="Models").fill("SmolLM2")
    page.get_by_role("option", name=re.compile("SmolLM2")).click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("^Run")).click()
    expect(page.get_by_role("listitem", name="SmolLM2 135M on people.jsonl")).to_be_visible()
    page.get_by_role("link", name="View results of SmolLM2 135M on people.jsonl").click()


def read_results(page: Page) -> None:
    grid = page.get_by_role("grid", name="Results")
    expect(grid).to_have_attribute("aria-rowcount", "13")
    expect(grid).to_contain_text("Greet person 0.")
    page.get_by_role("searchbox").fill("person 7")
    expect(grid).to_have_attribute("aria-rowcount", "2")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as downloading:
        page.get_by_role("menuitem", name="JSONL", exact=True).click()
    (line,) = downloading.value.path().read_text().splitlines()
    exported = json.loads(line)
    assert exported["custom_id"] == "line-8"
    assert exported["response"]["body"]["model"] == "HuggingFaceTB/SmolLM2-135M-Instruct"


def compare_the_demo(page: Page) -> None:
    page.goto("/runner")
    for model in ("SmolLM2 135M", "Gemma 3 270M"):
        link = page.get_by_role("link", name=f"View results of {model} on screening.jsonl")
        page.get_by_role("row").filter(has=link).get_by_role("checkbox").click()
    page.get_by_role("link", name="Compare 2").click()
    compared = page.get_by_role("grid", name="Answers side by side")
    expect(compared).to_have_attribute("aria-rowcount", "61")
    expect(compared.get_by_role("columnheader")).to_have_count(3)
