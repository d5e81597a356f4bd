"""Keeps a journal of what the engines of a driver are asked and write, whatever kills it."""

import contextlib
import os
from pathlib import Path

from seedcorn.core.errors import RequestRefused
from seedcorn.runtime.local.cluster import LocalCluster
from seedcorn.runtime.local.worker import LocalWorker
from seedcorn.runtime.worker.setup import make_engine


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


def hosting(path: Path, worker=LocalWorker):
    """The `host` that `grow` takes; `worker` makes handles, perhaps some that misbehave."""

    @contextlib.contextmanager
    def host(run, engine):
        journal = Journal(path)

        def journaled(job):
            return JournaledEngine(make_engine(job), journal)

        yield LocalCluster(lambda slot, engine_time: worker(slot, engine_time, journaled))

    return host
