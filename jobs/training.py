"""Golden and fixed answers as training files: chat fine-tuning and preference pairs, with their
origin.

Lines have one shape throughout, with text where a value may be missing, so that Arrow finds one
schema and `datasets` and TRL load the files as they are.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import pyarrow as pa

from cluster.database import session
from jobs import benchmarks, marks, queries, request_file, tables
from jobs.conversation import Message, messages
from jobs.errors import InvalidRequest
from jobs.queries import Row, Source
from jobs.schemas.benchmarks import BenchmarkSpec
from jobs.schemas.marks import Mark, MarkKind

Format = Literal["messages", "preferences", "parquet"]

# A dataset's benchmarks, the newest: preferences look for what others answered in each of them.
_MOST_BENCHMARKS = 100
_BATCH_ROWS = 512

_MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
_PROVENANCE = pa.struct(
    [
        ("benchmark_id", pa.string()),
        ("model_id", pa.string()),
        ("revision", pa.string()),
        ("sampling", pa.string()),
        ("dataset_id", pa.string()),
        ("dataset_name", pa.string()),
        ("dataset_sha256", pa.string()),
        ("custom_id", pa.string()),
        ("row_id", pa.int64()),
        ("finished_at", pa.string()),
        ("mark", pa.string()),
        ("edited", pa.bool_()),
        ("author", pa.string()),
    ]
)
MESSAGES = pa.schema([("messages", pa.list_(_MESSAGE)), ("provenance", _PROVENANCE)])

Line = dict[str, Any]


@dataclass
class Example:
    """An answer worth training on."""

    asked: list[Message]
    result: Row
    mark: Mark

    @property
    def answer(self) -> str:
        return self.mark.response or self.result["text"]


def download(
    form: Format, benchmark_ids: Sequence[str] = (), dataset_id: str | None = None
) -> Iterator[bytes]:
    """Golden and fixed answers of benchmarks, or of all over a dataset, as a file in pieces.

    An answer that was edited counts as it was edited. ``messages`` is JSON lines of chat
    conversations that end in such an answer, ``parquet`` the same as Parquet. ``preferences`` is
    JSON lines of ``prompt``, ``chosen`` (such an answer) and ``rejected``: what the model said
    before it was edited, or another benchmark's answer to the same request that differs and is not
    golden. Requests that hold more than text are left out.

    Raises:
        NotFound: no such benchmark; before the first piece is sent.
        InvalidRequest: neither benchmarks nor a dataset are named, or both are.
    """
    if bool(benchmark_ids) == (dataset_id is not None):
        raise InvalidRequest("invalid_request", "Give either `benchmark_id` or `dataset_id`.")
    origins = [_Origin(one) for one in benchmark_ids or _over(dataset_id)]
    if form == "preferences":
        return tables.pieces(_lines(_preferences(origins)))
    examples = _conversations(origins)
    if form == "messages":
        return tables.pieces(_lines(examples))
    return tables.parquet(MESSAGES, _batched(examples))


class _Origin:
    """A benchmark that examples come from."""

    def __init__(self, benchmark_id: str) -> None:
        with session() as sql:
            row = benchmarks.row(sql, benchmark_id)
        self.benchmark_id = benchmark_id
        self.dataset_id = row.dataset_id
        self.kinds = marks.kinds(benchmark_id)
        self._row = row
        self._spec = BenchmarkSpec.model_validate(row.spec)

    def provenance(self, result: Row, mark: Mark | None = None) -> Line:
        weights = self._spec.model.weights
        sampling = self._spec.sampling.model_dump(exclude_none=True)
        return {
            "benchmark_id": self.benchmark_id,
            "model_id": self._spec.model.model_id,
            "revision": weights.revision or weights.sha256 or "",
            "sampling": orjson.dumps(sampling).decode(),
            "dataset_id": self.dataset_id,
            "dataset_name": self._row.dataset.name,
            "dataset_sha256": self._row.dataset.sha256,
            "custom_id": result["custom_id"],
            "row_id": result["row_id"],
            "finished_at": result["finished_at"].isoformat(),
            "mark": mark.kind.value if mark else "",
            "edited": bool(mark and mark.response),
            "author": (mark and mark.author) or "",
        }


def _over(dataset_id: str | None) -> list[str]:
    found, _ = benchmarks.all_benchmarks(_MOST_BENCHMARKS, 0, dataset_id=dataset_id)
    return [one.benchmark_id for one in found]


def _conversations(origins: Iterable[_Origin]) -> Iterator[Line]:
    for origin in origins:
        for one in _examples(origin):
            yield {
                "messages": [*one.asked, *_said(one.answer)],
                "provenance": origin.provenance(one.result, one.mark),
            }


def _preferences(origins: Sequence[_Origin]) -> Iterator[Line]:
    for origin in origins:
        others = [one for one in origins if one is not origin]
        for batch in _batched(_examples(origin)):
            names = [one.result["custom_id"] for one in batch]
            answers = [(other, _answers(other, names)) for other in others]
            for one in batch:
                rivals = [(origin, one.result)] if _answered(one.result) else []
                rivals += [
                    (other, theirs[one.result["custom_id"]])
                    for other, theirs in answers
                    if one.result["custom_id"] in theirs
                ]
                for other, rejected in rivals:
                    if rejected["text"] != one.answer:
                        yield {
                            "prompt": one.asked,
                            "chosen": _said(one.answer),
                            "rejected": _said(rejected["text"]),
                            "provenance": origin.provenance(one.result, one.mark),
                            "rejected_provenance": other.provenance(rejected),
                        }


def _said(answer: str) -> list[Message]:
    return [{"role": "assistant", "content": answer}]


def _examples(origin: _Origin) -> Iterator[Example]:
    """The golden and the fixed results of a benchmark, with what was asked."""
    wanted = (MarkKind.GOLDEN, MarkKind.FIX)
    for row_ids in _batched(row_id for row_id, kind in origin.kinds.items() if kind in wanted):
        found = marks.of(origin.benchmark_id, row_ids)
        with queries.connect() as db:
            of = queries.source(db, origin.benchmark_id)
            results = queries.fetch(db, of, row_ids)
            asked = _asked(of, row_ids)
        for row_id in row_ids:
            # A mark may have been taken away since, a row may be asked again at this moment.
            result, mark, conversation = results.get(row_id), found.get(row_id), asked.get(row_id)
            if result and mark and conversation and (mark.response or _answered(result)):
                yield Example(conversation, result, mark)


def _answers(origin: _Origin, custom_ids: Sequence[str]) -> dict[str, Row]:
    """A benchmark's answers to those requests that are texts and not golden, by ``custom_id``."""
    with queries.connect() as db:
        of = queries.source(db, origin.benchmark_id)
        table: pa.Table = db.sql(
            f"""
            SELECT row_id, custom_id, text, status_code, finished_at FROM {of.name}
            WHERE custom_id IN (SELECT unnest($names))
            """,
            params={"names": list(custom_ids)},
        ).to_arrow_table()
    return {
        row["custom_id"]: row
        for row in table.to_pylist()
        if _answered(row) and origin.kinds.get(row["row_id"]) is not MarkKind.GOLDEN
    }


def _asked(of: Source, row_ids: Sequence[int]) -> dict[int, list[Message]]:
    requests = request_file.pick(of.spec.dataset_id, row_ids, ["url", "body"])
    found = {
        row_id: messages(row["url"], orjson.loads(row["body"])) for row_id, row in requests.items()
    }
    return {row_id: asked for row_id, asked in found.items() if asked}


def _answered(result: Row) -> bool:
    return 200 <= result["status_code"] < 300 and bool(result["text"])


def _lines(examples: Iterable[Line]) -> Iterator[bytes]:
    return (orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in examples)


def _batched(items: Iterable[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for item in items:
        batch.append(item)
        if len(batch) == _BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch
