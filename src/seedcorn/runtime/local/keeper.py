"""The keeper and its index in the driver's process."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from seedcorn.core.dedup.sealing import SealRequest
from seedcorn.core.log.entries import BatchCommitted, Entry
from seedcorn.runtime.job import Folded, GenerationJob, LoadReport
from seedcorn.runtime.keeper.index_client import LocalTransport, PartitionedIndex
from seedcorn.runtime.keeper.keeper import Keeper
from seedcorn.runtime.local.calls import settled
from seedcorn.storage.stores.opening import open_store

A = TypeVar("A")
T = TypeVar("T")


class LocalKeeper:
    """A `KeeperHandle`; its work runs in a thread beside the event loop."""

    def __init__(self, job: GenerationJob) -> None:
        """Empty."""
        parts = job.recipe.dedup.actors
        store = open_store(job.corpus, job.recipe.store)
        index = PartitionedIndex(LocalTransport(parts))
        self._keeper = Keeper(store, index, job.recipe, parts, job.abandoned)

    async def load(self, until: int) -> LoadReport:
        """Fold the log, fill the index."""
        return await self._work(self._keeper.load, until)

    async def seal(self, request: SealRequest) -> BatchCommitted:
        """Seal one batch."""
        return await self._work(self._keeper.seal, request)

    async def committed(self, entry: Entry) -> Folded:
        """Fold one entry."""
        return await self._work(self._keeper.committed, entry)

    async def checkpoint(self, chain: str) -> int:
        """Write a checkpoint."""
        return await self._work(self._keeper.checkpoint, chain)

    async def progress(self) -> tuple[int, int]:
        """Answered beside the work."""
        return self._keeper.progress

    async def _work(self, call: Callable[[A], T], argument: A) -> T:
        return await settled(asyncio.to_thread(call, argument), "keeper")
