"""The order of admission."""

from datetime import UTC, datetime, timedelta

from jobs.queue import Waiting, order

_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def waiting(*models_at: tuple[str, float]) -> list[Waiting]:
    """Benchmarks named by their place in the list: model, and seconds after noon."""
    return [
        Waiting(f"bm_{i}", model, _NOON + timedelta(seconds=at))
        for i, (model, at) in enumerate(models_at)
    ]


def places(*models_at: tuple[str, float], last: str | None = None) -> list[int]:
    return [int(one.removeprefix("bm_")) for one in order(waiting(*models_at), last)]


def test_first_in_first_out() -> None:
    assert places(("a", 2), ("b", 0), ("c", 1)) == [1, 2, 0]


def test_nothing_waits() -> None:
    assert places(last="a") == []


def test_the_same_model_runs_back_to_back() -> None:
    assert places(("a", 0), ("b", 1), ("a", 2), ("b", 3)) == [0, 2, 1, 3]


def test_the_model_that_was_loaded_last_goes_on() -> None:
    assert places(("a", 0), ("b", 1), ("a", 2), last="b") == [1, 0, 2]


def test_nobody_is_overtaken_by_what_was_asked_for_much_later() -> None:
    assert places(("a", 0), ("b", 61), last="b") == [0, 1]


def test_a_stream_of_one_model_does_not_starve_another() -> None:
    stream = [("b", float(at)) for at in range(1, 600, 10)]
    assert places(("a", 0), *stream, last="b").index(0) == 6
