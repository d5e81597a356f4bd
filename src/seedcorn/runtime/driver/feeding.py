"""Leases in, reports out: keeps started workers busy, and takes leave of those that die or leave.

What a worker staged counts, however it ended; what it held goes to others, or waits as a suspect
where it may have been the cause.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf

from seedcorn.core.figures import counted
from seedcorn.core.log.layout import parse_segment, segment_prefix
from seedcorn.core.recipe import in_flight
from seedcorn.core.scheduling.leasing import Leases
from seedcorn.core.scheduling.supervision import Supervisor
from seedcorn.runtime.driver import clock
from seedcorn.runtime.driver.changes import Changes
from seedcorn.runtime.driver.isolation import Hands, Isolation
from seedcorn.runtime.driver.ports import Cluster, Lost, NodeLost, WorkerHandle
from seedcorn.runtime.driver.pulse import Hung, Pulse
from seedcorn.runtime.job import GenerationJob, UnitReport
from seedcorn.storage.stores.store import Store

logger = logging.getLogger(__name__)
LEAVE_S = 5.0
"""How long before its node's deadline a worker is emptied, for staging and for saying so."""
NODES_TO_SUSPECT = 2
"""Nodes that may go with a unit before its samples are suspects: one may be bad luck."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a crew waits for what, in seconds."""

    poll_s: float = 1.0
    """Between an idle slot's looks for stragglers to hedge."""
    release_s: float = 30.0
    """For a worker to let go of what another one finished, before it is replaced."""
    look_s: float = 3.0
    """Between looks at the cluster's nodes."""
    back_off: float = 1.0
    """Times the supervisor's wait before a replacement starts."""


STEADY = Pace()


