"""Blind voting: who is dealt what, and what a vote says; nothing tells whose answers they are."""

# ruff: noqa: F401, F811 - fixtures are imported

from collections import Counter

import pytest
from ext_fixtures import MODELS, failure, make_benchmark, place, record, request, store_dataset

from jobs import ballots, benchmarks, datasets, standings
from jobs.errors import InvalidRequest, NotFound
from jobs.judgement import Choice


def answers(of, count=12):
    return [record(row, f"{of} {row}") for row in range(count)]


@pytest.fixture
def two(make_benchmark, store_dataset):
    """Two benchmarks that answer differently throughout."""
    dataset = store_dataset(*(request(f"r-{row}", f"Question {row}") for row in range(12)))
    return [
        make_benchmark(answers("one"), dataset, MODELS[0]),
        make_benchmark(answers("two"), dataset, MODELS[1]),
    ]


def test_a_ballot_says_what_was_asked_and_answered_but_not_by_whom(two):
    dealt = ballots.deal(two, "Ada", 4)
    assert (len(dealt.ballots), dealt.voted, dealt.remaining, dealt.goal) == (4, 0, 12, 12)
    for ballot in dealt.ballots:
        row = ballot.custom_id.removeprefix("r-")
        assert {ballot.left, ballot.right} == {f"one {row}", f"two {row}"}
        assert ballot.request is not None
        assert ballot.request.body["messages"][0]["content"] == f"Question {row}"
        said = ballot.model_dump_json()
        assert not any(secret in said for secret in (*two, *MODELS, "test/one"))


def test_sides_are_shuffled(two):
    sides = Counter(
        ballot.left.split()[0]
        for person in range(8)
        for ballot in ballots.deal(two, f"person {person}", 12).ballots
    )
    # Of 96 fair coins, fewer than 25 or more than 71 heads come once in a million.
    assert 25 <= sides["one"] <= 71


def test_open_ballots_come_again_and_voted_ones_do_not(two):
    first = ballots.deal(two, "Ada", 4).ballots
    again = ballots.deal(two, "Ada", 4).ballots
    assert again == first
    ballots.vote(first[0].ballot_id, Choice.TIE)
    more = ballots.deal(two, "Ada", 12)
    assert [one.ballot_id for one in more.ballots[:3]] == [one.ballot_id for one in first[1:]]
    assert len({one.custom_id for one in more.ballots} | {first[0].custom_id}) == 12
    assert (more.voted, more.remaining, len(more.ballots)) == (1, 11, 11)
    assert ballots.deal(two, "Grace", 12).remaining == 12


def test_a_vote_goes_to_the_benchmark_that_was_on_its_side(two):
    for ballot in ballots.deal(two, "Ada", 12).ballots:
        left_is_one = ballot.left.startswith("one")
        ballots.vote(ballot.ballot_id, Choice.LEFT if left_is_one else Choice.RIGHT)
    found = standings.standings(two)
    assert [(one.wins, one.losses) for one in found.standings] == [(12, 0), (0, 12)]
    assert found.verdict.startswith("Test/One is preferred: it wins 96 % [")
    assert standings.standings(two[::-1]).standings == found.standings[::-1]
    (voter,) = found.voters
    assert (voter.author, voter.votes) == ("Ada", 12)


@pytest.mark.parametrize("choice", Choice)
def test_a_vote_can_be_changed_and_taken_back(two, choice):
    ballot_id = ballots.deal(two, "Ada", 1).ballots[0].ballot_id
    ballots.vote(ballot_id, Choice.BOTH_BAD)
    voted = ballots.vote(ballot_id, choice)
    assert (voted.choice, voted.author) == (choice, "Ada")
    assert voted.voted_at is not None
    assert standings.standings(two).votes == 1
    for _ in range(2):
        assert ballots.take_back(ballot_id).choice is None
    found = standings.standings(two)
    assert (found.votes, found.voters, found.verdict) == (0, [], "No votes yet.")
    assert ballots.deal(two, "Ada", 1).ballots[0].ballot_id == ballot_id


