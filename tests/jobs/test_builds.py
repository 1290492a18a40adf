"""Builds in the background: once each, with patience, and tried again after a failure."""

import threading
from collections.abc import Iterator

import pytest

from jobs import builds
from jobs.errors import NotReady


class Held:
    """A build that goes on when it is let."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Event()
        self.times = 0

    def __call__(self, report: builds.Report) -> None:
        self.times += 1
        report(0.25)
        self.begun.set()
        assert self.go.wait(20)


@pytest.fixture
def held() -> Iterator[Held]:
    build = Held()
    yield build
    build.go.set()


def test_who_is_in_a_hurry_is_told_how_far_it_is(held: Held) -> None:
    with pytest.raises(NotReady):
        builds.ensure("slow", held, 0)
    assert held.begun.wait(20)
    with pytest.raises(NotReady, match="25% is done") as caught:
        builds.ensure("slow", held, 0.01)
    assert caught.value.details == {"progress": 0.25}
    held.go.set()
    builds.ensure("slow", held, None)


def test_all_who_ask_wait_for_the_same_build(held: Held) -> None:
    for _ in range(4):
        with pytest.raises(NotReady):
            builds.ensure("same", held, 0)
    held.go.set()
    # One at a time: whatever else was begun for them is done before this.
    builds.ensure("after it", lambda report: report(1.0), 20)
    assert held.times == 1


def test_what_failed_is_said_and_tried_again() -> None:
    tries: list[int] = []

    def build(report: builds.Report) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        builds.ensure("failing", build, None)
    builds.ensure("failing", build, None)
    assert len(tries) == 2


def test_a_build_may_be_done_before_it_is_waited_for() -> None:
    for _ in range(500):
        builds.ensure("instant", lambda report: report(1.0), 20)


def test_a_timeout_of_the_build_itself_is_its_own() -> None:
    def build(report: builds.Report) -> None:
        raise TimeoutError("of the build")

    with pytest.raises(TimeoutError, match="of the build"):
        builds.ensure("late", build, None)
