"""Waking up: every waiter, no lost wake-ups for those who look first, no leaked tasks."""

import asyncio

import pytest

from seedcorn.runtime.driver.changes import Changes

NEVER_S = 60.0


def run(scenario) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 10))


def test_notify_wakes_everyone_who_waits():
    async def scenario() -> None:
        changes = Changes()
        waiters = [asyncio.create_task(changes.wait(NEVER_S)) for _ in range(3)]
        await asyncio.sleep(0)
        changes.notify()
        await asyncio.gather(*waiters)

    run(scenario)


def test_change_before_the_wait_is_not_remembered():
    async def scenario() -> None:
        changes = Changes()
        changes.notify()
        waiter = asyncio.create_task(changes.wait(NEVER_S))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not waiter.done()
        waiter.cancel()

    run(scenario)


def test_change_made_in_the_very_turn_the_wait_begins_is_seen():
    async def scenario() -> None:
        changes = Changes()
        waiter = asyncio.create_task(changes.wait(NEVER_S))
        await asyncio.sleep(0)
        changes.notify()
        changes.notify()
        await waiter

    run(scenario)


def test_wait_without_a_change_ends_at_its_timeout():
    run(lambda: Changes().wait(0.001))


def test_wait_or_returns_the_finished_tasks_and_leaves_the_others_running():
    async def scenario() -> None:
        changes, gate = Changes(), asyncio.Event()
        done = asyncio.create_task(asyncio.sleep(0, "value"))
        pending = asyncio.create_task(gate.wait())

        assert await changes.wait_or({done, pending}, NEVER_S) == {done}
        assert not pending.cancelled()
        gate.set()
        assert await changes.wait_or([pending], NEVER_S) == {pending}

    run(scenario)


def test_wait_or_hands_failed_tasks_over_without_raising():
    async def scenario() -> None:
        async def fail() -> None:
            raise LookupError("gone")

        task = asyncio.create_task(fail())
        (done,) = await Changes().wait_or({task}, NEVER_S)
        with pytest.raises(LookupError, match="gone"):
            done.result()

    run(scenario)


def test_waits_leave_no_task_behind_even_when_cancelled():
    async def scenario() -> None:
        changes, before = Changes(), asyncio.all_tasks()
        waiter = asyncio.create_task(changes.wait(NEVER_S))
        await asyncio.sleep(0)
        waiter.cancel()
        await asyncio.gather(waiter, return_exceptions=True)
        await changes.wait(0.0)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == before

    run(scenario)
