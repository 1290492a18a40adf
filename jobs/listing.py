"""Lists of results: a narrow relation to sort and filter, and a filter as a condition over it.

Values from users reach DuckDB as parameters only; what is put into the text of a query are names
and enum members of this code.
"""

from collections.abc import Iterable
from typing import Any

import duckdb
import orjson

from jobs import indexes, queries
from jobs.analysis import Outcome, ResultFilter
from jobs.queries import SUCCEEDED, Condition, Source
from jobs.schemas.marks import MarkKind

_RANGES = ("latency_ms", "ttft_ms", "prompt_tokens", "output_tokens")

# The text as JSON holds it is looked for first: that is a scan, and only what it finds is parsed,
# so that "role" or "user" does not match every request by its keys.
_PROMPTS_WITH_Q = f"""
    SELECT row_id, custom_id
    FROM (
        SELECT {indexes.PROMPTS} FROM {{}} WHERE contains(lower(body), lower($escaped))
    )
    WHERE contains(folded, lower($q))
"""


def relation(db: duckdb.DuckDBPyConnection, of: Source) -> str:
    """Make the relation ``<name>_listed`` of :data:`jobs.indexes.RESULTS`; its name."""
    if path := indexes.of_results(of):
        rows = f"FROM {queries.attached(db, path)}.listed"
    else:
        rows = f"SELECT {indexes.RESULTS} FROM {queries.results(db, of)}"
    db.execute(f"CREATE OR REPLACE TEMP VIEW {of.name}_listed AS {rows}")
    return f"{of.name}_listed"


def condition(db: duckdb.DuckDBPyConnection, of: Source, only: ResultFilter) -> Condition:
    """The results of ``of`` that ``only`` means, as a condition over a relation of them. Their
    :func:`relation` must have been made.

    If it is about scores, ``<name>_score`` must be a view of them (:func:`jobs.scores.view`).
    """
    wanted = ["true"]
    values: dict[str, Any] = {}
    if only.outcome is not None:
        wanted.append(SUCCEEDED if only.outcome is Outcome.SUCCEEDED else f"NOT ({SUCCEEDED})")
    if only.status_code is not None:
        wanted.append("status_code = $status_code")
        values["status_code"] = only.status_code
    for name in _RANGES:
        for bound, comparison in (("min", ">="), ("max", "<=")):
            if (limit := getattr(only, f"{bound}_{name}")) is not None:
                wanted.append(f"{name} {comparison} ${bound}_{name}")
                values[f"{bound}_{name}"] = limit
    if only.is_of_scores:
        text, limits = _of_scores(of, only)
        wanted.append(text)
        values |= limits
    if only.finish_reason is not None:
        wanted.append("finish_reason = $finish_reason")
        values["finish_reason"] = only.finish_reason
    if only.golden is not None:
        negation = "" if only.golden else "NOT"
        wanted.append(f"row_id {negation} IN (SELECT unnest($golden))")
        values["golden"] = _marked(of, MarkKind.GOLDEN)
    if only.mark is not None:
        wanted.append("row_id IN (SELECT unnest($marked))")
        values["marked"] = _marked(of, only.mark)
    if only.q:
        text, texts = having(db, [of], only.q, "row_id")
        wanted.append(text)
        values |= texts
    return " AND ".join(wanted), values


def having(db: duckdb.DuckDBPyConnection, found: Iterable[Source], q: str, by: str) -> Condition:
    """That ``q``, literally and whatever its case, is in the ``custom_id``, the prompt or one of
    the answers. ``by`` is the column by which rows are the same: ``row_id`` or ``custom_id``. The
    :func:`relation` of each must have been made."""
    by_dataset = {of.spec.dataset_id: of for of in found}
    queried = [
        f"SELECT {by} FROM {of.name}_listed WHERE contains(folded, lower($q))" for of in found
    ]
    queried += [f"SELECT {by} FROM ({_prompts(db, of)})" for of in by_dataset.values()]
    values = {"q": q}
    text = f"{by} IN ({' UNION ALL '.join(queried)})"
    if "$escaped" in text:
        values["escaped"] = orjson.dumps(q).decode()[1:-1]
    return text, values


def _marked(of: Source, kind: MarkKind) -> list[int]:
    return [row_id for row_id, found in of.marks.items() if found is kind]


def _prompts(db: duckdb.DuckDBPyConnection, of: Source) -> str:
    """A query of the requests whose prompt has ``$q``."""
    if path := indexes.of_prompts(of):
        index = f"{queries.attached(db, path)}.listed"
        return f"SELECT row_id, custom_id FROM {index} WHERE contains(folded, lower($q))"
    return _PROMPTS_WITH_Q.format(queries.requests(db, of))


def _of_scores(of: Source, only: ResultFilter) -> Condition:
    values = {
        name: limit
        for name, limit in (("min_score", only.min_score), ("max_score", only.max_score))
        if limit is not None
    }
    wanted = ["score IS NOT NULL"]
    wanted += ["score >= $min_score"] * ("min_score" in values)
    wanted += ["score <= $max_score"] * ("max_score" in values)
    scored = f"SELECT row_id, finished_at FROM {of.name}_score WHERE {' AND '.join(wanted)}"
    negation = "NOT" if only.graded is False else ""
    return f"(row_id, finished_at) {negation} IN ({scored})", values
