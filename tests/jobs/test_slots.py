"""Slots: taken together, in the order of waiting, and none lost when a waiter goes away."""

import asyncio

import pytest

from jobs.slots import Slots


async def test_all_that_are_free_are_taken_at_once() -> None:
    slots = Slots(8)
    assert await slots.take(5) == 5
    assert await slots.take(5) == 3
    slots.give_back(8)
    assert await slots.take(100) == 8


async def test_who_waits_gets_all_that_came_back_in_one_turn() -> None:
    slots = Slots(4)
    await slots.take(4)
    waiting = asyncio.create_task(slots.take(10))
    await asyncio.sleep(0)
    for _ in range(3):
        slots.give_back()
    assert await waiting == 3


async def test_who_came_first_is_served_first() -> None:
    slots = Slots(2)
    await slots.take(2)
    served: list[str] = []

    async def take(name: str) -> None:
        await slots.take(1)
        served.append(name)

    tasks = [asyncio.create_task(take("first")), asyncio.create_task(take("second"))]
    await asyncio.sleep(0)
    slots.give_back()
    # One is free, and promised to the first, who has not run since.
    tasks.append(asyncio.create_task(take("late")))
    slots.give_back()
    await asyncio.wait_for(asyncio.gather(*tasks[:2]), 5)
    slots.give_back()
    await asyncio.wait_for(tasks[2], 5)
    assert served == ["first", "second", "late"]


@pytest.mark.parametrize("called", [False, True])
async def test_a_waiter_that_is_cancelled_takes_nothing_away(called: bool) -> None:
    slots = Slots(1)
    await slots.take(1)
    gone = asyncio.create_task(slots.take(1))
    stays = asyncio.create_task(slots.take(1))
    await asyncio.sleep(0)
    if called:
        slots.give_back()
        gone.cancel()
    else:
        gone.cancel()
        await asyncio.sleep(0)
        slots.give_back()
    assert await asyncio.wait_for(stays, 5) == 1
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_all_are_collected_while_others_come_and_go() -> None:
    slots = Slots(3)
    at_work = alone = 0

    async def work() -> None:
        nonlocal at_work
        for _ in range(20):
            await slots.take(1)
            assert not alone
            at_work += 1
            await asyncio.sleep(0)
            at_work -= 1
            slots.give_back()

    async def collect() -> None:
        nonlocal alone
        await asyncio.sleep(0)
        await slots.take_all()
        alone += 1
        assert at_work == 0
        await asyncio.sleep(0.01)
        alone -= 1
        slots.give_back(3)

    await asyncio.wait_for(asyncio.gather(*(work() for _ in range(6)), collect()), 10)
    assert await slots.take(9) == 3
