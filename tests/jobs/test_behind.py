"""Work behind a thread: in order, a few pieces at most, and its errors are not lost."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from jobs.behind import Behind


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_work_is_done_in_the_order_given(thread: ThreadPoolExecutor) -> None:
    done: list[int] = []
    with Behind(thread) as behind:
        for i in range(100):
            behind.do(done.append, i)
        behind.wait()
        assert done == list(range(100))


def test_an_error_is_raised_where_the_work_is_waited_for(thread: ThreadPoolExecutor) -> None:
    with Behind(thread) as behind:
        behind.do(int, "no number")
        with pytest.raises(ValueError, match="no number"):
            behind.wait()


def test_an_error_is_raised_by_those_who_go_on(thread: ThreadPoolExecutor) -> None:
    with Behind(thread) as behind, pytest.raises(ValueError, match="no number"):
        for _ in range(100):
            behind.do(int, "no number")


def test_what_has_not_begun_is_dropped_with_the_block(thread: ThreadPoolExecutor) -> None:
    go_on, begun, done = threading.Event(), threading.Event(), list[int]()

    def first() -> None:
        begun.set()
        assert go_on.wait(10)
        done.append(1)

    with Behind(thread) as behind:
        behind.do(first)
        behind.do(done.append, 2)
        assert begun.wait(10)
        threading.Timer(0.1, go_on.set).start()
    assert done == [1]


def test_little_waits_in_memory(thread: ThreadPoolExecutor) -> None:
    go_on = threading.Event()
    ordered = 0

    def order() -> None:
        nonlocal ordered
        for _ in range(50):
            behind.do(go_on.wait, 10)
            ordered += 1

    with Behind(thread) as behind:
        orders = threading.Thread(target=order)
        orders.start()
        orders.join(0.3)
        assert ordered < 10
        go_on.set()
        orders.join(10)
        assert ordered == 50


def test_many_share_a_thread_and_each_is_done_in_its_order(thread: ThreadPoolExecutor) -> None:
    done: list[tuple[int, int]] = []

    def one(number: int) -> None:
        with Behind(thread) as behind:
            for i in range(20):
                behind.do(done.append, (number, i))
            behind.do(int, "no number")
            with pytest.raises(ValueError, match="no number"):
                behind.wait()

    with ThreadPoolExecutor(20) as many:
        list(many.map(one, range(20)))
    for number in range(20):
        assert [i for of, i in done if of == number] == list(range(20))


def test_what_is_dropped_holds_up_nobody(thread: ThreadPoolExecutor) -> None:
    go_on, begun, done = threading.Event(), threading.Event(), list[int]()

    def first() -> None:
        begun.set()
        assert go_on.wait(10)

    with Behind(thread) as other:
        with Behind(thread) as behind:
            behind.do(first)
            behind.do(done.append, 1)
            other.do(done.append, 2)
            assert begun.wait(10)
            threading.Timer(0.1, go_on.set).start()
        other.wait()
    assert done == [2]
