"""Counts requests in flight, so that every engine drains in the same way."""

import asyncio
from types import TracebackType


class InFlight:
    """A context manager per request; `drained` returns when none is left. One event loop only."""

    def __init__(self) -> None:
        self.count = 0
        self.finished = 0
        self._waiters: list[asyncio.Future[None]] = []

    def __enter__(self) -> None:
        self.count += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.count -= 1
        self.finished += 1
        if self.count == 0:
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)
            self._waiters.clear()

    async def drained(self) -> None:
        """Wait until no request is in flight."""
        while self.count:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter
