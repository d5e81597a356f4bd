"""Coroutines run to their end with and without a running loop, and interrupts reach them."""

import asyncio
import os
import signal
import threading

import pytest

from seedcorn.runtime.event_loop import interrupts, run_to_end


async def thread_of(value):
    await asyncio.sleep(0)
    return value, threading.current_thread()


def test_work_without_a_running_loop_stays_in_its_thread():
    assert run_to_end(thread_of(7)) == (7, threading.current_thread())


def test_work_inside_a_running_loop_gets_a_thread_of_its_own():
    async def cell():
        return run_to_end(thread_of(7))

    value, thread = asyncio.run(cell())
    assert value == 7
    assert thread is not threading.current_thread()


def test_error_of_work_inside_a_running_loop_comes_out_as_itself():
    async def fail():
        raise LookupError("no such row")

    async def cell():
        run_to_end(fail())

    with pytest.raises(LookupError, match="no such row"):
        asyncio.run(cell())


@pytest.mark.parametrize("nested", [False, True])
def test_interrupt_of_the_process_reaches_what_handles_it(nested):
    before = signal.getsignal(signal.SIGINT)

    async def work():
        stop = asyncio.Event()
        with interrupts(stop.set):
            # From outside: a signal that a thread sends to its own process comes back to that thread.
            await asyncio.create_subprocess_exec("kill", "-INT", str(os.getpid()))
            await asyncio.wait_for(stop.wait(), 20)
        return "drained"

    async def cell():
        return run_to_end(work())

    assert (asyncio.run(cell()) if nested else run_to_end(work())) == "drained"
    assert signal.getsignal(signal.SIGINT) == before
