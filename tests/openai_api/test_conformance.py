"""The unmodified client, current and older, against the API; and the table that says so."""

import importlib.metadata

import pytest
from openai_api.checks import CHECKS
from openai_api.conformance import CURRENT, DOCUMENT, OLDER, Report, document, reports

SENTENCES = [check.sentence for check in CHECKS]


@pytest.fixture(scope="module")
def found() -> dict[str, Report]:
    return {report["version"]: report for report in reports()}


@pytest.mark.parametrize("version", [CURRENT, OLDER])
@pytest.mark.parametrize("sentence", SENTENCES)
def test_conforms(found: dict[str, Report], version: str, sentence: str) -> None:
    problem = found[version]["outcomes"][sentence]
    assert problem is None, problem


def test_the_current_client_is_the_one_that_is_installed() -> None:
    assert importlib.metadata.version("openai") == CURRENT


def test_each_check_is_a_sentence_of_its_own() -> None:
    assert len(set(SENTENCES)) == len(SENTENCES)


def test_the_table_is_up_to_date(found: dict[str, Report]) -> None:
    """`make conformance` writes it."""
    assert DOCUMENT.read_text() == document(list(found.values()))
