"""Engine workers of one generation: start, feed, replace, drain.

One task tends each slot; `Staff` says which slots there are. What to lease, whom to suspect and when
to give up is decided by `Leases`, `Quarantine` and `Supervisor`; this file only carries their answers
to the workers.
"""

import asyncio
import logging
from math import inf

from seedcorn.core.engine import EngineInfo
from seedcorn.core.errors import EngineUnavailable, EngineUnreachable
from seedcorn.core.figures import duration
from seedcorn.core.scheduling.leasing import Leases
from seedcorn.core.scheduling.supervision import FIRST_WAIT_S, LONG_PATIENCE, PATIENCE, Supervisor
from seedcorn.runtime.driver import clock
from seedcorn.runtime.driver.feeding import LEAVE_S, STEADY, Feeder, Pace, within
from seedcorn.runtime.driver.isolation import SuspectsKilled
from seedcorn.runtime.driver.ports import Cluster, Lost, WorkerHandle
from seedcorn.runtime.driver.pulse import Hung
from seedcorn.runtime.job import GenerationJob
from seedcorn.storage.stores.store import Store

__all__ = ["STEADY", "Crew", "Pace"]

logger = logging.getLogger(__name__)


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
        self._cluster, self._job, self._pace = cluster, job, pace
        self.supervisor = Supervisor(max_restarts=job.recipe.run.max_restarts)
        self._feeder = Feeder(cluster, store, job, leases, self.supervisor, pace)
        self.changes = self._feeder.changes
        """Notified whenever something was staged, lost or drained."""
        self.quarantine = self._feeder.quarantine
        self.ready = self._feeder.ready
        """Workers that are fed."""
        self.placed: dict[int, str] = {}
        """Slots whose worker has a place, and on which node."""
        self.last_place: dict[int, str] = {}
        """The same, of workers that are no more as well."""
        self.asking: dict[int, float] = {}
        """Slots whose worker waits for a place, and since when (monotonic)."""

    @property
    def over(self) -> bool:
        """Nothing more is to be leased."""
        return self._feeder.over

    @property
    def draining(self) -> bool:
        """The run was told to end."""
        return self._feeder.draining

    async def tend(self, slot: int) -> None:
        """Keep one slot working until the generation is done or drained, or the slot is hopeless.

        Where the number of workers follows the cluster, the slot ends with its node.
        """
        self.supervisor.opened(slot)
        while not self.over and not self.supervisor.given_up(slot):
            worker, failed, wait = self._cluster.worker(self._job.recipe.engine, slot), False, 0.0
            try:
                info = await self._started(slot, worker)
                if info is not None:
                    logger.info("worker %d ready: %s, %s", slot, info.engine, info.model)
                    await self._feeder.feed(slot, worker, info.capacity)
            except (Lost, EngineUnavailable) as error:
                failed, wait = True, self._failed(slot, error)
            if self.over and not failed:
                return  # The next generation goes on with this worker.
            self._dismissed(slot)
            await self._cluster.discard_worker(slot)
            if self._feeder.leaving.pop(slot, None) is not None:
                self._feeder.isolation.leave(slot)
                if self._job.recipe.engine.scales:
                    return
            await self._pause(self._pace.back_off * wait)
        if self.supervisor.given_up(slot):
            self._feeder.isolation.leave(slot)

    async def retire(self, slot: int, seconds: float, why: str) -> None:
        """Empty the slot within so many seconds: its node leaves, or nobody needs it. It gets no
        more leases, what is in flight finishes and is staged, then its worker goes."""
        known = slot in self._feeder.leaving
        self._feeder.leaving[slot] = clock.now() + seconds - LEAVE_S
        if not known:
            left = "" if seconds == inf else f" in {duration(seconds)}"
            logger.info("worker %d is leaving%s: %s", slot, left, why)
            self._feeder.isolation.leave(slot)
            self.changes.notify()
            if slot in self.ready:
                await within(self.ready[slot].drain(), "be told to leave")

    async def drain(self) -> None:
        """Lease nothing more; workers finish what is in flight and stage it."""
        self._feeder.draining = True
        self.changes.notify()
        await asyncio.gather(
            *(worker.drain() for worker in self.ready.values()), return_exceptions=True
        )

    async def _started(self, slot: int, worker: WorkerHandle) -> EngineInfo | None:
        """The engine's info once it runs; None if the run is drained or the slot emptied first."""
        starting = asyncio.create_task(self._start(slot, worker))
        since, limit = clock.now(), self._job.recipe.run.lease_deadline_s
        try:
            while not starting.done():
                if self._feeder.ends(slot):
                    return None
                if slot in self.asking:
                    since = clock.now()
                elif limit and clock.now() - since > limit:
                    raise Hung(f"the engine did not start within {duration(limit)}")
                await self.changes.wait_or({starting}, self._pace.poll_s)
            return starting.result()
        finally:
            starting.cancel()

    async def _start(self, slot: int, worker: WorkerHandle) -> EngineInfo:
        self.asking[slot] = clock.now()
        try:
            self.placed[slot] = self.last_place[slot] = await worker.place()
        finally:
            self.asking.pop(slot, None)
        return await worker.start(self._job)

    def _dismissed(self, slot: int) -> None:
        """The slot has no worker that could be talked to."""
        self.ready.pop(slot, None)
        self.placed.pop(slot, None)

    def _failed(self, slot: int, error: Lost | EngineUnavailable) -> float:
        """Record why a worker is no more; returns seconds to wait before the next one. Raises
        RunStopped once no slot has a chance left; what went with its node counts for nothing."""
        if self._feeder.went(slot, error):
            self._feeder.leaving.setdefault(slot, 0.0)
            logger.warning("worker %d: %s", slot, error)
            return FIRST_WAIT_S
        unreachable = isinstance(error, EngineUnreachable)
        wait = self.supervisor.failed(
            slot,
            str(error),
            final=isinstance(error, EngineUnavailable) and not unreachable,
            quarantined=isinstance(error, SuspectsKilled),
            patience=LONG_PATIENCE if unreachable else PATIENCE,
        )
        logger.warning("worker %d: %s; next try in %.0f s", slot, error, wait)
        return wait

    async def _pause(self, seconds: float) -> None:
        end = clock.now() + seconds
        while not self.over and (left := end - clock.now()) > 0:
            await self.changes.wait(left)
