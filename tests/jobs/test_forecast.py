"""The estimate of the end: what it accounts for, and that its band holds."""

import random

import pytest
from bench import eta

from jobs.forecast import LOAD_SPREAD, PRIOR_SPREAD, TAIL_FACTOR, Past, forecast, guess, learn


def steady(seconds: int, rate: int, warm_up: int = 0) -> list[tuple[float, int]]:
    return [(float(t), max(t - warm_up, 0) * rate) for t in range(seconds + 1)]


def test_time_before_the_first_result_is_no_measure_of_the_rate() -> None:
    cold = forecast(steady(100, 10, warm_up=60), total=1000, slots=1)
    warm = forecast(steady(40, 10), total=1000, slots=1)
    assert cold is not None
    assert warm is not None
    assert cold.seconds == pytest.approx(warm.seconds)


def test_the_rate_is_that_of_the_last_half() -> None:
    slower = [*steady(100, 20), *((100.0 + t, 2000 + 10 * t) for t in range(1, 101))]
    found = forecast(slower, total=6000, slots=1)
    assert found is not None
    assert found.seconds == pytest.approx(300, rel=0.01)


def test_the_last_requests_take_as_long_as_a_request_takes() -> None:
    """Not as long as so many took when the engines were full."""
    almost = [*steady(100, 10), (101.0, 1009)]
    found = forecast(almost, total=1010, slots=100)
    assert found is not None
    assert found.seconds > 0.1 * 100 / 10 * TAIL_FACTOR


def test_without_two_moments_with_results_there_is_nothing_to_measure() -> None:
    assert forecast([(0.0, 0)], 10, 1) is None
    assert forecast([(0.0, 0), (1.0, 0), (2.0, 3)], 10, 1) is None


def test_the_band_is_wider_where_the_rate_varies() -> None:
    even = forecast(steady(60, 10), 10_000, 1)
    waves = [(float(t), 10 * t + (90 if t % 20 < 10 else 0)) for t in range(61)]
    uneven = forecast(waves, 10_000, 1)
    for one in (even, uneven):
        assert one is not None
        assert one.low is not None
        assert one.high is not None
        assert one.low < one.seconds < one.high
    assert uneven.high / uneven.low > even.high / even.low  # type: ignore[union-attr,operator]


def test_nothing_left_is_no_time() -> None:
    found = forecast(steady(10, 1), 10, 1)
    assert found is not None
    assert (found.seconds, found.low, found.high) == (0, 0, 0)


def test_a_guess_has_a_band_only_if_the_model_ran_before() -> None:
    load = Past(30, LOAD_SPREAD)
    assert (guess(load, None).low, guess(load, None).high) == (None, None)
    known = guess(load, Past(100, PRIOR_SPREAD))
    assert known.low is not None
    assert known.high is not None
    assert known.low < 130 < known.high


def test_the_band_holds_the_end_of_simulated_benchmarks() -> None:
    """`make bench PARTS=eta` measures it over more of them; the target is 0.75 to 0.85."""
    rng = random.Random(3)
    held: list[bool] = []
    for _ in range(40):
        life = eta.simulate(rng)
        end = float(life.finishes[-1])
        held += [
            low <= end - at <= high
            for at, low, high, _ in eta.looks(life)
            if low is not None and high is not None
        ]
    assert 0.7 <= sum(held) / len(held) <= 0.9


def test_the_last_time_counts_while_little_is_seen_and_for_less_as_time_passes() -> None:
    """Of 64 that started at once the first ten ended just now: their rate says little."""
    began = [*((float(t), 0) for t in range(28)), (28.0, 1), (29.0, 4), (30.0, 10)]
    alone = forecast(began, total=64, slots=64)
    assert alone is not None
    assert alone.high is not None
    assert alone.low is not None
    errors: list[float] = []
    for generation in (40.0, 35.0, 31.0):
        found = forecast(began, 64, 64, Past(generation, PRIOR_SPREAD))
        assert found is not None
        assert found.high is not None
        assert found.low is not None
        assert generation - 30 < found.seconds < alone.seconds
        assert found.high - found.low < alone.high - alone.low
        errors.append(abs(found.seconds - alone.seconds) / (alone.seconds - (generation - 30)))
    assert errors == sorted(errors, reverse=True)
    # It took longer than that already, so that it says nothing.
    assert forecast(began, 64, 64, Past(30.0, PRIOR_SPREAD)) == alone


def test_what_was_seen_once_is_the_guess_with_the_usual_spread() -> None:
    found = learn([20.0], 0.4)
    assert (found.seconds, found.spread) == (pytest.approx(20), pytest.approx(0.4))


def test_the_spread_is_learned() -> None:
    """With every benchmark that took as long the band narrows, and widens with one that did not."""
    spreads = [learn([20.0] * times, 0.4).spread for times in (1, 2, 4, 8)]
    assert spreads == sorted(spreads, reverse=True)
    assert spreads[-1] < 0.4 / 2
    assert learn([20.0] * 7 + [60.0], 0.4).spread > 1.5 * spreads[-1]


def test_four_of_five_are_in_the_band_that_was_learned() -> None:
    rng = random.Random(5)
    for times in (1, 2, 8):
        held: list[bool] = []
        for _ in range(2000):
            # Half of the usual variance, as what was seen once differs as much as what is ahead.
            *seen, ahead = (rng.lognormvariate(3, 0.4 / 2**0.5) for _ in range(times + 1))
            found = guess(learn(seen, 0.4), Past(0.0, 0.0))
            assert found.low is not None
            assert found.high is not None
            held.append(found.low <= ahead <= found.high)
        assert 0.76 <= sum(held) / len(held) <= 0.84, times
