"""axe finds nothing on any page in either scheme, and no page scrolls sideways on a phone."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from cluster.settings import REPOSITORY

pytestmark = pytest.mark.e2e

AXE = REPOSITORY / "web" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

# Each with the accessible role and name of what is on it last, once it has loaded.
PAGES = {
    "runner": ("/runner?pick={first}", "region", "Completed list"),
    "dataset": ("/datasets/{dataset_id}?row=1", "heading", "Requests"),
    "results": ("/results/{first}?sort=latency_ms&order=desc", "grid", "Results"),
    "graders": ("/results/{first}?graders=true", "button", "Add grader"),
    "detail": ("/results/{first}?at=7&row=7", "dialog", "candidate-7"),
    "compare": ("/compare?ids={first},{second}&row=3", "grid", "Answers side by side"),
    "vote": ("/vote?benchmark_id={first},{second}", "textbox", "Your name"),
}


def show(open_page: Callable[..., Page], finished: Any, name: str, **options: Any) -> Page:
    path, role, label = PAGES[name]
    page = open_page(path.format(**vars(finished)), **options)
    expect(page.get_by_role(role, name=label, exact=True)).to_be_visible()  # type: ignore[arg-type]
    if name == "vote":
        page.get_by_role("textbox", name=label).fill("Ada")
        page.keyboard.press("Enter")
        expect(page.get_by_role("region", name="Answer on the left")).to_be_visible()
    page.wait_for_load_state("networkidle")
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(
    open_page: Callable[..., Page], finished: Any, name: str, scheme: str
) -> None:
    page = show(open_page, finished, name, color_scheme=scheme)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(12, 12, 14)" if scheme == "dark" else "rgb(250, 250, 250)")

    page.evaluate(AXE.read_text() + "; null")
    options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    found = page.evaluate("options => axe.run(document, options)", options)

    assert [
        f"{violation['id']}: {node['target']} {node['failureSummary']} {node['html'][:200]}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ] == []
    assert len(found["passes"]) > 10, "axe looked at an empty page"


@pytest.mark.parametrize("name", PAGES)
def test_no_page_scrolls_sideways_on_a_phone(
    open_page: Callable[..., Page], finished: Any, name: str
) -> None:
    page = show(open_page, finished, name, viewport={"width": 390, "height": 844})

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
