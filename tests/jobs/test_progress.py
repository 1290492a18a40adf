"""Progress: counts, rates and the estimate of the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.forecast import TAIL_FACTOR, Estimate, Past
from jobs.progress import Prior, Progress
from jobs.schemas.progress import EngineLoad, Tally


def tally(finished: int) -> Tally:
    return Tally(completed=finished, prompt_tokens=finished * 5, output_tokens=finished * 10)


def test_counts_are_the_sum_of_the_latest_tally_of_each_chunk() -> None:
    progress = Progress(100, now=0)
    progress.fold({0: tally(3), 1: tally(1)}, load_seconds=5)
    progress.fold({1: tally(4)}, load_seconds=5)
    assert progress.counts == tally(7)


@given(st.lists(st.dictionaries(st.integers(0, 3), st.integers(1, 10)), max_size=10))
def test_reports_may_be_lost_repeated_and_late(reports: list[dict[int, int]]) -> None:
    progress = Progress(100, now=0)
    most: dict[int, int] = {}
    for report in [*reports, *reversed(reports)]:
        progress.fold({index: tally(count) for index, count in report.items()}, 1)
        most |= {index: max(count, most.get(index, 0)) for index, count in report.items()}
        assert progress.counts.finished == sum(most.values())


def test_recovered_chunks_are_not_counted_again() -> None:
    progress = Progress(100, now=0)
    progress.recover(tally(20), chunks={0, 1})
    progress.fold({0: tally(10), 2: tally(3)}, load_seconds=5)
    assert progress.counts == tally(23)


def test_loading_time_is_that_of_the_slowest_replica() -> None:
    progress = Progress(100, now=0)
    assert not progress.loaded
    progress.fold({}, load_seconds=7)
    progress.fold({}, load_seconds=5)
    assert progress.loaded
    assert progress.load_seconds == 7


def test_rates_and_eta_of_a_steady_run() -> None:
    progress = Progress(100, now=0)
    for second in range(1, 11):
        progress.fold({0: tally(second * 2)}, load_seconds=1)
        progress.sample(float(second))
    assert progress.output_rate == pytest.approx(20)
    assert progress.total_rate == pytest.approx(30)
    # 79 that wait, and the last one, which takes longer than most.
    assert progress.eta(10).seconds == pytest.approx(79 / 2 + 0.5 * TAIL_FACTOR)


def test_rates_follow_a_change_within_the_window() -> None:
    progress = Progress(10_000, now=0)
    done = 0
    for second in range(200):
        done += 10 if second < 100 else 1
        progress.fold({0: tally(done)}, load_seconds=1)
        progress.sample(float(second))
    assert progress.output_rate == pytest.approx(10)


def test_eta_at_the_end_is_zero() -> None:
    progress = Progress(10, now=0)
    for second in range(1, 6):
        progress.fold({0: tally(second * 2)}, load_seconds=1)
        progress.sample(float(second))
    assert progress.eta(5) == Estimate(0, 0, 0)


def test_before_anything_is_measured_the_last_benchmark_is_the_guess() -> None:
    progress = Progress(100, now=1000, prior=Prior(Past(40, 0.01), Past(0.5, 0.01)))
    assert progress.eta(1000).seconds == pytest.approx(90, abs=0.1)
    assert progress.eta(1030).seconds == pytest.approx(60, abs=0.1)
    # Loading takes longer than it ever did: it is not over, but does not take twice as long.
    assert 50 < progress.eta(1100).seconds < 60
    progress.fold({}, load_seconds=45)
    progress.sample(1046)
    assert progress.eta(1046).seconds == pytest.approx(50, abs=0.1)
    progress.sample(1056)
    # Nothing has finished yet, but the engine was not idle.
    assert progress.eta(1056).seconds == pytest.approx(40, abs=0.1)


def test_a_model_that_never_ran_has_a_lower_bound_and_no_band() -> None:
    found = Progress(100, now=0, prior=Prior(Past(40, 0.01))).eta(10)
    assert found == Estimate(pytest.approx(30, abs=0.1))


def test_without_samples_rates_are_zero() -> None:
    progress = Progress(100, now=0)
    assert (progress.output_rate, progress.total_rate) == (0, 0)
    progress.sample(5.0)
    progress.sample(5.0)
    assert progress.output_rate == 0
    assert progress.eta(5).seconds >= 0


def test_an_empty_benchmark_has_an_estimate() -> None:
    assert Progress(0, now=0, prior=Prior(Past(0, 0), Past(0, 0))).eta(1) == Estimate(0, 0, 0)


def test_a_long_benchmark_is_remembered_in_bounded_memory() -> None:
    progress = Progress(10**6, now=0)
    for second in range(1, 20_000):
        progress.fold({0: tally(second)}, load_seconds=1)
        progress.sample(float(second))
    assert len(progress._samples) <= 1024
    assert progress.eta(20_000).seconds == pytest.approx(980_001, rel=0.01)


def test_tokens_count_when_they_are_generated() -> None:
    """Requests that take a minute would else give no rate for a minute."""
    progress = Progress(100, now=0)
    for second in range(1, 11):
        engine = EngineLoad(prompt_tokens=500 + 5 * second, output_tokens=1000 + 20 * second)
        progress.fold({}, 1, "replica", engine)
        progress.fold({}, 1, "replica", engine)  # the same report again
        progress.sample(float(second))
    assert progress.output_rate == pytest.approx(20)
    assert progress.total_rate == pytest.approx(25)
    assert progress.counts == Tally()


def test_what_an_engine_did_before_it_was_heard_is_no_rate() -> None:
    """A tracker that was restarted hears of the replicas one after the other."""
    progress = Progress(100, now=0)
    for second in range(1, 11):
        progress.fold({}, 1, "first", EngineLoad(output_tokens=10_000 + 10 * second))
        if second > 5:
            progress.fold({}, 1, "second", EngineLoad(output_tokens=90_000 + 10 * second))
        progress.sample(float(second))
    assert progress.output_rate == pytest.approx((9 * 10 + 4 * 10) / 9)


def test_the_band_is_stretched_by_what_it_was_off_before() -> None:
    load, request = Past(40, 0.3), Past(0.5, 0.4)
    usual = Progress(100, now=0, prior=Prior(load, request)).eta(0)
    wider = Progress(100, now=0, prior=Prior(load, request, stretch=2.0)).eta(0)
    assert wider.seconds == usual.seconds
    assert wider.low < usual.low < usual.high < wider.high  # type: ignore[operator]


def test_by_what_it_was_off_is_known_at_the_end_whatever_was_shown() -> None:
    """What is learned from would else count twice."""
    off: list[float | None] = []
    for shown in (1.0, 2.0):
        progress = Progress(100, now=0, prior=Prior(Past(40, 0.1), Past(0.5, 0.1), shown))
        for second in range(80):
            progress.eta(float(second))
        off.append(progress.stretch(150.0))
    assert off[0] == off[1]
    assert off[0] is not None
    assert off[0] > 1
