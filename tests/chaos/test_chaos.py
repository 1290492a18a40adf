"""One kill of each part of the service, on the fake engine. ``make chaos`` is the long run."""

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from chaos.run import Report, play
from chaos.victims import FAKE, Victim
from rich.console import Console

pytestmark = pytest.mark.integration

# The launcher's death is the whole service's and a guard at work, which tests/cluster proves.
_VICTIMS = [victim for victim in FAKE if victim is not Victim.LAUNCHER]


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="chaos-", dir="/tmp"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.timeout(900)
def test_nothing_is_lost_doubled_or_altered_whatever_is_killed(folder: Path) -> None:
    seed = 20261125
    rng = random.Random(seed)
    victims = rng.sample(_VICTIMS, len(_VICTIMS))

    report = play(folder, victims, rng, Report("fake", seed, bound=0), 500, Console(width=100))

    assert [kill.victim for kill in report.kills] == victims
    assert report.requests >= 1000
    assert report.problems == []
