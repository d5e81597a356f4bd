"""Engine workers of one generation: start, feed, replace, drain.

One task tends each slot. What to lease, whom to suspect and when to give up is decided by
`Leases`, `Quarantine` and `Supervisor`; this file only carries their answers to the workers.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from seedcorn.core.engine import EngineInfo
from seedcorn.core.errors import EngineUnavailable
from seedcorn.core.layout import parse_segment, segment_prefix
from seedcorn.core.leasing import Lease, Leases, in_flight
from seedcorn.core.quarantine import Quarantine
from seedcorn.core.supervision import Slot, Supervisor
from seedcorn.runtime.changes import Changes
from seedcorn.runtime.job import GenerationJob, UnitReport
from seedcorn.runtime.ports import Cluster, Lost, WorkerHandle
from seedcorn.storage.store import Store

logger = logging.getLogger(__name__)
FAILED_BY_DEATH = "engine_death"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a crew waits for what, in seconds."""

    poll_s: float = 1.0
    """Between an idle slot's looks for stragglers to hedge."""
    release_s: float = 30.0
    """For a worker to let go of what another one finished, before it is replaced."""
    back_off: float = 1.0
    """Times the supervisor's wait before a replacement starts."""


STEADY = Pace()


class SuspectsKilled(Lost):
    """The quarantined worker died, as it is there to do: no sign that the engine is broken."""


