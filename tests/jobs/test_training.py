"""Training files: what they hold, where it comes from, and that `datasets` loads them."""

# ruff: noqa: F401, F811 - fixtures are imported

import io
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest
from ext_fixtures import MODELS, failure, make_benchmark, place, record, request, store_dataset

from jobs import golden, marks, training
from jobs.errors import InvalidRequest, NotFound
from jobs.schemas.marks import Marking, MarkKind


@pytest.fixture
def dataset(store_dataset):
    image = [{"type": "image_url", "image_url": {"url": "data:,"}}]
    system = {"role": "system", "content": "Be brief"}
    parts = [{"type": "text", "text": "Question"}, {"type": "text", "text": "2"}]
    return store_dataset(
        request("r-0", "Question 0"),
        request("r-1", body={"messages": [system, {"role": "user", "content": "Question 1"}]}),
        request("r-2", parts),
        request("r-3", image),
        request("r-4", url="/v1/completions", body={"prompt": "Once"}),
        request("r-5", "Question 5"),
    )


@pytest.fixture
def pair(dataset, make_benchmark):
    left = make_benchmark([record(i, f"left {i}") for i in range(6)], dataset, MODELS[0])
    right = [record(0, "left 0"), record(1, "right 1"), record(2, "right 2"), failure(5)]
    right += [record(4, "right 4")]
    return left, make_benchmark(right, dataset, MODELS[1])


def lines(form, *ids, **more):
    data = b"".join(training.download(form, ids, **more))
    return [orjson.loads(line) for line in data.splitlines()]


def test_a_conversation_ends_in_the_golden_answer(dataset, pair):
    for row in (0, 1, 2, 3, 4):
        golden.mark(pair[0], row)
    found = lines("messages", *pair)
    assert [one["messages"] for one in found[:2]] == [
        [
            {"role": "user", "content": "Question 0"},
            {"role": "assistant", "content": "left 0"},
        ],
        [
            {"role": "system", "content": "Be brief"},
            {"role": "user", "content": "Question 1"},
            {"role": "assistant", "content": "left 1"},
        ],
    ]
    # The image is left out, texts in parts are joined, a plain prompt is a user's message.
    assert [one["messages"][-2]["content"] for one in found[2:]] == ["Question\n2", "Once"]
    assert found[0]["provenance"] | {"finished_at": ""} == {
        "benchmark_id": pair[0],
        "model_id": MODELS[0],
        "revision": "",
        "sampling": '{"temperature":0.0}',
        "dataset_id": dataset.id,
        "dataset_name": "test.jsonl",
        "dataset_sha256": dataset.sha256,
        "custom_id": "r-0",
        "row_id": 0,
        "finished_at": "",
        "mark": "golden",
        "edited": False,
        "author": "",
    }


def test_a_preference_is_golden_over_another_answer_that_is_not(dataset, pair):
    for row in (0, 1, 2, 5):
        golden.mark(pair[0], row)
    golden.mark(pair[1], 2)
    # 0: the same text; 2: both golden; 5: the other failed.
    (found,) = lines("preferences", dataset_id=dataset.id)
    assert found["prompt"][-1] == {"role": "user", "content": "Question 1"}
    assert found["chosen"] == [{"role": "assistant", "content": "left 1"}]
    assert found["rejected"] == [{"role": "assistant", "content": "right 1"}]
    assert found["rejected_provenance"]["model_id"] == MODELS[1]


def test_an_edited_answer_counts_as_edited(dataset, pair):
    better = Marking(kind=MarkKind.GOLDEN, response="edited 0")
    marks.put(pair[0], 0, better, "Ann")
    marks.put(pair[1], 1, Marking(kind=MarkKind.FIX, response="fixed 1"), "Ben")
    marks.put(pair[1], 5, Marking(kind=MarkKind.FIX, response="what it failed to say"), None)
    marks.put(pair[0], 2, Marking(kind=MarkKind.WRONG), "Ben")

    found = lines("messages", *pair)
    assert [one["messages"][-1]["content"] for one in found] == [
        *("edited 0", "fixed 1", "what it failed to say"),
    ]
    marked = [[one["provenance"][name] for name in ("mark", "edited", "author")] for one in found]
    assert marked == [["golden", True, "Ann"], ["fix", True, "Ben"], ["fix", True, ""]]

    pairs = lines("preferences", *pair)
    said = [(one["chosen"][0]["content"], one["rejected"][0]["content"]) for one in pairs]
    assert said == [
        ("edited 0", "left 0"),  # its own, before it was edited
        ("edited 0", "left 0"),  # the other model's, which said the same
        ("fixed 1", "right 1"),
        ("fixed 1", "left 1"),
        ("what it failed to say", "left 5"),
    ]
    assert pairs[2]["rejected_provenance"]["edited"] is False


@pytest.mark.parametrize("form", ["messages", "preferences", "parquet"])
def test_datasets_loads_it_as_it_is(pair, form, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    for row in (0, 1, 4):
        golden.mark(pair[0], row)
    file = tmp_path / f"golden.{'parquet' if form == 'parquet' else 'jsonl'}"
    file.write_bytes(b"".join(training.download(form, pair)))
    from datasets import load_dataset

    kind = "parquet" if form == "parquet" else "json"
    loaded = load_dataset(
        kind, data_files=str(file), split="train", cache_dir=str(tmp_path / "cache")
    )
    if form == "preferences":
        # What TRL takes for conversational preferences: three lists of messages.
        assert {"prompt", "chosen", "rejected"} <= set(loaded.column_names)
        assert [one["chosen"][0]["role"] for one in loaded] == ["assistant"] * 2
        assert loaded[0]["prompt"][-1]["content"] == "Question 1"
    else:
        assert [one["messages"][-1]["content"] for one in loaded] == ["left 0", "left 1", "left 4"]
        assert loaded[0]["provenance"]["benchmark_id"] == pair[0]


def test_nothing_golden_is_an_empty_file(pair):
    assert lines("messages", *pair) == []
    table = pq.read_table(io.BytesIO(b"".join(training.download("parquet", pair))))
    assert (table.num_rows, table.schema) == (0, training.MESSAGES)


def test_what_is_refused(dataset, pair):
    with pytest.raises(InvalidRequest):
        training.download("messages")
    with pytest.raises(InvalidRequest):
        training.download("messages", pair, dataset.id)
    with pytest.raises(NotFound):
        training.download("messages", ["bm_no"])
