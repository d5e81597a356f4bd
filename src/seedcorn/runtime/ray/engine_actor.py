"""The engine worker's process: an actor, and its handle.

The actor decides nothing. The handle makes and removes the place it runs in, and tells a process
that died from one that went with its node.
"""

import asyncio
import os
import time
from collections.abc import Awaitable
from typing import Any, TypeVar

import ray

from seedcorn.core.engine import EngineInfo
from seedcorn.core.errors import SeedcornError
from seedcorn.core.recipe import EngineSpec
from seedcorn.core.scheduling.goodput import EngineTime
from seedcorn.core.scheduling.leasing import Lease
from seedcorn.engines.orphans import guard
from seedcorn.engines.vllm_setup import engine_environment
from seedcorn.runtime import log_setup
from seedcorn.runtime.driver.ports import Lost
from seedcorn.runtime.job import GenerationJob, UnitReport, WorkerProgress
from seedcorn.runtime.ray.placement import place
from seedcorn.runtime.ray.remote_calls import Unavailable, settled
from seedcorn.runtime.worker.engine_worker import EngineWorker

T = TypeVar("T")
WORKER = "engine worker"
CLOSE_S = 20.0
"""How long an engine may take to free its processes before its actor is killed."""
VERDICT_S = 60.0
"""How long Ray may take to say what became of a worker that fell silent."""


class EngineActor(EngineWorker):
    """An `EngineWorker` in a process of its own."""

    def __init__(self) -> None:
        """Nothing is opened before `start`."""
        super().__init__()
        self._guard: object = None

    async def start(self, job: GenerationJob) -> EngineInfo:
        """See `EngineWorker.start`."""
        log_setup.log_here(job.corpus, job.generation)
        if job.recipe.engine.settings.loads_model:
            self._guard = self._guard or guard()
        return await super().start(job)

    async def place(self) -> str:
        """Id of the node it runs on."""
        return ray.get_runtime_context().get_node_id()


class RayWorker:
    """A `WorkerHandle` on an EngineActor."""

    def __init__(self, spec: EngineSpec, slot: int, engine_time: EngineTime) -> None:
        """Ask Ray for the process; it may wait for resources, which costs no engine time."""
        self._slot, self._engine_time = slot, engine_time
        self._placement = place(spec)
        self._placed = False
        self._actor: Any = (
            ray.remote(EngineActor)
            .options(
                **self._placement.options,
                max_restarts=0,
                max_task_retries=0,
                max_concurrency=1000,
                runtime_env={"env_vars": worker_environment(spec)},
            )
            .remote()
        )

    async def place(self) -> str:
        """Waits for the process."""
        node = await settled(self._actor.place.remote(), WORKER)
        self._placed = True
        self._engine_time.placed(self._slot)
        return node

    async def start(self, job: GenerationJob) -> EngineInfo:
        """Waits for its engine."""
        info = await self._ask(self._actor.start.remote(job))
        self._engine_time.ready(self._slot)
        return info

    async def write(self, lease: Lease) -> UnitReport:
        """One lease."""
        return await self._ask(self._actor.write.remote(lease))

    async def finished(self) -> int:
        """A sign of life."""
        return await settled(self._actor.finished.remote(), WORKER)

    async def flush(self) -> None:
        """Stage what is finished."""
        await settled(self._actor.flush.remote(), WORKER)

    async def progress(self) -> WorkerProgress:
        """Counters."""
        report = await settled(self._actor.progress.remote(), WORKER)
        self._engine_time.progress(self._slot, report.busy_s, report.in_flight, report.tokens)
        return report

    async def drain(self) -> None:
        """Submit nothing more."""
        await settled(self._actor.drain.remote(), WORKER)

    async def close(self) -> None:
        """Free the engine, then end the process and give its place back."""
        try:
            if self._placed:  # What still waits for a place has nothing to free.
                async with asyncio.timeout(CLOSE_S):
                    await settled(self._actor.close.remote(), WORKER)
        except (SeedcornError, TimeoutError):
            pass  # Dead or hanging: the kill below is what ends it.
        finally:
            ray.kill(self._actor)
            self._placement.remove()
            self._engine_time.gone(self._slot)

    async def _ask(self, call: Awaitable[T]) -> T:
        """Await a call; of a worker that falls silent, find out first whether its node is gone."""
        try:
            return await settled(call, WORKER)
        except Unavailable as error:
            end = time.monotonic() + VERDICT_S
            while time.monotonic() < end:
                try:
                    await settled(self._actor.place.remote(), WORKER)
                    break  # It lives, but what it was asked is lost.
                except Unavailable:
                    await asyncio.sleep(1.0)
            raise Lost(str(error)) from error


def worker_environment(spec: EngineSpec) -> dict[str, str]:
    """Environment of an engine process. Never holds a secret: Ray shows it in its state APIs."""
    return engine_environment(spec, os.cpu_count() or 1) | log_setup.environment()
