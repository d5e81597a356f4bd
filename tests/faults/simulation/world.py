"""Virtual time: an event loop whose clock jumps, and blocking code that takes turns with it.

Everything runs one at a time and in an order that the seed alone decides. Blocking code runs in
threads (`Fiber`) that hand a baton to and fro with the loop: `pause` is where another may go on.
"""

import asyncio
import contextlib
import random
import threading
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, copy_context
from itertools import count
from typing import Any

from tests.faults.simulation.processes.process import Killed, Process

TURN_S = 1e-7
"""What a turn of the loop takes: no deadline may be waited for in no time at all."""
STEPS = 60_000
"""Turns of the event loop after which a schedule counts as one that never ends."""
TRACED = 80
"""Last operations that are kept, for the report of a violation."""
CURRENT: ContextVar[Process] = ContextVar("process")
"""The simulated process that the running code belongs to."""


class Stuck(Exception):
    """Nothing is left to happen, or it never ends, while something is waited for."""


class Numbered(asyncio.Task[Any]):
    """A task that hashes as its number: sets of tasks iterate in the same order in every run."""

    _numbers = count()

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._number = next(Numbered._numbers)
        super().__init__(*arguments, **named)

    def __hash__(self) -> int:
        return self._number

    @classmethod
    def restart(cls) -> None:
        """Count from nought, for a schedule of its own."""
        cls._numbers = count()


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop without files, whose clock moves to the next timer when nothing is ready."""

    def __init__(self) -> None:
        super().__init__()
        self.set_debug(False)
        self._selector = self
        self._clock, self._steps = 0.0, 0
        self.set_task_factory(_owned)
        self.run_blocking: Callable[[Process, Callable[[], Any]], asyncio.Future[Any]]

    def time(self) -> float:
        return self._clock

    def restart_count(self) -> None:
        """Allow as many turns again."""
        self._steps = 0

    def skip_to(self, when: float) -> bool:
        """Move the clock there if nothing else happens before; whether it did."""
        if self._ready or (self._scheduled and self._scheduled[0].when() <= when):
            return False
        self._clock = when
        return True

    def select(self, timeout: float | None) -> list[Any]:
        """In place of a selector's: wait for nothing but time."""
        if timeout is None:
            raise Stuck("nothing is left to happen")
        self._clock += timeout + TURN_S
        return []

    def run_in_executor(self, executor: Any, func: Any, *arguments: Any) -> Any:
        return self.run_blocking(CURRENT.get(), lambda: func(*arguments))

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Errors of abandoned tasks belong to processes that have ended."""

    def _run_once(self) -> None:
        self._steps += 1
        if self._steps > STEPS:
            raise Stuck(f"not done after {STEPS} turns of the event loop")
        super()._run_once()

    def _process_events(self, event_list: Any) -> None:
        return None

    def _write_to_self(self) -> None:
        return None


def _owned(loop: asyncio.AbstractEventLoop, work: Any, **named: Any) -> asyncio.Task[Any]:
    """A task that its process takes along when it is killed."""
    task = Numbered(work, loop=loop, **named)
    context = named.get("context")
    process = context.get(CURRENT) if context is not None else CURRENT.get(None)
    if process is not None:
        process.tasks.add(task)
        task.add_done_callback(process.tasks.discard)
    return task


class Fiber:
    """A thread that runs blocking code while it holds the baton."""

    hub = threading.Lock()
    idle: list["Fiber"] = []  # noqa: RUF012 - shared on purpose: threads outlive a schedule.
    own = threading.local()

    def __init__(self) -> None:
        self._go = threading.Lock()
        self._go.acquire()
        self.work: Callable[[], None] | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def resume(self) -> None:
        """Let it go on until it pauses or is done; called by the loop."""
        self._go.release()
        Fiber.hub.acquire()

    def park(self) -> None:
        """Hand the baton back until `resume`; called by the fiber itself."""
        Fiber.hub.release()
        self._go.acquire()

    def _run(self) -> None:
        Fiber.own.fiber = self
        self._go.acquire()
        while True:
            assert self.work is not None
            self.work()
            self.work = None
            self.park()


Fiber.hub.acquire()


class World:
    """One schedule: time, chance, and what happened so far."""

    def __init__(self, seed: int, keep: int | None = TRACED) -> None:
        """`keep`: how many operations the trace keeps; None: all of them."""
        Numbered.restart()
        self.random = random.Random(seed)
        self.loop = VirtualLoop()
        self.loop.run_blocking = self.call
        self.trace: deque[str] = deque(maxlen=keep)
        self.violations: list[str] = []
        self.operations = self.faults = 0
        self.met: Counter[str] = Counter()
        """How often something happened that schedules are there for."""
        self.calm = False
        """No more faults from here on."""
        self.pending_effects = 0
        """Requests on their way that no client waits for any more."""
        self._skew = 0.0
        self._parked: dict[Fiber, None] = {}
        self._begun: dict[Fiber, Any] = {}

    def now(self) -> float:
        """Virtual seconds."""
        return self.loop.time()

    def wall(self) -> float:
        """What the wall clocks of the machines say: it jumps both ways."""
        if not self.calm and self.random.random() < 0.02:
            self._skew += self.random.uniform(-4000, 4000)
        return 1.8e9 + self.loop.time() + self._skew

    def note(self, who: str, what: str) -> None:
        """One line of the trace."""
        self.trace.append(f"{self.loop.time():9.3f} {who:12s} {what}")

    def violate(self, promise: str, what: str) -> None:
        """A promise is broken."""
        self.note("VIOLATION", f"{promise}: {what}")
        self.violations.append(f"{promise}: {what}")

    def chance(self, rate: float) -> bool:
        """True at this rate, while there are faults."""
        happens = not self.calm and rate > 0 and self.random.random() < rate
        self.faults += happens
        return happens

    def spawn(self, process: Process, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run `work` as code of this process."""
        context = copy_context()
        context.run(CURRENT.set, process)
        return self.loop.create_task(work, context=context)

    @property
    def in_loop(self) -> bool:
        """The caller is the event loop itself, which cannot pause."""
        return getattr(Fiber.own, "fiber", None) is None

    def pause(self, process: Process, seconds: float) -> None:
        """Let time pass for blocking code; raises Killed once the process is gone."""
        process.check()
        if self.in_loop:
            return
        if not self.loop.skip_to(self.loop.time() + seconds):
            fiber = Fiber.own.fiber
            self.loop.call_later(seconds, self._step, fiber)
            fiber.park()
        process.check()

    def call(self, process: Process, work: Callable[[], Any]) -> asyncio.Future[Any]:
        """Run blocking code of a process beside the loop."""
        future, outcome = self.loop.create_future(), list[Any]()

        def run() -> None:
            try:
                outcome[:] = [work(), None]
            except BaseException as error:  # noqa: BLE001 - handed to whoever awaits it.
                outcome[:] = [None, error]

        fiber = Fiber.idle.pop() if Fiber.idle else Fiber()
        fiber.work = run
        self._parked[fiber] = None
        self.loop.call_soon(self._step, fiber, process, future, outcome)
        return future

    def _step(self, fiber: Fiber, *begun: Any) -> None:
        if begun:
            self._begun[fiber] = begun
        fiber.resume()
        if fiber.work is None:
            process, future, outcome = self._begun.pop(fiber)
            self._parked.pop(fiber, None)
            Fiber.idle.append(fiber)
            if process.alive and not future.done():
                _settle(future, *outcome)

    def close(self) -> None:
        """End everything: tasks and blocking code of dead processes unwind first."""
        self.loop.restart_count()
        with contextlib.suppress(Stuck):
            self.loop.run_until_complete(asyncio.sleep(1.0))
        for fiber in list(self._parked):
            while fiber.work is not None:
                fiber.resume()
            Fiber.idle.append(fiber)
        self.loop.close()


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if error is None:
        future.set_result(result)
    elif isinstance(error, Killed):
        future.cancel()
    else:
        future.set_exception(error)