class Crew:
    """All workers of one generation."""

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        job: GenerationJob,
        leases: Leases,
        pace: Pace = STEADY,
    ) -> None:
        """One crew per generation."""
        self._cluster, self._store, self._job = cluster, store, job
        self._leases, self._pace = leases, pace
        self.changes = Changes()
        """Notified whenever something was staged, lost or drained."""
        spec = job.recipe
        self.supervisor = Supervisor(
            [Slot() for _ in range(spec.engine.workers)], spec.run.max_restarts
        )
        self.quarantine = Quarantine()
        self._quarantined_slot: int | None = None
        self.ready: dict[int, WorkerHandle] = {}
        self.draining = False

    async def tend(self, slot: int) -> None:
        """Keep one slot working until the generation is done or drained, or the slot is hopeless."""
        while not self._over() and not self.supervisor.given_up(slot):
            worker = self._cluster.worker(self._job.recipe, slot)
            try:
                info = await self._started(worker)
                if info is None:
                    return
                logger.info("worker %d ready: %s, %s", slot, info.engine, info.model)
                self.ready[slot] = worker
                await self._feed(slot, worker, info.capacity)
            except (Lost, EngineUnavailable) as error:
                self.ready.pop(slot, None)
                wait = self._record(slot, error)
                logger.warning("worker %d: %s; next try in %.0f s", slot, error, wait)
                await self._cluster.discard_worker(slot)
                await self._pause(self._pace.back_off * wait)

    async def _started(self, worker: WorkerHandle) -> EngineInfo | None:
        """The engine's info once it runs; None if the run is drained first."""
        starting = asyncio.create_task(worker.start(self._job))
        try:
            while not starting.done():
                if self._over():
                    return None
                await self.changes.wait_or({starting}, self._pace.poll_s)
            return starting.result()
        finally:
            starting.cancel()

    async def drain(self) -> None:
        """Lease nothing more; workers finish what is in flight and stage it."""
        self.draining = True
        self.changes.notify()
        await asyncio.gather(
            *(worker.drain() for worker in self.ready.values()), return_exceptions=True
        )

    def _over(self) -> bool:
        return self.draining or self._leases.done

    def _record(self, slot: int, error: Exception) -> float:
        return self.supervisor.failed(
            slot,
            str(error),
            final=isinstance(error, EngineUnavailable),
            quarantined=isinstance(error, SuspectsKilled),
        )

    async def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._over() and (left := end - time.monotonic()) > 0:
            await self.changes.wait(left)

    async def _feed(self, slot: int, worker: WorkerHandle, capacity: int) -> None:
        """Keep enough units on the worker to fill its engine; raises Lost when it dies."""
        depth = ceil(in_flight(capacity) / self._leases.cut.unit) + 1
        hands: set[asyncio.Task[UnitReport]] = set()
        try:
            while not self._leases.done and not (self._over() and not hands):
                if self._takes_suspects(slot) and not hands:
                    await self._run_suspects(slot, worker)
                    continue
                hands |= self._grants(slot, worker, depth - len(hands))
                done = await self.changes.wait_or(hands, self._pace.poll_s)
                hands -= done
                if done:  # Idle slots must not wake each other for nothing.
                    self._settle(slot, done)
            await self._release(slot, worker, hands)
        except Lost as error:
            await self._bury(slot, hands, error)
            raise
        finally:
            for task in hands:
                task.cancel()

    def _grants(self, slot: int, worker: WorkerHandle, room: int) -> set[asyncio.Task[UnitReport]]:
        """Lease up to `room` units to the worker."""
        granted: set[asyncio.Task[UnitReport]] = set()
        factor = self._job.recipe.run.hedge_factor
        while len(granted) < room and not self._over() and not self._takes_suspects(slot):
            lease = self._leases.lease(slot, time.monotonic(), factor)
            if lease is None:
                break
            granted.add(asyncio.create_task(worker.write(lease)))
        return granted

    async def _release(
        self, slot: int, worker: WorkerHandle, hands: set[asyncio.Task[UnitReport]]
    ) -> None:
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
            logger.warning("worker %d is stuck on what another one finished; replacing it", slot)
            self.ready.pop(slot, None)
            await self._cluster.discard_worker(slot)

    def _settle(self, slot: int, done: Iterable[asyncio.Task[UnitReport]]) -> None:
        """Record what is staged; raises Lost for a dead worker or a report of its engine's death,
        after everything else that came back at the same time is recorded."""
        errors = [error for task in done if (error := task.exception()) is not None]
        reports = [task.result() for task in done if task.exception() is None]
        for report in reports:
            self._leases.staged(report.unit, report.covered, report.segments)
            self.quarantine.suspect(report.in_flight)
            self._leases.returned(report.unit, slot, time.monotonic())
        deaths = [report.cause for report in reports if report.died]
        if deaths:
            self._hold(slot)
            errors.append(Lost(f"engine died: {deaths[0]}"))
        elif not errors and any(report.covered for report in reports):
            # A unit whose samples all waited behind the death says nothing of the engine's health.
            self.supervisor.worked(slot)
        self.changes.notify()
        errors.sort(key=lambda error: isinstance(error, Lost))
        for error in errors:
            raise error

    async def _bury(self, slot: int, hands: set[asyncio.Task[UnitReport]], error: Lost) -> None:
        """A worker is gone: gather what its other units report, suspect what nobody reports."""
        outcomes = await asyncio.gather(*hands, return_exceptions=True)
        hands.clear()
        for report in outcomes:
            if isinstance(report, UnitReport):
                self._leases.staged(report.unit, report.covered, report.segments)
                self.quarantine.suspect(report.in_flight)
                self._leases.returned(report.unit, slot, time.monotonic())
        lost = self._leases.lost(slot)
        self.quarantine.suspect(index for indices in lost.values() for index in indices)
        self._hold(slot)  # Before anything is awaited: nobody may lease a suspect normally.
        await self.find_segments(lost)
        logger.warning("worker %d lost %d units: %s", slot, len(lost), error)

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
        """Suspects wait for one worker; the first slot that dies becomes it."""
        self._leases.held_back = self.quarantine.indices
        if self.quarantine.pending and self._quarantined_slot is None:
            self._quarantined_slot = slot
        if not self.quarantine.pending:
            self._quarantined_slot = None
        self.changes.notify()

    def _takes_suspects(self, slot: int) -> bool:
        if not self.quarantine.pending or self._over():
            return False
        holder = self._quarantined_slot
        if holder is None or self.supervisor.given_up(holder):
            self._quarantined_slot = slot
        return self._quarantined_slot == slot

    async def _run_suspects(self, slot: int, worker: WorkerHandle) -> None:
        """One group, alone on this worker; raises Lost if it kills again."""
        poisonous = dict(self.quarantine.poisonous)
        group = () if poisonous else self.quarantine.next_group()
        leases = self._leases_for(tuple(poisonous) or group, poisonous)
        outcomes = await asyncio.gather(
            *(worker.write(lease) for lease in leases), return_exceptions=True
        )
        reports = [report for report in outcomes if isinstance(report, UnitReport)]
        errors = [error for error in outcomes if isinstance(error, BaseException)]
        staged = {index for report in reports for index in report.covered}
        for report in reports:
            self._leases.staged(report.unit, report.covered, report.segments)
        cause = next((r.cause for r in reports if r.died), "")
        fatal = next((e for e in errors if not isinstance(e, Lost)), None)
        if fatal is not None:
            raise fatal
        if cause or errors:
            await self.find_segments(lease.unit for lease in leases)
            # A unit that was lost without a report may have had anything in flight.
            known = [] if errors else [index for r in reports for index in r.in_flight]
            self.quarantine.died(staged, known, cause or str(errors[0]))
            self._hold(slot)
            raise SuspectsKilled(f"engine died on a suspect: {cause or errors[0]}")
        for index in poisonous:
            self.quarantine.failed(index)
        if group:
            self.quarantine.survived(staged)
            # Recording failed samples asks no engine: it must not hide one that kills them all.
            self.supervisor.worked(slot)
        self._hold(slot)

    def _leases_for(self, indices: Iterable[int], failed: dict[int, str]) -> list[Lease]:
        by_unit: dict[int, list[int]] = {}
        for index in indices:
            by_unit.setdefault(index // self._leases.cut.unit, []).append(index)
        return [
            Lease(
                self._leases.generation,
                unit,
                tuple(index for index in members if index not in failed),
                self._leases.segments_of_unit(unit),
                {i: (FAILED_BY_DEATH, failed[i]) for i in members if i in failed},
            )
            for unit, members in sorted(by_unit.items())
        ]
