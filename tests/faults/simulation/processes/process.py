"""Simulated processes: they can be killed at any moment, and talk by messages that can be lost."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from seedcorn.core.errors import SeedcornError
from seedcorn.runtime.driver.ports import Lost

if TYPE_CHECKING:
    from tests.faults.simulation.world import World


class Killed(BaseException):
    """The simulated process that this code belongs to is gone; nobody may catch it."""


class Process:
    """One process. What it started ends with it."""

    def __init__(self, world: "World", kind: str, family: "Family") -> None:
        """`kind`: driver | worker | keeper | operator; `family`: the driver it belongs to."""
        self.world, self.kind, self.family = world, kind, family
        self.name = family.named(kind)
        family.members.append(self)
        self.alive = True
        self.tasks: set[asyncio.Task[Any]] = set()
        self._waiting: dict[asyncio.Future[Any], None] = {}
        self.on_death: list[Callable[[], None]] = []

    def check(self) -> None:
        """Raises Killed once the process is gone."""
        if not self.alive:
            raise Killed(self.name)

    def kill(self, why: str) -> None:
        """End it now, wherever it is. Whoever waits for its answers learns of it later."""
        if not self.alive:
            return
        self.alive = False
        self.world.note(self.name, f"ends: {why}")
        if why.startswith(("before", "after")):
            self.world.met[f"{self.kind}s killed"] += 1
        for task in sorted(self.tasks, key=hash):
            task.cancel()
        for reply in self._waiting:
            self.world.loop.call_later(self._notice(), _fail, reply, f"{self.name} died: {why}")
        for told in self.on_death:
            told()

    async def ask(
        self, what: str, work: Callable[[], Awaitable[Any]], twice: float = 0.0, lost: float = 0.0
    ) -> Any:
        """Send a request to this process and await its answer, as a Ray call does.

        At rate `twice` the request arrives twice; at rate `lost` the answer never comes, and the
        caller is told so. Raises the typed error of `work`, or Lost.
        """
        world, reply = self.world, self.world.loop.create_future()
        self._waiting[reply] = None
        answer = not world.chance(lost)
        for _ in range(2 if world.chance(twice) else 1):
            world.loop.call_later(self._latency(), self._deliver, what, work, (reply, answer))
        try:
            return await reply
        finally:
            self._waiting.pop(reply, None)

    def _deliver(
        self,
        what: str,
        work: Callable[[], Awaitable[Any]],
        to: tuple[asyncio.Future[Any], bool],
    ) -> None:
        if not self.alive:
            self.world.loop.call_later(self._notice(), _fail, to[0], f"{self.name} is gone")
            return
        task = self.world.spawn(self, _run(work))
        task.add_done_callback(lambda done: self._answer(what, done, to))

    def _answer(
        self, what: str, done: asyncio.Task[Any], to: tuple[asyncio.Future[Any], bool]
    ) -> None:
        reply, answer = to
        if done.cancelled() or not self.alive:
            return  # Whoever waits is told of the death.
        error = done.exception()
        if error is not None and not isinstance(error, SeedcornError):
            self.world.violate("typed errors", f"{what} of {self.name} raised {error!r}")
        if not answer:
            self.world.note(self.name, f"answer to {what} is lost")
            self.world.met["answers of processes lost"] += 1
            self.world.loop.call_later(self._notice(), _fail, reply, f"{self.name} does not answer")
            return
        self.world.loop.call_later(self._latency(), _give, reply, done, error)

    def _latency(self) -> float:
        chance = self.world.random
        return chance.uniform(0.001, 0.02) if chance.random() < 0.9 else chance.uniform(0.02, 1.5)

    def _notice(self) -> float:
        return self.world.random.uniform(0.01, 1.5)


class Family:
    """A driver with its workers and keeper: what one of them met explains how the driver ends."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.gave_up = False
        """A store request of one of them was not answered until its deadline."""
        self.nonce = ""
        """Of its writer."""
        self.members: list[Process] = []

    def named(self, kind: str) -> str:
        """A name for the next process of this kind."""
        number = sum(member.kind == kind for member in self.members)
        return f"{self.name}.{kind}{number or ''}"

    def end_all(self) -> None:
        """Kill what is left of it."""
        for member in self.members:
            member.kill("over")


async def _run(work: Callable[[], Awaitable[Any]]) -> Any:
    return await work()


def _fail(reply: asyncio.Future[Any], why: str) -> None:
    if not reply.done():
        reply.set_exception(Lost(why))


def _give(reply: asyncio.Future[Any], done: asyncio.Task[Any], error: BaseException | None) -> None:
    if reply.done():
        return
    if error is None:
        reply.set_result(done.result())
    elif isinstance(error, SeedcornError):
        reply.set_exception(error)
    else:
        reply.set_exception(Lost(f"failed: {error!r}"))
