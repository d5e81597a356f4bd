"""What the coordinator asks of workers, keeper and cluster.

The coordinator is plain asyncio over these; Ray stands behind them in `actors.py`. A call that
fails because the process behind it is gone raises `Lost`, whatever killed it.
"""

from typing import Protocol

from seedcorn.core.engine import EngineInfo
from seedcorn.core.entries import BatchCommitted, Entry
from seedcorn.core.errors import SeedcornError
from seedcorn.core.leasing import Lease
from seedcorn.runtime.job import (
    Folded,
    GenerationJob,
    LoadReport,
    SealRequest,
    UnitReport,
    WorkerProgress,
)


class Lost(SeedcornError):
    """The process behind a handle is gone; what it had not staged must be done again."""


class WorkerHandle(Protocol):
    """An engine worker, somewhere."""

    async def start(self) -> EngineInfo:
        """Start the engine; EngineUnavailable or Lost with the cause."""
        ...

    async def write(self, lease: Lease) -> UnitReport:
        """Write a lease; Lost when the worker dies on it, StoreError when it cannot stage."""
        ...

    async def progress(self) -> WorkerProgress:
        """Counters for the live view."""
        ...

    async def drain(self) -> None:
        """Submit nothing more."""
        ...

    async def close(self) -> None:
        """End the worker and its engine, gently first. Never raises Lost."""
        ...


class KeeperHandle(Protocol):
    """The keeper of index and ledger, somewhere."""

    async def load(self, until: int) -> LoadReport:
        """See `Keeper.load`."""
        ...

    async def seal(self, request: SealRequest) -> BatchCommitted:
        """See `Keeper.seal`."""
        ...

    async def committed(self, entry: Entry) -> Folded:
        """See `Keeper.committed`."""
        ...

    async def checkpoint(self) -> int:
        """See `Keeper.checkpoint`."""
        ...

    async def progress(self) -> tuple[int, int]:
        """(rows indexed, rows to index) while loading."""
        ...

    async def close(self) -> None:
        """End the keeper and its index."""
        ...


class Cluster(Protocol):
    """Where processes come from."""

    def worker(self, job: GenerationJob, slot: int) -> WorkerHandle:
        """A new worker process; it has not started yet."""
        ...

    def keeper(self, job: GenerationJob) -> KeeperHandle:
        """A new keeper with an empty index."""
        ...
