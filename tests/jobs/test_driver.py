"""What a replica is given at a time."""

import pytest

from jobs.driver import in_hand


@pytest.mark.parametrize(
    ("in_flight", "chunk_rows"), [(128, 32), (512, 128), (16, 32), (512, 1024)]
)
def test_a_replica_that_is_alone_is_given_more(in_flight: int, chunk_rows: int) -> None:
    alone, one_of_two = (in_hand(in_flight, chunk_rows, replicas) for replicas in (1, 2))
    for hand in (alone, one_of_two):
        assert hand.together * hand.calls * chunk_rows >= 3 * in_flight
    assert alone.together >= one_of_two.together
    assert alone.to_follow > one_of_two.to_follow == 1