def test_what_cannot_be_compared_is_not_dealt(make_benchmark, store_dataset):
    dataset = store_dataset(*(request(f"r-{row}") for row in range(6)))
    first = [record(0, "same"), failure(1), record(2, None), record(3, "a"), record(4, "b")]
    second = [record(0, "same"), record(1, "c"), record(2, "d"), record(3, "e"), failure(4)]
    pair = [
        make_benchmark(first, dataset, MODELS[0]),
        make_benchmark(second, dataset, MODELS[1]),
    ]
    dealt = ballots.deal(pair, "Ada", 10)
    assert [one.custom_id for one in dealt.ballots] == ["r-3"]
    assert (dealt.remaining, dealt.goal) == (1, 1)


def test_every_pair_gets_as_many_votes(make_benchmark, store_dataset):
    dataset = store_dataset(*(request(f"r-{row}") for row in range(12)))
    three = [make_benchmark(answers(model), dataset, model) for model in MODELS]
    for _ in range(4):
        for ballot in ballots.deal(three, "Ada", 6).ballots:
            ballots.vote(ballot.ballot_id, Choice.TIE)
    found = standings.standings(three)
    assert [pair.tie for pair in found.pairs] == [8, 8, 8]
    assert [one.ties for one in found.standings] == [16, 16, 16]
    for one in found.standings:
        assert one.win_rate == pytest.approx(0.5)
    assert found.verdict == "No preference shown by 24 votes."
    # The votes on two of three count when only these are asked about.
    assert standings.standings(three[:2]).votes == 8


def test_the_dataset_may_be_gone_and_the_benchmark_too(two):
    dealt = ballots.deal(two, "Ada", 1).ballots[0]
    datasets.delete(benchmarks.get(two[0]).dataset_id)
    (again,) = ballots.deal(two, "Ada", 1).ballots
    assert again.request is None
    assert (again.left, again.right) == (dealt.left, dealt.right)
    ballots.vote(dealt.ballot_id, Choice.LEFT)
    benchmarks.delete(two[1])
    with pytest.raises(NotFound) as caught:
        ballots.vote(dealt.ballot_id, Choice.LEFT)
    assert caught.value.code == "ballot_not_found"
    with pytest.raises(NotFound) as caught:
        ballots.deal(two, "Ada", 1)
    assert caught.value.code == "benchmark_not_found"


def test_who_votes_must_be_said(two):
    with pytest.raises(InvalidRequest) as caught:
        ballots.deal(two, None, 1)
    assert caught.value.code == "missing_author"
    with pytest.raises(InvalidRequest) as caught:
        ballots.deal([two[0], two[0]], "Ada", 1)
    assert caught.value.code == "one_benchmark"


def test_two_windows_of_one_person_are_not_dealt_the_same_twice(two, monkeypatch):
    sample = ballots._sample

    def meanwhile(db, wanted):
        monkeypatch.setattr(ballots, "_sample", sample)
        ballots.deal(two, "Ada", 12)
        return sample(db, wanted)

    monkeypatch.setattr(ballots, "_sample", meanwhile)
    dealt = ballots.deal(two, "Ada", 12)
    assert len({one.custom_id for one in dealt.ballots}) == len(dealt.ballots) == 12
    assert (dealt.voted, dealt.remaining) == (0, 12)


def test_of_large_benchmarks_a_part_is_looked_at(make_benchmark, store_dataset, monkeypatch):
    dataset = store_dataset(*(request(f"r-{row}") for row in range(128)))
    pair = [
        make_benchmark(answers("one", 128), dataset, MODELS[0]),
        make_benchmark(answers("two", 128), dataset, MODELS[1]),
    ]
    monkeypatch.setattr(ballots, "_MOST_ROWS", 64)
    dealt = ballots.deal(pair, "Ada", 100)
    chunks = {int(one.custom_id.removeprefix("r-")) // 32 for one in dealt.ballots}
    assert (len(dealt.ballots), len(chunks), dealt.remaining) == (64, 2, 128)
