"""Waking up: tasks of one event loop that wait until something changed."""

import asyncio
from collections.abc import Iterable
from typing import Any, TypeVar

T = TypeVar("T")


class Changes:
    """`notify` wakes everyone who waits; a change nobody waits for is not remembered, so callers
    look at the state first and wait only when there is nothing to do."""

    def __init__(self) -> None:
        """No change yet."""
        self._event = asyncio.Event()

    def notify(self) -> None:
        """Something changed."""
        event, self._event = self._event, asyncio.Event()
        event.set()

    async def wait(self, timeout_s: float) -> None:
        """Return at the next change or after `timeout_s`, whichever is first."""
        await self.wait_or(set[asyncio.Task[Any]](), timeout_s)

    async def wait_or(
        self, tasks: Iterable[asyncio.Task[T]], timeout_s: float
    ) -> set[asyncio.Task[T]]:
        """Also return when one of `tasks` is done; returns those that are."""
        pending = set(tasks)
        change = asyncio.create_task(self._event.wait())
        try:
            await asyncio.wait(
                {*pending, change}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            change.cancel()
        return {task for task in pending if task.done()}
