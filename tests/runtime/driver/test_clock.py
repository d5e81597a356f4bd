"""The clock of code that waits on an event loop."""

import asyncio

import pytest

from seedcorn.runtime.driver import clock


def test_now_is_the_running_loops_time_whatever_that_loop_calls_time() -> None:
    class Ahead(asyncio.SelectorEventLoop):
        def time(self) -> float:
            return super().time() + 1e6

    async def both() -> tuple[float, float, float]:
        loop = asyncio.get_running_loop()
        return loop.time(), clock.now(), loop.time()

    loop = Ahead()
    try:
        before, now, after = loop.run_until_complete(both())
    finally:
        loop.close()
    assert 1e6 < before <= now <= after


def test_now_outside_a_loop_is_refused() -> None:
    with pytest.raises(RuntimeError):
        clock.now()
