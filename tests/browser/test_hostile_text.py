"""Whatever a dataset or a model says, every page shows it as text and runs none of it."""

from collections.abc import Callable
from dataclasses import dataclass

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from integration.api import Api, chat
from playwright.sync_api import Page, expect

from cluster.settings import Settings

pytestmark = pytest.mark.e2e

Open = Callable[..., Page]

HOSTILE = (
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(2)">',
    "[click](javascript:alert(3)) ![p](http://127.0.0.1:9/p.png)",
    '"><svg onload=alert(4)>',
    "<iframe srcdoc='<script>alert(5)</script>'></iframe>",
)


# Browsers percent-encode quotes in a file's name.
FILE = "<img src=x onerror=alert(6)>.jsonl"


@dataclass
class Attack:
    dataset_id: str
    benchmarks: tuple[str, str]


@pytest.fixture(scope="module")
def attack(api: Api, settings: Settings) -> Attack:
    """A dataset with such texts in all its places, and two benchmarks that answer with them."""
    requests = [chat(text, f"prompt {text}", user=text) for text in HOSTILE]
    for request in requests:
        request["expected"] = request["metadata"] = HOSTILE[1]
    dataset = api.upload(requests, FILE)
    ended = [api.run("fake/instant", dataset) for _ in range(2)]
    for benchmark in ended:
        assert api.finished(benchmark)["status"] == "completed"
        folder = settings.data_folder / "storage" / "benchmarks" / benchmark / "parts"
        for part in folder.glob("*.parquet"):
            pq.write_table(with_their_answers(pq.read_table(part)), part)
    return Attack(dataset, (ended[0], ended[1]))


def with_their_answers(table: pa.Table) -> pa.Table:
    """The fake engine never says such a thing, so its answers are replaced where they lie."""
    rows = table.to_pylist()
    for row in rows:
        said = f"answer {HOSTILE[row['row_id']]}"
        message = {"role": "assistant", "content": said}
        row["text"], row["finish_reason"] = said, HOSTILE[1]
        row["body"] = orjson.dumps({"choices": [{"message": message}]}).decode()
    return pa.Table.from_pylist(rows, schema=table.schema)


def harmless(page: Page) -> None:
    """No element came of any of the texts. Dialogs and blocked scripts fail by the console."""
    made = "img, iframe, body script:not([src]), [onload], [onerror], a[href^=javascript]"
    expect(page.locator(made)).to_have_count(0)


def test_the_runner(open_page: Open, attack: Attack) -> None:
    page = open_page("/runner")
    expect(page.get_by_role("cell", name=FILE, exact=True).first).to_be_visible()
    harmless(page)


def test_a_dataset(open_page: Open, attack: Attack) -> None:
    page = open_page(f"/datasets/{attack.dataset_id}")
    for text in HOSTILE:
        expect(page.get_by_text(text, exact=True).first).to_be_visible()
    harmless(page)


def test_results_and_their_details(open_page: Open, attack: Attack) -> None:
    page = open_page(f"/results/{attack.benchmarks[0]}")
    grid = page.get_by_role("grid", name="Results")
    for text in HOSTILE:
        expect(grid.get_by_text(f"answer {text}").first).to_be_visible()
    harmless(page)
    for row, text in enumerate(HOSTILE):
        page.goto(f"/results/{attack.benchmarks[0]}?row={row}&at={row}")
        drawer = page.get_by_role("dialog")
        for shown in (text, f"prompt {text}", f"answer {text}"):
            expect(drawer.get_by_text(shown, exact=True).first).to_be_visible()
        harmless(page)


def test_a_comparison(open_page: Open, attack: Attack) -> None:
    page = open_page(f"/compare?ids={','.join(attack.benchmarks)}")
    for text in HOSTILE:
        expect(page.get_by_text(f"answer {text}").first).to_be_visible()
    harmless(page)
