"""All of a run's processes in one: the driver's own.

The coordinator, the workers, the keeper and what they write are those of a run on Ray; only the
places differ. So nothing is isolated: what ends this process ends the whole run, which costs no
more than on Ray, because all that counts is on the store. What hangs cannot be killed.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator

from seedcorn.core.log.entries import Measurement
from seedcorn.core.recipe import EngineSpec, RunSpec
from seedcorn.core.scheduling.goodput import EngineTime
from seedcorn.core.scheduling.scaling import Node
from seedcorn.runtime.driver.meter import Unexported
from seedcorn.runtime.job import GenerationJob
from seedcorn.runtime.local.calls import settled
from seedcorn.runtime.local.keeper import LocalKeeper
from seedcorn.runtime.local.tasks import LocalTasks
from seedcorn.runtime.local.worker import LocalWorker
from seedcorn.runtime.worker.history import MeasuringJob
from seedcorn.runtime.worker.measuring import measure


class LocalCluster:
    """A `Cluster` in this process. Several workers share its event loop."""

    def __init__(self, make: Callable[[int, EngineTime], LocalWorker] = LocalWorker) -> None:
        """`make` makes the worker of a slot."""
        self.engine_time = EngineTime(time.monotonic)
        """What all workers' engines did."""
        self._make = make
        self._workers: dict[int, LocalWorker] = {}
        self._keeper: LocalKeeper | None = None

    def worker(self, spec: EngineSpec, slot: int) -> LocalWorker:
        """The slot's worker, or a new one where the last was discarded."""
        if slot not in self._workers:
            self._workers[slot] = self._make(slot, self.engine_time)
        return self._workers[slot]

    def slots(self) -> list[int]:
        """Slots that have a worker."""
        return sorted(self._workers)

    def instruments(self, corpus: str) -> Unexported:
        """Nobody asks this process for figures."""
        return Unexported()

    async def nodes(self) -> list[Node]:
        """None that could come or go: `workers: auto` is one worker."""
        return []

    def keeper(self, job: GenerationJob) -> LocalKeeper:
        """The keeper, or a new one with an empty index where the last was discarded."""
        if self._keeper is None:
            self._keeper = LocalKeeper(job)
        return self._keeper

    async def measure(self, job: MeasuringJob) -> Measurement:
        """In a thread of its own."""
        return await settled(asyncio.to_thread(measure, job, LocalTasks()), "measuring task")

    async def discard_worker(self, slot: int) -> None:
        """End a worker that failed."""
        worker = self._workers.pop(slot, None)
        if worker is not None:
            await worker.close()

    async def discard_keeper(self) -> None:
        """Forget a keeper that failed."""
        self._keeper = None

    async def close(self) -> None:
        """End everything."""
        await asyncio.gather(*(self.discard_worker(slot) for slot in list(self._workers)))
        await self.discard_keeper()


@contextlib.contextmanager
def local_cluster(run: RunSpec, engine: EngineSpec) -> Iterator[LocalCluster]:
    """The `Host` that is this process."""
    yield LocalCluster()
