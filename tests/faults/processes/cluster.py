"""Workers and keeper in the driver's own process: `Cluster` without Ray, for real drivers."""

import asyncio
import contextlib
import os
import time
from pathlib import Path

from pyarrow import ArrowException

from seedcorn.core.errors import RequestRefused, SeedcornError
from seedcorn.core.ledger.goodput import EngineTime
from seedcorn.runtime.driver.meter import Unexported
from seedcorn.runtime.driver.ports import Lost
from seedcorn.runtime.keeper.index_client import LocalTransport, PartitionedIndex
from seedcorn.runtime.keeper.keeper import Keeper
from seedcorn.runtime.worker.measuring import measure
from seedcorn.runtime.worker.setup import make_engine, make_writer
from seedcorn.storage.stores.opening import open_store

UNTYPED = (OSError, ValueError, RuntimeError, ArrowException)
"""What Ray would have carried to the driver as `Lost`, and what it would have meant there."""


class Journal:
    """One line per request, written by the engine and kept whatever kills it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(self, *words) -> None:
        os.write(self._file, (" ".join(map(str, words)) + "\n").encode())


class JournaledEngine:
    """An engine that notes what it is asked (`asked`) and what it wrote (`wrote`, with tokens)."""

    def __init__(self, engine, journal: Journal) -> None:
        self._engine, self._journal = engine, journal

    async def start(self):
        return await self._engine.start()

    async def submit(self, request):
        self._journal.note("asked", request.generation, request.index, 0)
        try:
            completion = await self._engine.submit(request)
        except RequestRefused:
            self._journal.note("wrote", request.generation, request.index, 0)
            raise
        tokens = completion.completion_tokens
        self._journal.note("wrote", request.generation, request.index, tokens)
        return completion

    async def stats(self):
        return await self._engine.stats()

    async def drain(self) -> None:
        await self._engine.drain()

    async def close(self) -> None:
        await self._engine.close()


async def settled(call, what: str):
    """As `remote_calls.settled`: typed errors as themselves, everything else as the loss of a
    process."""
    try:
        return await call
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, SeedcornError):
            raise error from group
        raise Lost(f"the {what} failed: {type(error).__name__}: {error}") from group
    except UNTYPED as error:
        raise Lost(f"the {what} failed: {type(error).__name__}: {error}") from error


class LocalWorker:
    """A `WorkerHandle` on an engine and its `UnitWriter` in this process."""

    def __init__(self, slot: int, engine_time: EngineTime, journal: Journal) -> None:
        self._slot, self._engine_time, self._journal = slot, engine_time, journal
        self._engine = self._info = self._writer = None

    async def place(self) -> str:
        self._engine_time.placed(self._slot)
        return "here"

    async def start(self, job):
        return await settled(self._start(job), "engine worker")

    async def _start(self, job):
        if self._engine is None:
            self._engine = JournaledEngine(make_engine(job), self._journal)
            self._info = await self._engine.start()
        if self._writer is not None:
            await self._writer.stop()
        self._writer = await make_writer(job, self._engine, self._info)
        self._engine_time.ready(self._slot)
        return self._info

    async def write(self, lease):
        return await settled(self._writer.write(lease), "engine worker")

    async def finished(self) -> int:
        return self._writer.finished

    async def flush(self) -> None:
        await settled(self._writer.flush(), "engine worker")

    async def progress(self):
        told = await self._writer.progress()
        self._engine_time.progress(self._slot, told.busy_s, told.in_flight)
        return told

    async def drain(self) -> None:
        await self._writer.drain()

    async def close(self) -> None:
        if self._writer is not None:
            await self._writer.stop()
        if self._engine is not None:
            await self._engine.close()
        self._engine_time.gone(self._slot)


class LocalKeeper:
    """A `KeeperHandle`; its work runs beside the event loop, as an actor's would."""

    def __init__(self, job) -> None:
        store = open_store(job.corpus, job.recipe.store)
        actors = job.recipe.dedup.actors
        index = PartitionedIndex(LocalTransport(actors))
        self._keeper = Keeper(store, index, job.recipe, actors)

    async def load(self, until):
        return await self._work(self._keeper.load, until)

    async def seal(self, request):
        return await self._work(self._keeper.seal, request)

    async def committed(self, entry):
        return await self._work(self._keeper.committed, entry)

    async def checkpoint(self, chain):
        return await self._work(self._keeper.checkpoint, chain)

    async def progress(self):
        return self._keeper.progress

    async def _work(self, call, argument):
        return await settled(asyncio.to_thread(call, argument), "keeper")


class LocalCluster:
    """`Cluster` in one process."""

    def __init__(self, journal: Journal, worker=LocalWorker) -> None:
        """`worker` makes handles; tests bring others that misbehave."""
        self.engine_time = EngineTime(time.monotonic)
        self._journal, self._make = journal, worker
        self._workers: dict[int, LocalWorker] = {}
        self._keeper: LocalKeeper | None = None

    def worker(self, recipe, slot):
        if slot not in self._workers:
            self._workers[slot] = self._make(slot, self.engine_time, self._journal)
        return self._workers[slot]

    def slots(self):
        return sorted(self._workers)

    def instruments(self, corpus):
        return Unexported()

    async def nodes(self):
        return []

    def keeper(self, job):
        if self._keeper is None:
            self._keeper = LocalKeeper(job)
        return self._keeper

    async def measure(self, job):
        return await settled(asyncio.to_thread(measure, job), "measuring task")

    async def discard_worker(self, slot) -> None:
        worker = self._workers.pop(slot, None)
        if worker is not None:
            await worker.close()

    async def discard_keeper(self) -> None:
        self._keeper = None

    async def close(self) -> None:
        for slot in list(self._workers):
            await self.discard_worker(slot)
        await self.discard_keeper()


def hosting(journal: Path, worker=LocalWorker):
    """The `host` that `grow` takes."""

    @contextlib.contextmanager
    def host(recipe):
        yield LocalCluster(Journal(journal), worker)

    return host
