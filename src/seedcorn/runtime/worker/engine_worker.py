"""An engine worker, wherever it lives: one engine, and the writer of the generation that is grown."""

import asyncio
from collections.abc import Callable

from seedcorn.core.engine import Engine, EngineInfo
from seedcorn.core.errors import EngineUnavailable
from seedcorn.core.scheduling.leasing import Lease
from seedcorn.runtime.job import GenerationJob, UnitReport, WorkerProgress
from seedcorn.runtime.worker.setup import make_engine, make_writer
from seedcorn.runtime.worker.unit_writer import UnitWriter


class EngineWorker:
    """One engine and its `UnitWriter`."""

    def __init__(self, make: Callable[[GenerationJob], Engine] = make_engine) -> None:
        """Nothing is opened before `start`, so that a constructor never fails."""
        self._make = make
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
                self._engine = self._make(job)
                self._info = await self._engine.start()
            if self._writer is not None:
                await self._writer.stop()
            self._writer = await make_writer(job, self._engine, self._info)
            return self._info

    async def write(self, lease: Lease) -> UnitReport:
        """See `UnitWriter.write`."""
        return await self._started().write(lease)

    async def finished(self) -> int:
        """See `UnitWriter.finished`."""
        return self._started().finished

    async def flush(self) -> None:
        """See `UnitWriter.flush`."""
        if self._writer is not None:
            await self._writer.flush()

    async def progress(self) -> WorkerProgress:
        """See `UnitWriter.progress`."""
        return await self._started().progress()

    async def drain(self) -> None:
        """See `UnitWriter.drain`."""
        if self._writer is not None:
            await self._writer.drain()

    async def close(self) -> None:
        """Free the engine."""
        if self._writer is not None:
            await self._writer.stop()
        if self._engine is not None:
            await self._engine.close()

    def _started(self) -> UnitWriter:
        if self._writer is None:
            raise EngineUnavailable("the worker was asked to work before its engine started")
        return self._writer
