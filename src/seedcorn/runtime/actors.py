"""Ray actors: thin adapters around workers, keeper and index. No decision is made here.

Actors are never detached and never restarted by Ray: the coordinator supervises them, and the log
and the staged segments are all they need to begin again. The dashboard stays off and nothing but
plain values crosses process borders.
"""

import asyncio
import os
from collections.abc import Awaitable
from typing import Any, TypeVar

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError

from seedcorn.core.engine import Engine, EngineInfo
from seedcorn.core.entries import BatchCommitted, Entry, Measurement
from seedcorn.core.errors import EngineUnavailable, SeedcornError
from seedcorn.core.leasing import Lease
from seedcorn.core.recipe import Recipe
from seedcorn.engines.vllm_setup import engine_environment
from seedcorn.runtime.index_client import IndexPart, PartitionedIndex
from seedcorn.runtime.job import (
    Folded,
    GenerationJob,
    LoadReport,
    SealRequest,
    UnitReport,
    WorkerProgress,
)
from seedcorn.runtime.keeper import Keeper
from seedcorn.runtime.measuring import MeasuringJob, measure
from seedcorn.runtime.ports import Lost
from seedcorn.runtime.unit_writer import UnitWriter
from seedcorn.runtime.worker_setup import make_engine, make_writer
from seedcorn.storage.opening import open_store

T = TypeVar("T")
CLOSE_S = 20.0
"""How long an engine may take to free its processes before its actor is killed."""


class EngineActor:
    """One engine and its `UnitWriter`."""

    def __init__(self) -> None:
        """Nothing is opened before `start`, so that a constructor never fails."""
        self._engine: Engine | None = None
        self._info: EngineInfo | None = None
        self._writer: UnitWriter | None = None
        self._starting = asyncio.Lock()

    async def start(self, job: GenerationJob) -> EngineInfo:
        """Start the engine unless it runs, and open store and seed for this generation.

        A generation may end, and the next one ask again, while the engine is still starting: the
        lock keeps that from loading the model twice.
        """
        async with self._starting:
            if self._engine is None or self._info is None:
                self._engine = make_engine(job)
                self._info = await self._engine.start()
            if self._writer is not None:
                await self._writer.stop()
            self._writer = await make_writer(job, self._engine, self._info)
            return self._info

    async def write(self, lease: Lease) -> UnitReport:
        """See `UnitWriter.write`."""
        return await self._started().write(lease)

    async def progress(self) -> WorkerProgress:
        """See `UnitWriter.progress`."""
        return await self._started().progress()

    async def drain(self) -> None:
        """See `UnitWriter.drain`."""
        if self._writer is not None:
            await self._writer.drain()

    async def close(self) -> None:
        """Free the engine before the process ends."""
        if self._writer is not None:
            await self._writer.stop()
        if self._engine is not None:
            await self._engine.close()

    def _started(self) -> UnitWriter:
        if self._writer is None:
            raise EngineUnavailable("the worker was asked to work before its engine started")
        return self._writer


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

    def __init__(self, corpus: str, recipe: Recipe, parts: list[Any]) -> None:
        """`parts` are the handles of the index actors."""
        self._corpus, self._recipe, self._parts = corpus, recipe, parts
        self._keeper: Keeper | None = None

    def load(self, until: int) -> LoadReport:
        """See `Keeper.load`."""
        if self._keeper is None:
            store = open_store(self._corpus, self._recipe.store)
            index = PartitionedIndex(RayTransport(self._parts))
            self._keeper = Keeper(store, index, self._recipe, len(self._parts))
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


class RayWorker:
    """A `WorkerHandle` on an EngineActor."""

    def __init__(self, recipe: Recipe) -> None:
        """Ask Ray for the process; it may wait for resources."""
        spec = recipe.engine
        self._actor: Any = (
            ray.remote(EngineActor)
            .options(
                num_cpus=spec.cpus_per_worker,
                num_gpus=spec.gpus_per_worker * spec.vllm.tensor_parallel or None,
                max_restarts=0,
                max_task_retries=0,
                max_concurrency=1000,
                runtime_env={"env_vars": worker_environment(recipe)},
            )
            .remote()
        )

    async def start(self, job: GenerationJob) -> EngineInfo:
        """Waits for the process and its engine."""
        return await settled(self._actor.start.remote(job), "engine worker")

    async def write(self, lease: Lease) -> UnitReport:
        """One lease."""
        return await settled(self._actor.write.remote(lease), "engine worker")

    async def progress(self) -> WorkerProgress:
        """Counters."""
        return await settled(self._actor.progress.remote(), "engine worker")

    async def drain(self) -> None:
        """Submit nothing more."""
        await settled(self._actor.drain.remote(), "engine worker")

    async def close(self) -> None:
        """Free the engine, then end the process."""
        try:
            async with asyncio.timeout(CLOSE_S):
                await settled(self._actor.close.remote(), "engine worker")
        except (SeedcornError, TimeoutError):
            pass  # Dead or hanging: the kill below is what ends it.
        finally:
            ray.kill(self._actor)


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
        self._actor: Any = keeper.remote(job.corpus, job.recipe, self._parts)

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
        call = getattr(self._actor, method).options(concurrency_group="work")
        return await settled(call.remote(*arguments), "keeper or dedup index")


class RayCluster:
    """Processes from the Ray cluster this driver is connected to, kept from one generation to the
    next: a model is loaded once, and the index stays in memory."""

    def __init__(self) -> None:
        """No process yet."""
        self._workers: dict[int, RayWorker] = {}
        self._keeper: RayKeeper | None = None

    def worker(self, recipe: Recipe, slot: int) -> RayWorker:
        """The slot's worker, or a new one where the last was discarded."""
        if slot not in self._workers:
            self._workers[slot] = RayWorker(recipe)
        return self._workers[slot]

    def keeper(self, job: GenerationJob) -> RayKeeper:
        """The keeper, or a new one with an empty index where the last was discarded."""
        if self._keeper is None:
            self._keeper = RayKeeper(job)
        return self._keeper

    async def measure(self, job: MeasuringJob) -> Measurement:
        """In a task of its own; its texts never pass through the driver."""
        remote: Any = ray.remote(num_cpus=0, max_retries=0)(measure)
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


async def settled(call: Awaitable[T], what: str) -> T:
    """Await a remote call; its own typed error comes back as itself, a dead process as `Lost`."""
    try:
        return await call
    except RayTaskError as error:
        cause = _innermost(error.cause)
        if isinstance(cause, RayActorError):
            raise Lost(f"the {what} died: {_first_line(cause)}") from error
        if isinstance(cause, SeedcornError):
            raise cause from error
        raise Lost(f"the {what} failed: {type(cause).__name__}: {_first_line(cause)}") from error
    except RayError as error:
        raise Lost(f"the {what} died: {_first_line(error)}") from error


def worker_environment(recipe: Recipe) -> dict[str, str]:
    """Environment of an engine process. Never holds a secret: Ray shows it in its state APIs."""
    return engine_environment(recipe.engine, os.cpu_count() or 1)


def _innermost(error: BaseException | None) -> BaseException | None:
    """The first error of a task group, which is what says something."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _first_line(error: BaseException | None) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
