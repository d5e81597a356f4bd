"""Running a coroutine to its end, also inside a program that has an event loop, such as a notebook.

Signals can be handled in a process' main thread alone. Where the run has to live in another one, the
main thread waits for it, and hands on the interrupt that it gets itself.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
SIGNALS = (signal.SIGINT, signal.SIGTERM)
_acts: dict[asyncio.AbstractEventLoop, Callable[[], object]] = {}
"""What an interrupt does, by the loop that it is meant for."""


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run`, in a thread of its own where this one has a loop that runs."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    started: Future[tuple[asyncio.AbstractEventLoop, Callable[[], object]]] = Future()

    async def told() -> T:
        task = asyncio.current_task()
        assert task is not None
        started.set_result((asyncio.get_running_loop(), task.cancel))
        return await work

    def deliver(of: Future[tuple[asyncio.AbstractEventLoop, Callable[[], object]]]) -> None:
        loop, cancel = of.result()
        with contextlib.suppress(RuntimeError):  # It has ended in this very moment.
            loop.call_soon_threadsafe(_acts.get(loop, cancel))

    # Signals are taken over before the work begins: one that came in between would reach nobody.
    with (
        ThreadPoolExecutor(1, "seedcorn-run") as pool,
        _handing_on(lambda: started.add_done_callback(deliver)),
    ):
        return pool.submit(asyncio.run, told()).result()


@contextlib.contextmanager
def _handing_on(act: Callable[[], object]) -> Iterator[None]:
    """Inside the block, a signal of the main thread is handled by `act`; elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: act()) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


@contextlib.contextmanager
def interrupts(act: Callable[[], object]) -> Iterator[None]:
    """Inside the block, Ctrl-C and SIGTERM call `act` on the running loop instead of ending it."""
    loop = asyncio.get_running_loop()
    handled = SIGNALS if threading.current_thread() is threading.main_thread() else ()
    _acts[loop] = act
    for number in handled:
        loop.add_signal_handler(number, act)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
        del _acts[loop]
