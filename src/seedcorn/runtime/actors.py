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
from seedcorn.core.entries import BatchCommitted, Entry
from seedcorn.core.errors import EngineUnavailable, SeedcornError
from seedcorn.core.leasing import Lease
from seedcorn.core.recipe import Recipe
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
from seedcorn.runtime.ports import Lost
from seedcorn.runtime.unit_writer import UnitWriter
from seedcorn.runtime.worker_setup import make_engine, make_writer
from seedcorn.storage.opening import open_store

T = TypeVar("T")
CLOSE_S = 20.0
"""How long an engine may take to free its processes before its actor is killed."""


class EngineActor:
    """One engine and its `UnitWriter`."""

    def __init__(self, job: GenerationJob) -> None:
        """Nothing is opened before `start`, so that a constructor never fails."""
        self._job = job
        self._engine: Engine | None = None
        self._writer: UnitWriter | None = None

    async def start(self) -> EngineInfo:
        """Start the engine, open store and seed."""
        self._engine = make_engine(self._job)
        info = await self._engine.start()
        self._writer = await make_writer(self._job, self._engine, info)
        return info

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
            await self._writer.close()
        elif self._engine is not None:
            await self._engine.close()

    def pid(self) -> int:
        """Of the actor's process, for operators and fault campaigns."""
        return os.getpid()

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

    def checkpoint(self) -> int:
        """See `Keeper.checkpoint`."""
        return self._loaded().checkpoint()

    def progress(self) -> tuple[int, int]:
        """Rows scanned and to scan; answered while `load` runs."""
        return self._keeper.progress if self._keeper is not None else (0, 0)

    def pid(self) -> int:
        """Of the actor's process, for operators and fault campaigns."""
        return os.getpid()

    def _loaded(self) -> Keeper:
        if self._keeper is None:
            raise Lost("the keeper was asked to work before it loaded the log")
        return self._keeper


class IndexActor(IndexPart):
    """One part of the index."""

    def pid(self) -> int:
        """Of the actor's process, for operators and fault campaigns."""
        return os.getpid()


class RayWorker:
    """A `WorkerHandle` on an EngineActor."""

    def __init__(self, job: GenerationJob, slot: int) -> None:
        """Ask Ray for the process; it may wait for resources."""
        spec = job.recipe.engine
        self._actor: Any = (
            ray.remote(EngineActor)
            .options(
                name=f"engine-{slot}",
                num_cpus=spec.cpus_per_worker,
                num_gpus=spec.gpus_per_worker * spec.vllm.tensor_parallel or None,
                max_restarts=0,
                max_task_retries=0,
                max_concurrency=1000,
                runtime_env={"env_vars": worker_environment(job.recipe)},
            )
            .remote(job)
        )

    async def start(self) -> EngineInfo:
        """Waits for the process and its engine."""
        return await settled(self._actor.start.remote(), "engine worker")

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
            ray.remote(IndexActor).options(name=f"index-{part}", **options).remote(part, count)
            for part in range(count)
        ]
        groups = {"work": 1, "watch": 1}
        keeper: Any = ray.remote(concurrency_groups=groups, **options)(KeeperActor)
        self._actor: Any = keeper.options(name="keeper").remote(job.corpus, job.recipe, self._parts)

    async def load(self, until: int) -> LoadReport:
        """Fold the log, fill the index."""
        return await self._work("load", until)

    async def seal(self, request: SealRequest) -> BatchCommitted:
        """Seal one batch."""
        return await self._work("seal", request)

    async def committed(self, entry: Entry) -> Folded:
        """Fold one entry."""
        return await self._work("committed", entry)

    async def checkpoint(self) -> int:
        """Write a checkpoint."""
        return await self._work("checkpoint")

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
    """Processes from the Ray cluster this driver is connected to."""

    def worker(self, job: GenerationJob, slot: int) -> RayWorker:
        """A new engine actor."""
        return RayWorker(job, slot)

    def keeper(self, job: GenerationJob) -> RayKeeper:
        """A new keeper with its index actors."""
        return RayKeeper(job)


async def settled(call: Awaitable[T], what: str) -> T:
    """Await a remote call; its own typed error comes back as itself, a dead process as `Lost`."""
    try:
        return await call
    except RayTaskError as error:
        cause = error.cause
        if isinstance(cause, RayActorError):
            raise Lost(f"the {what} died: {_first_line(cause)}") from error
        if isinstance(cause, SeedcornError):
            raise cause from error
        raise Lost(f"the {what} failed: {type(cause).__name__}: {_first_line(cause)}") from error
    except RayError as error:
        raise Lost(f"the {what} died: {_first_line(error)}") from error


def worker_environment(recipe: Recipe) -> dict[str, str]:
    """Environment of an engine process. Never holds a secret: Ray shows it in its state APIs."""
    spec = recipe.engine
    threads = spec.threads or max(1, (os.cpu_count() or 1) // max(1, spec.workers))
    return {
        "OMP_NUM_THREADS": str(threads),
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "VLLM_NO_USAGE_STATS": "1",
    }


def _first_line(error: BaseException | None) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
