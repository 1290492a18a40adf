"""Do answers agree? A row's agreement, a pair's rates, and the difference word by word. Pure."""

import re
from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, Field
from rapidfuzz.distance import Indel

from jobs.grading import normal

# Beyond this, two texts are shown as one change: the search's time and memory grow with the
# product of the lengths (0.1 s and 20 MB for two of this length).
_MOST_WORDS = 10_000
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")


class Agreement(StrEnum):
    """How far the answers to one request agree."""

    EXACT = "exact"
    NORMALIZED = "normalized"
    """The same but for letters' case, punctuation and spaces."""
    DIFFERENT = "different"
    INCOMPLETE = "incomplete"
    """Not all have answered: one failed, or has no result yet."""


class PairAgreement(BaseModel):
    """How far two benchmarks agree, over the rows that both have answered."""

    first_id: str
    second_id: str
    rows: int = Field(description="Rows that both have answered.")
    exact: float | None = Field(description="Share of rows with the same text.")
    normalized: float | None = Field(
        description="Share with the same text but for case, punctuation and spaces."
    )
    similarity: float | None = Field(description="Mean similarity, as of a comparison's rows.")


class Change(BaseModel):
    """A piece of an answer beside the same piece of the base."""

    kind: str = Field(pattern="^(same|added|removed)$", examples=["added"])
    text: str


def of_texts(texts: Sequence[str | None]) -> Agreement:
    """How far the texts agree; none: there is no answer."""
    answered = [text for text in texts if text is not None]
    if len(answered) < len(texts):
        return Agreement.INCOMPLETE
    if len(set(answered)) == 1:
        return Agreement.EXACT
    return Agreement.NORMALIZED if len(set(map(normal, answered))) == 1 else Agreement.DIFFERENT


def word_diff(base: str, text: str) -> list[Change]:
    """How to come from ``base`` to ``text``, word by word: joined without the removed pieces it is
    ``text``, without the added ones ``base``."""
    before, after = _WORDS.findall(base), _WORDS.findall(text)
    if max(len(before), len(after)) > _MOST_WORDS:
        return _changed(base, text) if base != text else [Change(kind="same", text=text)]
    changes: list[Change] = []
    removed = added = ""
    for step in Indel.opcodes(before, after):
        if step.tag == "equal":
            changes += _changed(removed, added)
            removed = added = ""
            same = "".join(after[step.dest_start : step.dest_end])
            changes.append(Change(kind="same", text=same))
        else:
            removed += "".join(before[step.src_start : step.src_end])
            added += "".join(after[step.dest_start : step.dest_end])
    return changes + _changed(removed, added)


def _changed(old: str, new: str) -> list[Change]:
    removed = [Change(kind="removed", text=old)] if old else []
    return removed + ([Change(kind="added", text=new)] if new else [])
