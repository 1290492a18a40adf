"""Bradley–Terry strengths: known answers, and intervals that cover the truth in simulation."""

from itertools import combinations

import choix
import numpy as np
import pytest
from scipy.stats import beta

from jobs.preferences import Duel, estimate, win_rates


def duels(first: int, second: int, wins: int, losses: int, ties: int = 0) -> list[Duel]:
    scores = [1.0] * wins + [0.0] * losses + [0.5] * ties
    return [Duel(first, second, f"{first}-{second}-{at}", score) for at, score in enumerate(scores)]


def test_two_models_have_the_share_of_votes_that_they_won() -> None:
    found = estimate(2, duels(0, 1, wins=60, losses=20))
    assert [one.win_rate for one in found.models] == pytest.approx([60.5 / 81, 20.5 / 81])
    assert sum(one.strength for one in found.models) == pytest.approx(0)
    assert found.probability_best[0] > 0.99


def test_without_ties_the_interval_is_jeffreys() -> None:
    for wins, losses in ((60, 20), (8, 2), (10, 0), (0, 6)):
        (model, _) = estimate(2, duels(0, 1, wins, losses)).models
        exact = beta(wins + 0.5, losses + 0.5).ppf([0.025, 0.975])
        assert model.win_rate_interval == pytest.approx(exact, abs=0.05), (wins, losses)


def test_ties_are_half_wins_and_narrow_the_interval() -> None:
    tied = estimate(2, duels(0, 1, wins=0, losses=0, ties=40)).models[0]
    split = estimate(2, duels(0, 1, wins=20, losses=20)).models[0]
    assert tied.win_rate == split.win_rate == pytest.approx(0.5)
    (low, high), (split_low, split_high) = tied.win_rate_interval, split.win_rate_interval
    assert high - low < (split_high - split_low) / 2


def test_without_votes_nothing_is_known() -> None:
    for count in (2, 3, 8):
        found = estimate(count, [], draws=200)
        for model in found.models:
            low, high = model.win_rate_interval
            assert model.win_rate == pytest.approx(0.5)
            assert low < 0.3
            assert high > 0.7


def test_votes_of_several_people_on_one_row_count_as_one_row() -> None:
    one_each = duels(0, 1, wins=9, losses=3)
    five_each = [vote for vote in one_each for _ in range(5)]
    low, high = estimate(2, one_each).models[0].win_rate_interval
    low_five, high_five = estimate(2, five_each).models[0].win_rate_interval
    assert high_five - low_five > 0.8 * (high - low)


def test_models_that_never_met_are_ordered_through_a_third() -> None:
    found = estimate(3, duels(0, 1, wins=40, losses=10) + duels(1, 2, wins=40, losses=10))
    first, second, third = (one.strength for one in found.models)
    assert first > second > third
    assert first - third == pytest.approx(2 * np.log(4), rel=0.15)


def test_strengths_are_those_of_choix() -> None:
    rng = np.random.default_rng(0)
    for count in (2, 3, 8):
        votes = [
            Duel(first, second, f"{first}-{second}-{at}", float(rng.choice([0, 0.5, 1])))
            for first, second in combinations(range(count), 2)
            for at in range(6)
        ]
        wins = np.full((count, count), 0.5)
        np.fill_diagonal(wins, 0)
        for vote in votes:
            wins[vote.first, vote.second] += vote.score
            wins[vote.second, vote.first] += 1 - vote.score
        found = [one.strength for one in estimate(count, votes).models]
        assert found == pytest.approx(choix.ilsr_pairwise_dense(wins), abs=1e-5)


def test_the_same_votes_give_the_same_numbers() -> None:
    votes = duels(0, 1, 5, 3) + duels(0, 2, 2, 2, 1)
    again = estimate(3, list(reversed(votes)), draws=100)
    assert estimate(3, votes, draws=100) == again


@pytest.mark.parametrize(("truth", "votes"), [((0.5, -0.5), 20), ((1.0, 0.0, -1.0), 15)])
def test_intervals_cover_the_truth(truth: tuple[float, ...], votes: int) -> None:
    # By hand, of 500 to 1,000 simulations each: 93.6 % (two models, 30 % ties) to 96.0 % (two very
    # different models, 10 votes); three to five models 94.2 to 95.0 %.
    rng = np.random.default_rng(1)
    strengths = np.array(truth)
    expected = win_rates(strengths)
    covered = []
    for _ in range(150):
        simulated = []
        for first, second in combinations(range(len(truth)), 2):
            chance = 1 / (1 + np.exp(strengths[second] - strengths[first]))
            wins = int(rng.binomial(votes, chance))
            simulated += duels(first, second, wins, votes - wins)
        for model, true in zip(
            estimate(len(truth), simulated, draws=200).models, expected, strict=True
        ):
            low, high = model.win_rate_interval
            covered.append(low <= true <= high)
    # Three standard errors below the nominal 95 %, of 150 independent experiments.
    assert np.mean(covered) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 150)
