"""The counts of a benchmark, from its parts alone."""

from contextlib import closing

import pytest
from factories import record

from jobs import totals
from jobs.parts import Chunk
from jobs.schemas.progress import Tally
from jobs.totals import Totals

ID = "bm_test"

pytestmark = pytest.mark.usefixtures("data_folder")


def test_totals_are_what_was_written() -> None:
    base = 1_700_000_000.0
    first, second = Chunk(ID, 0), Chunk(ID, 1)
    first.open()
    first.add(record(0, finished_at=base + 2, latency_ms=2000.0))
    first.add(record(1, status_code=400, prompt_tokens=None, output_tokens=None, finished_at=base))
    first.finish()
    second.open()
    second.add(record(2, finished_at=base + 9, latency_ms=500.0))
    second.finish()
    found = totals.count(ID)
    assert found.model_dump(exclude={"generation_seconds"}) == {
        "completed": 2,
        "failed": 1,
        "prompt_tokens": 10,
        "output_tokens": 14,
    }
    # From a second before `base` to two after it, and half a second later on; not the pause.
    assert found.generation_seconds == pytest.approx(3.5)
    assert first.tally + second.tally == Tally.model_validate(
        found.model_dump(exclude={"generation_seconds"})
    )


def test_only_finished_chunks_count() -> None:
    assert totals.count(ID) == Totals()
    with closing(Chunk(ID, 0)) as chunk:
        chunk.open()
        chunk.add(record(0))
        assert totals.count(ID) == Totals()
