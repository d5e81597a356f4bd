"""An engine worker in the driver's process."""

import asyncio
from collections.abc import Callable

from seedcorn.core.engine import Engine, EngineInfo
from seedcorn.core.errors import SeedcornError
from seedcorn.core.scheduling.goodput import EngineTime
from seedcorn.core.scheduling.leasing import Lease
from seedcorn.runtime.job import GenerationJob, UnitReport, WorkerProgress
from seedcorn.runtime.local.calls import settled
from seedcorn.runtime.worker.engine_worker import EngineWorker
from seedcorn.runtime.worker.setup import make_engine

WORKER, HERE = "engine worker", "here"
CLOSE_S = 20.0
"""How long an engine may take to end its connections."""


class LocalWorker:
    """A `WorkerHandle` on an `EngineWorker` beside it."""

    def __init__(
        self,
        slot: int,
        engine_time: EngineTime,
        make: Callable[[GenerationJob], Engine] = make_engine,
    ) -> None:
        """`make` makes the engine, not started."""
        self._slot, self._engine_time = slot, engine_time
        self._worker = EngineWorker(make)

    async def place(self) -> str:
        """At once."""
        self._engine_time.placed(self._slot)
        return HERE

    async def start(self, job: GenerationJob) -> EngineInfo:
        """Waits for its engine."""
        info = await settled(self._worker.start(job), WORKER)
        self._engine_time.ready(self._slot)
        return info

    async def write(self, lease: Lease) -> UnitReport:
        """One lease."""
        return await settled(self._worker.write(lease), WORKER)

    async def finished(self) -> int:
        """A sign of life."""
        return await self._worker.finished()

    async def flush(self) -> None:
        """Stage what is finished."""
        await settled(self._worker.flush(), WORKER)

    async def progress(self) -> WorkerProgress:
        """Counters."""
        progress = await settled(self._worker.progress(), WORKER)
        self._engine_time.progress(self._slot, progress.busy_s, progress.in_flight, progress.tokens)
        return progress

    async def drain(self) -> None:
        """Submit nothing more."""
        await self._worker.drain()

    async def close(self) -> None:
        """Free the engine."""
        try:
            async with asyncio.timeout(CLOSE_S):
                await settled(self._worker.close(), WORKER)
        except (SeedcornError, TimeoutError):
            pass  # Nothing of it is needed any more, and what it holds ends with this process.
        finally:
            self._engine_time.gone(self._slot)
