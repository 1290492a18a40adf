"""Work behind a thread: in order, a few pieces at most, and its errors are not lost."""

import threading
import time

import pytest

from jobs.behind import Behind, limit


def test_work_is_done_in_the_order_given() -> None:
    done: list[int] = []
    with Behind(limit()) as behind:
        for i in range(100):
            behind.do(done.append, i)
        behind.wait()
        assert done == list(range(100))


def test_an_error_is_raised_where_the_work_is_waited_for() -> None:
    with Behind(limit()) as behind:
        behind.do(int, "no number")
        with pytest.raises(ValueError, match="no number"):
            behind.wait()


def test_an_error_is_raised_by_those_who_go_on() -> None:
    with Behind(limit()) as behind, pytest.raises(ValueError, match="no number"):
        for _ in range(100):
            behind.do(int, "no number")


def test_what_has_not_begun_is_dropped_with_the_block() -> None:
    go_on, begun, done = threading.Event(), threading.Event(), list[int]()

    def first() -> None:
        begun.set()
        assert go_on.wait(10)
        done.append(1)

    with Behind(limit()) as behind:
        behind.do(first)
        behind.do(done.append, 2)
        assert begun.wait(10)
        threading.Timer(0.1, go_on.set).start()
    assert done == [1]


def test_little_waits_in_memory() -> None:
    go_on = threading.Event()
    ordered = 0

    def order() -> None:
        nonlocal ordered
        for _ in range(50):
            behind.do(go_on.wait, 10)
            ordered += 1

    with Behind(limit()) as behind:
        orders = threading.Thread(target=order)
        orders.start()
        orders.join(0.3)
        assert ordered < 10
        go_on.set()
        orders.join(10)
        assert ordered == 50


def test_little_waits_of_many_that_share_a_limit() -> None:
    go_on = threading.Event()
    shared, ordered = limit(), list[int]()

    def one(number: int) -> None:
        with Behind(shared) as behind:
            behind.do(go_on.wait, 10)
            ordered.append(number)
            behind.do(int, "no number")
            with pytest.raises(ValueError, match="no number"):
                behind.wait()

    many = [threading.Thread(target=one, args=(number,)) for number in range(20)]
    for thread in many:
        thread.start()
    time.sleep(0.2)
    assert len(ordered) <= 6
    go_on.set()
    for thread in many:
        thread.join(10)
    assert sorted(ordered) == list(range(20))


def test_what_is_dropped_leaves_its_place_to_others() -> None:
    shared = limit()
    for _ in range(20):
        go_on = threading.Event()
        with Behind(shared) as behind:
            behind.do(go_on.wait, 10)
            behind.do(int, "never")
            threading.Timer(0.01, go_on.set).start()
        with pytest.raises(RuntimeError):
            behind.do(int, "later")
