"""A model behind an endpoint on real Ray: asked beside the benchmarks that hold the hardware."""

import pytest
from integration.api import Api, candidates
from integration.elsewhere import KEY, MODEL, Elsewhere

pytestmark = pytest.mark.integration


def test_a_model_elsewhere_is_asked_while_another_has_the_hardware(
    api: Api, elsewhere: Elsewhere
) -> None:
    dataset = api.upload(candidates(60))
    slow = api.run("fake/slow", dataset)
    benchmark = api.run(MODEL, dataset)

    ended = api.finished(benchmark)

    assert (ended["status"], ended["completed"], ended["failed"]) == ("completed", 60, 0)
    assert ended["output_tokens"] == 300
    assert ended["started_at"] < api.finished(slow)["completed_at"]
    texts = [one["text"] for one in api.results(benchmark)["results"]]
    assert texts == [f"parrot-1: Is candidate {i} a good fit?" for i in range(60)]
    assert elsewhere.refused == {f"Is candidate {i} a good fit?" for i in range(0, 60, 10)}
    assert elsewhere.keys == {f"Bearer {KEY}"}
    assert elsewhere.most_at_once <= 3
