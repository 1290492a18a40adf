"""Results from elsewhere, blind votes and marks, as people make them in a real browser."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from integration.api import Api
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.e2e

Open = Callable[..., Page]


def test_results_are_imported_and_voted_on_without_names(
    open_page: Open, api: Api, finished: Any, tmp_path: Path
) -> None:
    file = tmp_path / "current.csv"
    rows = (f'candidate-{i},"A person wrote this about {i}."\n' for i in range(60))
    file.write_text("custom_id,response\n" + "".join(rows) + "stranger,Who?\n")
    page = open_page(f"/datasets/{finished.dataset_id}")
    page.get_by_role("button", name="Import results").click()
    page.get_by_label("What they are of").fill("Current system")
    with page.expect_file_chooser() as chooser:
        page.get_by_label("File").click()
    chooser.value.set_files(file)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("60 answers of Current system")).to_be_visible()
    expect(page.get_by_text("stranger")).to_be_visible()
    page.get_by_role("link", name="View results").click()
    expect(page.get_by_text("A person wrote this about 0.")).to_be_visible()
    imported = page.url.rsplit("/", 1)[1].split("?")[0]

    page.goto(f"/compare?ids={imported},{finished.first}")
    expect(page.get_by_text("No votes yet.")).to_be_visible()
    page.get_by_role("link", name="Vote blind").click()
    page.get_by_label("Your name").fill("Ada Lovelace")
    page.keyboard.press("Enter")
    left = page.get_by_role("region", name="Answer on the left")
    for done in range(12):
        expect(left).to_be_visible()
        expect(page.get_by_role("status").first).to_contain_text(f"{done} vote")
        assert "Current system" not in page.inner_text("main")
        person = "A person wrote" in left.inner_text()
        page.keyboard.press("1" if person else "ArrowRight")
    expect(page.get_by_role("status").first).to_contain_text("12 votes of yours")
    # It is shown at once, and true once the service has said so.
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.keyboard.press("u")
    expect(page.get_by_role("status").first).to_contain_text("11 votes of yours")

    page.get_by_role("link", name="See what the votes say").click()
    verdict = re.compile(r"Current system is preferred: it wins 9\d % .* by 11 votes")
    expect(page.get_by_text(verdict)).to_be_visible()
    voters = api.client.get(
        "/admin/votes/standings", params={"benchmark_id": [imported, finished.first]}
    ).json()["voters"]
    assert [(one["author"], one["votes"]) for one in voters] == [("Ada Lovelace", 11)]


def test_a_result_is_marked_by_key_and_found_by_its_mark(
    open_page: Open, api: Api, finished: Any
) -> None:
    page = open_page(f"/results/{finished.second}?at=3&row=3")
    panel = page.get_by_role("region", name="Mark", exact=True)
    expect(panel).to_be_visible()
    page.keyboard.press("f")
    panel.get_by_label("Response as it should be").fill("Yes, by far.")
    panel.get_by_label("Your name").fill("Grace")
    panel.get_by_role("button", name="Save the mark").click()
    expect(panel.get_by_text(re.compile("^Fix by Grace"))).to_be_visible()

    page.goto(f"/results/{finished.second}?mark=fix")
    grid = page.get_by_role("grid", name="Results")
    expect(grid.get_by_role("img", name="Fix")).to_have_count(1)
    (mark,) = api.client.get(f"/admin/benchmarks/{finished.second}/marks").json()["marks"]
    assert (mark["row_id"], mark["response"], mark["author"]) == (3, "Yes, by far.", "Grace")
