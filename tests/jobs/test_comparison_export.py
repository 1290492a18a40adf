"""Comparisons as files, and the report: whole, in order, and harmless whatever models wrote."""

# ruff: noqa: F401, F811 - fixtures are imported

import csv
import html
import io
import re
from html.parser import HTMLParser

import orjson
import pytest
from ext_fixtures import MODELS, failure, make_benchmark, place, record, request, store_dataset

from jobs import comparison_export, graders, scorer
from jobs.analysis import ComparisonSort
from jobs.compare import compare
from jobs.errors import NotFound
from jobs.scoring import GraderDraft

EVIL = "</td><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7*7 }}"


@pytest.fixture
def pair(store_dataset, make_benchmark):
    dataset = store_dataset(
        *(request(f"r-{i}", f"Question {i}", expected="yes") for i in range(3)),
        request("=r-3", "<b>bold</b>"),
    )
    one = make_benchmark(
        [record(0, "yes"), record(1, "no"), record(2, "=1+1"), record(3, EVIL, custom_id="=r-3")],
        dataset,
        MODELS[0],
    )
    two = make_benchmark([record(0, "yes"), record(1, "No!"), failure(2)], dataset, MODELS[1])
    draft = GraderDraft(name="right", dataset_id=dataset.id, spec={"kind": "exact"})
    graders.create(draft)
    for benchmark_id in (one, two):
        scorer.refresh(benchmark_id)
    return one, two


def data(pair, form, **more):
    return b"".join(comparison_export.download(pair, form, **more)).decode()


def test_a_table_has_every_answer_and_score_side_by_side(pair):
    rows = list(csv.DictReader(io.StringIO(data(pair, "csv"), newline="")))
    assert [row["custom_id"] for row in rows] == ["r-2", "'=r-3", "r-1", "r-0"]
    last = rows[-1]
    assert (last["prompt"], last["expected"]) == ("Question 0", "yes")
    assert (last["agreement"], last["similarity"]) == ("exact", "1.0")
    assert (last["Test/One: text"], last["Test/Two: text"]) == ("yes", "yes")
    assert (last["Test/One: score: right"], last["Test/Two: score: right"]) == ("1.0", "1.0")
    assert rows[0]["Test/One: text"] == "'=1+1"
    assert rows[0]["Test/Two: status_code"] == "400"
    assert rows[0]["Test/Two: score: right"] == ""
    assert rows[1]["Test/Two: status_code"] == ""


@pytest.mark.parametrize("sort", list(ComparisonSort))
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("q", [None, "question", "bold", "nothing"])
def test_the_file_has_the_rows_of_the_page_in_its_order(pair, sort, order, q):
    shown = compare(pair, 100, 0, q, sort, order)
    lines = [
        orjson.loads(line) for line in data(pair, "jsonl", q=q, sort=sort, order=order).splitlines()
    ]
    assert [line["custom_id"] for line in lines] == [row.custom_id for row in shown.rows]
    for line, row in zip(lines, shown.rows, strict=True):
        assert line["agreement"] == row.agreement
        for own, result in zip(line["results"], row.results, strict=True):
            assert (own and own["text"]) == (result and result.text)


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes = set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs


def test_the_report_stands_alone_and_what_models_wrote_is_text(pair):
    page = data(pair, "html")
    read = Tags()
    read.feed(page)
    assert not read.tags & {"script", "img", "link", "iframe", "object", "form", "b", "a"}
    assert not [name for name, _ in read.attributes if name.startswith(("on", "src", "href"))]
    assert html.escape("{{ 7*7 }}") in page
    assert "49" not in re.sub(r"<[^>]+>", "", page.split("</style>")[1])
    assert "url(" not in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


def test_the_report_says_what_the_comparison_shows(pair):
    page = data(pair, "html")
    for said in (
        "Comparison of Test/One, Test/Two",
        "right: No difference shown between Test/One and Test/Two",
        "Failed with status 400. rejected",
        "<ins>No!</ins>",
        "<del>no</del>",
        "No result",
        "4 requests, 1 not answered by all",
    ):
        assert said in page
    assert "Question 1" not in data(pair, "html", q="bold")


def test_an_unknown_benchmark_is_refused_before_the_first_byte(pair):
    for form in ("csv", "jsonl", "html"):
        with pytest.raises(NotFound):
            comparison_export.download([pair[0], "bm_no"], form)