class Feeder:
    """Feeds all workers of one generation, each in a call of its own."""

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        job: GenerationJob,
        leases: Leases,
        supervisor: Supervisor,
        pace: Pace = STEADY,
    ) -> None:
        """`supervisor` is told of every lease that a slot finished."""
        self._cluster, self._store, self._job = cluster, store, job
        self._leases, self._supervisor, self._pace = leases, supervisor, pace
        self.changes = Changes()
        """Notified whenever something was staged, lost or drained."""
        self.isolation = Isolation(leases, self.find_segments)
        self.quarantine = self.isolation.quarantine
        self.ready: dict[int, WorkerHandle] = {}
        self.leaving: dict[int, float] = {}
        """Slots to be emptied, and when at the latest (monotonic)."""
        self.draining = False
        self._gone_with: Counter[int] = Counter()
        """Nodes that were lost while they worked on a unit."""

    @property
    def over(self) -> bool:
        """Nothing more is to be leased."""
        return self.draining or self._leases.done

    def ends(self, slot: int) -> bool:
        """Nothing more is to be leased to this slot."""
        return self.over or slot in self.leaving

    async def feed(self, slot: int, worker: WorkerHandle, capacity: int) -> None:
        """Keep enough units on the worker to fill its engine; raises Lost when it dies."""
        self.ready[slot] = worker
        depth = ceil(in_flight(capacity) / self._leases.cut.unit) + 1
        hands: Hands = set()
        pulse = Pulse()
        try:
            while not self._leases.done and not (self.ends(slot) and not hands):
                if not hands:
                    pulse.begins()
                    if self._takes_suspects(slot):
                        await self._run_suspects(slot, worker, pulse)
                        continue
                hands |= self._grants(slot, worker, depth - len(hands))
                done = await self._finished(slot, worker, hands, pulse)
                hands -= done
                if done:  # Idle slots must not wake each other for nothing.
                    self._settle(slot, done)
            await self._release(slot, worker, hands)
        except Lost as error:
            await self._handle_loss(slot, hands, error)
            raise
        finally:
            for task in hands:
                task.cancel()

    async def _finished(self, slot: int, worker: WorkerHandle, hands: Hands, pulse: Pulse) -> Hands:
        """Those of `hands` that are done, perhaps none yet; raises Lost where waiting is in vain."""
        done = await self.changes.wait_or(hands, self._pace.poll_s)
        if done or not hands:
            return done
        if clock.now() > self.leaving.get(slot, inf):
            await within(worker.flush(), "stage before it left")
            raise NodeLost("its node is leaving; its unfinished work goes to other workers")
        run = self._job.recipe.run
        await pulse.check(worker, self._leases.patience(run.lease_deadline_s, run.hedge_factor))
        return done

    def _grants(self, slot: int, worker: WorkerHandle, room: int) -> Hands:
        """Lease up to `room` units to the worker."""
        granted: Hands = set()
        factor = self._job.recipe.run.hedge_factor
        while len(granted) < room and not self.ends(slot) and not self._takes_suspects(slot):
            lease = self._leases.lease(slot, clock.now(), factor)
            if lease is None:
                break
            granted.add(asyncio.create_task(worker.write(lease)))
        return granted

    async def _release(self, slot: int, worker: WorkerHandle, hands: Hands) -> None:
        """Every batch is committed: what is still being written was hedged, and nobody needs it.

        A worker that does not let go of it is stuck; the next generation gets a fresh one.
        """
        if not hands:
            return
        letting_go = asyncio.gather(worker.drain(), *hands, return_exceptions=True)
        hands.clear()
        try:
            async with asyncio.timeout(self._pace.release_s):
                await letting_go
        except TimeoutError:
            logger.warning(
                "worker %d is stuck on work that another one has finished; replacing it", slot
            )
            self.ready.pop(slot, None)
            await self._cluster.discard_worker(slot)

    def _settle(self, slot: int, done: Iterable[asyncio.Task[UnitReport]]) -> None:
        """Record what is staged; raises Lost for a dead worker or a report of its engine's death,
        after everything else that came back at the same time is recorded."""
        errors = [error for task in done if (error := task.exception()) is not None]
        reports = [task.result() for task in done if task.exception() is None]
        for report in reports:
            self._take(slot, report)
        deaths = [report.cause for report in reports if report.died]
        if deaths:
            self._hold(slot)
            errors.append(Lost(f"engine died: {deaths[0]}"))
        elif not errors and any(report.covered for report in reports):
            # A unit whose samples all waited behind the death says nothing of the engine's health.
            self._supervisor.worked(slot)
        self.changes.notify()
        errors.sort(key=lambda error: isinstance(error, Lost))
        for error in errors:
            raise error

    def _take(self, slot: int, report: UnitReport) -> None:
        self._leases.staged(report.unit, report.covered, report.segments)
        self.quarantine.suspect(report.in_flight)
        self._leases.returned(report.unit, slot, clock.now())

    async def _handle_loss(self, slot: int, hands: Hands, error: Lost) -> None:
        """A worker is gone: gather what its other units report, suspect what nobody reports."""
        if isinstance(error, Hung | NodeLost):  # Nobody would answer any more.
            self.ready.pop(slot, None)
            await self._cluster.discard_worker(slot)
            if hands:
                await asyncio.wait(hands, timeout=LEAVE_S)
            for task in hands:
                task.cancel()
        outcomes = await asyncio.gather(*hands, return_exceptions=True)
        hands.clear()
        for report in outcomes:
            if isinstance(report, UnitReport):
                self._take(slot, report)
        lost = self._leases.lost(slot)
        self.quarantine.suspect(self._suspects(slot, lost, error))
        self._hold(slot)  # Before anything is awaited: nobody may lease a suspect normally.
        await self.find_segments(lost)
        logger.warning("worker %d lost %s: %s", slot, counted(len(lost), "unit"), error)

    def _suspects(self, slot: int, lost: Mapping[int, Sequence[int]], error: Lost) -> Iterable[int]:
        """Indices that may have killed the worker: none of them killed a node that was to go."""
        units = list(lost)
        if self.went(slot, error):
            self._gone_with.update(units if slot not in self.leaving else ())
            units = [unit for unit in units if self._gone_with[unit] > NODES_TO_SUSPECT]
        return [index for unit in units for index in lost[unit]]

    async def find_segments(self, units: Iterable[int]) -> None:
        """Segments that a worker staged without living to report them."""
        wanted = set(units)
        if not wanted:
            return
        listed = await asyncio.to_thread(
            lambda: [i.key for i in self._store.list(segment_prefix(self._job.generation))]
        )
        named = ((parse_segment(key).unit, key) for key in listed)
        self._leases.resume((unit, key) for unit, key in named if unit in wanted)

    def _hold(self, slot: int) -> None:
        self.isolation.hold(slot)
        self.changes.notify()

    def _takes_suspects(self, slot: int) -> bool:
        return not self.ends(slot) and self.isolation.takes(slot)

    async def _run_suspects(self, slot: int, worker: WorkerHandle, pulse: Pulse) -> None:
        """One group, alone on this worker; raises Lost if it kills again."""

        async def wait(hands: Hands) -> Hands:
            return await self._finished(slot, worker, hands, pulse)

        if await self.isolation.run(slot, worker, wait):
            self._supervisor.worked(slot)
        self.changes.notify()

    def went(self, slot: int, error: Exception) -> bool:
        """The worker is gone because its node is, or was told to go."""
        return isinstance(error, NodeLost) or (isinstance(error, Lost) and slot in self.leaving)


async def within(call: Awaitable[None], what: str) -> None:
    """A call that a worker may not live, or not take the time, to answer."""
    try:
        async with asyncio.timeout(LEAVE_S):
            await call
    except (Lost, TimeoutError) as error:
        logger.warning("a worker could not %s: %s", what, error or "no answer")
