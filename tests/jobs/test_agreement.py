"""Agreement of texts, and their differences word by word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.agreement import Agreement, of_texts, word_diff


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["a", "a", "a"], Agreement.EXACT),
        (["Yes!", "yes", " YES "], Agreement.NORMALIZED),
        (["a", "a", "b"], Agreement.DIFFERENT),
        (["", "!"], Agreement.NORMALIZED),
        (["a", None], Agreement.INCOMPLETE),
        ([None, None], Agreement.INCOMPLETE),
    ],
)
def test_agreement(texts: list[str | None], expected: Agreement) -> None:
    assert of_texts(texts) is expected


@given(st.text("ab c.\nü", max_size=30), st.text("ab c.\nü", max_size=30))
def test_both_texts_can_be_read_from_their_difference(base: str, text: str) -> None:
    changes = word_diff(base, text)
    assert "".join(one.text for one in changes if one.kind != "removed") == text
    assert "".join(one.text for one in changes if one.kind != "added") == base
    assert all(one.text for one in changes)


def test_words_are_kept_whole() -> None:
    changes = [(one.kind, one.text) for one in word_diff("a red house", "a blue house")]
    assert changes == [("same", "a "), ("removed", "red"), ("added", "blue"), ("same", " house")]


def test_texts_too_long_to_be_compared_are_one_change() -> None:
    base, text = "a " * 6000, "b " * 6000
    assert [one.kind for one in word_diff(base, text)] == ["removed", "added"]
    assert [one.kind for one in word_diff(base, base)] == ["same"]
