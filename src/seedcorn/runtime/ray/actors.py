"""The run's processes on Ray: keeper and index actors, and the cluster that hands out every handle.

Actors are thin adapters and decide nothing. They are never detached and never restarted by Ray: the
coordinator supervises them, and the log and the staged segments are all they need to begin again.
Nothing but plain values crosses process borders.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator
from typing import Any

import ray
from ray.exceptions import RayError

from seedcorn.core.dedup.sealing import SealRequest
from seedcorn.core.figures import duration
from seedcorn.core.log.entries import BatchCommitted, Entry, Measurement
from seedcorn.core.recipe import EngineSpec, RunSpec
from seedcorn.core.scheduling.goodput import EngineTime
from seedcorn.core.scheduling.scaling import Node
from seedcorn.runtime.driver.ports import Lost
from seedcorn.runtime.job import Folded, GenerationJob, LoadReport
from seedcorn.runtime.keeper.index_client import IndexPart, PartitionedIndex
from seedcorn.runtime.keeper.keeper import Keeper
from seedcorn.runtime.ray import cluster_view
from seedcorn.runtime.ray.engine_actor import RayWorker
from seedcorn.runtime.ray.metrics import RayInstruments
from seedcorn.runtime.ray.remote_calls import settled
from seedcorn.runtime.ray.session import ray_session
from seedcorn.runtime.ray.tasks import RayTasks
from seedcorn.runtime.worker.history import MeasuringJob
from seedcorn.runtime.worker.measuring import measure
from seedcorn.storage.stores.opening import open_store

logger = logging.getLogger(__name__)
KEEPER = "keeper or dedup index"
LOOKS = 8
"""Looks at a keeper within the time that it may be silent."""
MEASURINGS = 3
"""Tries of a measurement whose process or node goes away under it: once the next generation is
begun nobody measures this one any more."""


class RayTransport:
    """Index parts in actors; one call per part and batch, all in flight at once."""

    def __init__(self, parts: list[Any]) -> None:
        """`parts` are actor handles in part order."""
        self._parts, self.parts = parts, len(parts)

    def call(self, method: str, requests: list[tuple[int, tuple[object, ...]]]) -> list[object]:
        """Raises what a part raised, or a Ray error when it is gone."""
        return ray.get([getattr(self._parts[p], method).remote(*args) for p, args in requests])


class KeeperActor:
    """One `Keeper` over index actors."""

    def __init__(self, job: GenerationJob, parts: list[Any]) -> None:
        """`parts` are the handles of the index actors."""
        self._job, self._parts = job, parts
        self._keeper: Keeper | None = None

    def load(self, until: int) -> LoadReport:
        """See `Keeper.load`."""
        if self._keeper is None:
            job, index = self._job, PartitionedIndex(RayTransport(self._parts))
            store = open_store(job.corpus, job.recipe.store)
            self._keeper = Keeper(store, index, job.recipe, len(self._parts), job.abandoned)
        return self._keeper.load(until)

    def seal(self, request: SealRequest) -> BatchCommitted:
        """See `Keeper.seal`."""
        return self._loaded().seal(request)

    def committed(self, entry: Entry) -> Folded:
        """See `Keeper.committed`."""
        return self._loaded().committed(entry)

    def checkpoint(self, chain: str) -> int:
        """See `Keeper.checkpoint`."""
        return self._loaded().checkpoint(chain)

    def progress(self) -> tuple[int, int]:
        """Rows scanned and to scan; answered while `load` runs."""
        return self._keeper.progress if self._keeper is not None else (0, 0)

    def _loaded(self) -> Keeper:
        if self._keeper is None:
            raise Lost("the keeper was asked to work before it loaded the log")
        return self._keeper


class RayKeeper:
    """A `KeeperHandle` on a KeeperActor and its index actors."""

    def __init__(self, job: GenerationJob) -> None:
        """Ask Ray for the processes."""
        count = job.recipe.dedup.actors
        options: dict[str, Any] = {"num_cpus": 0, "max_restarts": 0, "max_task_retries": 0}
        self._parts: list[Any] = [
            ray.remote(IndexPart).options(**options).remote(part, count) for part in range(count)
        ]
        groups = {"work": 1, "watch": 1}
        remote: Any = ray.remote
        keeper: Any = remote(concurrency_groups=groups, **options)(KeeperActor)
        self._actor: Any = keeper.remote(job, self._parts)
        self._deadline_s = job.recipe.run.lease_deadline_s

    async def load(self, until: int) -> LoadReport:
        """Fold the log, fill the index."""
        return await self._work("load", until)

    async def seal(self, request: SealRequest) -> BatchCommitted:
        """Seal one batch."""
        return await self._work("seal", request)

    async def committed(self, entry: Entry) -> Folded:
        """Fold one entry."""
        return await self._work("committed", entry)

    async def checkpoint(self, chain: str) -> int:
        """Write a checkpoint."""
        return await self._work("checkpoint", chain)

    async def progress(self) -> tuple[int, int]:
        """Answered beside the work."""
        call = self._actor.progress.options(concurrency_group="watch").remote()
        return await settled(call, "keeper")

    async def close(self) -> None:
        """End all processes; they hold nothing that is not on the store."""
        for actor in [self._actor, *self._parts]:
            ray.kill(actor)

    async def _work(self, method: str, *arguments: object) -> Any:
        """Await a call, however long it takes; Lost once one of the processes falls silent."""
        call = getattr(self._actor, method).options(concurrency_group="work")
        work = asyncio.ensure_future(settled(call.remote(*arguments), KEEPER))
        watch = asyncio.ensure_future(self._silence())
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
            return work.result() if work.done() else watch.result()
        finally:
            work.cancel()
            watch.cancel()

    async def _silence(self) -> None:
        """Raises Lost when a process has not answered for the deadline. What they are busy with is
        no reason: they answer between two calls, and the keeper beside its work."""
        while self._deadline_s:
            await asyncio.sleep(self._deadline_s / LOOKS)
            asked = [
                self.progress(),
                *(settled(part.answer.remote(), KEEPER) for part in self._parts),
            ]
            try:
                async with asyncio.timeout(self._deadline_s):
                    await asyncio.gather(*asked)
            except TimeoutError as error:
                silent = duration(self._deadline_s)
                raise Lost(f"the {KEEPER} has not answered for {silent}: it hangs") from error
        await asyncio.Future()


class RayCluster:
    """Processes from the Ray cluster this driver is connected to, kept from one generation to the
    next: a model is loaded once, and the index stays in memory."""

    def __init__(self) -> None:
        """No process yet."""
        self.engine_time = EngineTime(time.monotonic)
        """What all workers' engines did."""
        self._workers: dict[int, RayWorker] = {}
        self._keeper: RayKeeper | None = None
        self._seen: list[Node] = []

    def worker(self, spec: EngineSpec, slot: int) -> RayWorker:
        """The slot's worker, or a new one where the last was discarded."""
        if slot not in self._workers:
            self._workers[slot] = RayWorker(spec, slot, self.engine_time)
        return self._workers[slot]

    def slots(self) -> list[int]:
        """Slots that have a worker."""
        return sorted(self._workers)

    def instruments(self, corpus: str) -> RayInstruments:
        """Ray's exporter."""
        return RayInstruments(corpus)

    async def nodes(self) -> list[Node]:
        """See `cluster_view.nodes`."""
        try:
            self._seen = await asyncio.to_thread(cluster_view.nodes)
        except RayError as error:  # What the cluster looked like a moment ago serves as well.
            logger.warning("Ray does not say which nodes there are: %s", error)
        return self._seen

    def keeper(self, job: GenerationJob) -> RayKeeper:
        """The keeper, or a new one with an empty index where the last was discarded."""
        if self._keeper is None:
            self._keeper = RayKeeper(job)
        return self._keeper

    async def measure(self, job: MeasuringJob) -> Measurement:
        """In a task of its own, which has others do the pieces; texts never pass through the
        driver."""
        remote: Any = ray.remote(num_cpus=0, max_retries=0)(measure_on_ray)
        for _ in range(MEASURINGS - 1):
            try:
                return await settled(remote.remote(job), "measuring task")
            except Lost as error:
                logger.warning("%s; measuring again", error)
        return await settled(remote.remote(job), "measuring task")

    async def discard_worker(self, slot: int) -> None:
        """End a worker that failed."""
        worker = self._workers.pop(slot, None)
        if worker is not None:
            await worker.close()

    async def discard_keeper(self) -> None:
        """End a keeper that failed."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            await keeper.close()

    async def close(self) -> None:
        """End everything."""
        await asyncio.gather(*(self.discard_worker(slot) for slot in list(self._workers)))
        await self.discard_keeper()


def measure_on_ray(job: MeasuringJob) -> Measurement:
    """A measurement whose pieces other tasks do."""
    return measure(job, RayTasks())


@contextlib.contextmanager
def ray_cluster(run: RunSpec, engine: EngineSpec) -> Iterator[RayCluster]:
    """A cluster on Ray, connected to inside the `with`; see `ray_session`."""
    with ray_session(run, engine):
        yield RayCluster()
