"""Every page of a running service in light and dark, into docs/screenshots.

``python tests/browser/screenshots.py [URL]``; without a URL, of the service on the data folder.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import sync_playwright

from cluster import launch
from cluster.settings import REPOSITORY, Settings

FOLDER = REPOSITORY / "docs" / "screenshots"
# Where the page keeps the name of who judges; without one there are no ballots.
AUTHOR_KEY = "benchmark-runner:author"
SIZE = {"width": 1400, "height": 900}
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")


def main() -> None:
    url = sys.argv[1] if len(sys.argv) > 1 else running()
    chromium = shutil.which("chromium") or sys.exit("Chromium is missing: apt-get install chromium")
    FOLDER.mkdir(parents=True, exist_ok=True)
    paths = pages(url)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport=SIZE,  # type: ignore[arg-type]
                color_scheme=scheme,
                reduced_motion="reduce",
            )
            context.add_init_script(f"localStorage.setItem('{AUTHOR_KEY}', 'Ada Lovelace')")
            page = context.new_page()
            for name, path in paths.items():
                file = FOLDER / f"{name}-{scheme}.png"
                page.goto(url + path, wait_until="networkidle")
                page.locator("[data-loading], .mantine-Skeleton-root").first.wait_for(
                    state="detached"
                )
                page.screenshot(path=file, animations="disabled")
                shrink(file)
                print(f"{file.relative_to(REPOSITORY)}  {file.stat().st_size / 1000:.0f} kB")
            context.close()
        browser.close()


def running() -> str:
    session = launch.current(Settings())
    if session is None:
        sys.exit("No service runs on the data folder: `make demo`, or give its URL")
    return session.service_url


def pages(url: str) -> dict[str, str]:
    """The pages' paths, with two completed benchmarks of one dataset and different models."""
    with httpx.Client(base_url=url, timeout=60) as client:
        query = {"status": "completed", "limit": 1000}
        ended: list[dict[str, Any]] = client.get("/admin/benchmarks", params=query).json()[
            "benchmarks"
        ]
    for one in ended:
        for other in ended:
            if (
                one["dataset_id"] == other["dataset_id"]
                and one["model_id"] != other["model_id"]
                and one["total"] > 3
            ):
                first, second = one["benchmark_id"], other["benchmark_id"]
                models = "%2C".join((one["model_id"], other["model_id"]))
                chosen = f"dataset={one['dataset_id']}&models={models}"
                return {
                    "runner": f"/runner?{chosen}&pick={first}%2C{second}",
                    "dataset": f"/datasets/{one['dataset_id']}?row=1",
                    "results": f"/results/{first}",
                    "detail": f"/results/{first}?at=2&row=2",
                    "compare": f"/compare?ids={first}%2C{second}",
                    "vote": f"/vote?benchmark_id={first}%2C{second}",
                }
    sys.exit("The service has no two completed benchmarks of one dataset with different models")


def shrink(file: Path) -> None:
    """Fewer colours: a page has few, so nobody sees it, and the file is a third."""
    with Image.open(file) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(file, optimize=True)


if __name__ == "__main__":
    main()
