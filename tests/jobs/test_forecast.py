"""The estimate of the end: what it accounts for, and that its band holds."""

import math
import random
import statistics

import pytest
from bench import eta

from jobs.forecast import (
    HELD,
    LOAD_SPREAD,
    NOTHING,
    PRIOR_SPREAD,
    TAIL_FACTOR,
    Estimate,
    Past,
    forecast,
    guess,
    learn,
    learn_stretch,
    stretch,
)


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
    load = Past(30, LOAD_SPREAD).left(0)
    assert (guess(load, None).low, guess(load, None).high) == (None, None)
    known = guess(load, Past(100, PRIOR_SPREAD).left(0))
    assert known.low is not None
    assert known.high is not None
    assert known.low < 130 < known.high


def test_the_band_holds_the_end_of_simulated_benchmarks() -> None:
    """`make bench PARTS=eta` measures it over more of them; the target is 0.75 to 0.85."""
    rng = random.Random(3)
    held: list[bool] = []
    for _ in range(40):
        life = eta.simulate(rng)
        held += [
            low <= life.end - at <= high
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
        usual = Past(generation, PRIOR_SPREAD)
        found = forecast(began, 64, 64, usual)
        assert found is not None
        assert found.high is not None
        assert found.low is not None
        left = usual.left(30).seconds
        assert left < found.seconds < alone.seconds
        assert found.high - found.low < alone.high - alone.low
        errors.append(abs(found.seconds - alone.seconds) / (alone.seconds - left))
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
            found = guess(learn(seen, 0.4).left(0), NOTHING)
            assert found.low is not None
            assert found.high is not None
            held.append(found.low <= ahead <= found.high)
        assert 0.76 <= sum(held) / len(held) <= 0.84, times


def test_what_is_left_is_the_mean_of_what_takes_longer() -> None:
    """Against draws: of those that took longer than has passed, what was left."""
    rng = random.Random(7)
    draws = [rng.lognormvariate(math.log(40), 0.3) for _ in range(100_000)]
    for passed in (0.0, 20.0, 40.0, 60.0):
        above = [one - passed for one in draws if one > passed]
        found = Past(40, 0.3).left(passed)
        assert found.seconds == pytest.approx(statistics.fmean(above), rel=0.03)
        assert found.deviation == pytest.approx(statistics.stdev(above), rel=0.05)


def test_what_is_late_is_not_over_at_once() -> None:
    late = [Past(40, 0.3).left(passed) for passed in (60.0, 100.0, 400.0, 1e6)]
    assert all(one.seconds > 1 and one.deviation > 0 for one in late)
    sure = Past(40, 0.0).left(39.0)
    assert 0 < sure.seconds < 2


def test_bands_that_were_off_are_stretched_to_hold_four_fifths_of_the_time() -> None:
    rng = random.Random(11)
    looks = [(float(at), _estimate(100.0 - at, rng.lognormvariate(0, 0.6))) for at in range(100)]
    factor = stretch(looks, 100.0)
    assert factor is not None
    assert factor > 1  # they were said to be off by 0.2
    held = [_holds(one.stretched(factor), 100.0 - at) for at, one in looks]
    assert sum(held) == pytest.approx(HELD * len(held), abs=1)


def test_bands_that_were_too_wide_are_narrowed() -> None:
    looks = [(float(at), _estimate(100.0 - at, 1.02)) for at in range(100)]
    factor = stretch(looks, 100.0)
    assert factor is not None
    assert factor < 0.5
    first = looks[0][1]
    narrowed = first.stretched(factor)
    assert first.low < narrowed.low < narrowed.high < first.high  # type: ignore[operator]


def test_a_look_counts_for_the_time_until_the_next() -> None:
    """Nine looks in the last tenth of the time do not outvote one that stood for the rest."""
    looks = [
        (0.0, _estimate(100.0, 1.0)),
        *((90.0 + i, _estimate(10.0 - i, 2.0)) for i in range(9)),
    ]
    assert stretch(looks, 100.0) == pytest.approx(0.1)


def test_without_bands_there_is_nothing_to_stretch() -> None:
    assert stretch([], 10.0) is None
    assert stretch([(0.0, Estimate(9.0)), (9.0, Estimate(0.0, 0.0, 0.0))], 10.0) is None
    assert Estimate(9.0).stretched(2.0) == Estimate(9.0)


def test_what_many_benchmarks_needed_counts_more() -> None:
    assert learn_stretch([]) == 1
    learned = [learn_stretch([0.5] * times) for times in (1, 4, 8)]
    assert learned == sorted(learned, reverse=True)
    assert 0.5 < learned[-1] < 0.65


def _estimate(left: float, off: float) -> Estimate:
    """Of what is left, off by a factor, with a band of 0.2 in its logarithm."""
    return Estimate(left * off, left * off * math.exp(-0.2), left * off * math.exp(0.2))


def _holds(one: Estimate, left: float) -> bool:
    assert one.low is not None
    assert one.high is not None
    return one.low <= left <= one.high
