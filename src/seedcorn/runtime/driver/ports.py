"""What the coordinator asks of workers, keeper and cluster.

The coordinator is plain asyncio over these; `runtime/ray` stands behind them, or `runtime/local`. A
call that fails because the process behind it is gone raises `Lost`, whatever killed it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from seedcorn.core.dedup.sealing import SealRequest
from seedcorn.core.engine import EngineInfo
from seedcorn.core.errors import SeedcornError
from seedcorn.core.log.entries import BatchCommitted, Entry, Measurement
from seedcorn.core.ops.metrics import Metric
from seedcorn.core.recipe import EngineSpec, RunSpec
from seedcorn.core.scheduling.goodput import EngineTime
from seedcorn.core.scheduling.leasing import Lease
from seedcorn.core.scheduling.scaling import Node
from seedcorn.runtime.job import (
    Folded,
    GenerationJob,
    LoadReport,
    UnitReport,
    WorkerProgress,
)
from seedcorn.runtime.worker.history import MeasuringJob


class Lost(SeedcornError):
    """The process behind a handle is gone; what it had not staged must be done again."""


class NodeLost(Lost):
    """The process went with its node: nothing is known against the worker, or what it worked on."""


def innermost(error: BaseException) -> BaseException:
    """The first error of a task group, which is what says something; any other error itself."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class WorkerHandle(Protocol):
    """An engine worker, somewhere."""

    async def place(self) -> str:
        """Id of its node, once there is room for it somewhere; Lost or NodeLost."""
        ...

    async def start(self, job: GenerationJob) -> EngineInfo:
        """Start the engine unless it runs, for this generation; EngineUnavailable or Lost."""
        ...

    async def write(self, lease: Lease) -> UnitReport:
        """Write a lease; Lost when the worker dies on it, StoreError when it cannot stage."""
        ...

    async def finished(self) -> int:
        """Samples finished so far, staged or not: a sign of life."""
        ...

    async def flush(self) -> None:
        """Stage what is finished now, of every unit it holds."""
        ...

    async def progress(self) -> WorkerProgress:
        """Counters for the live view."""
        ...

    async def drain(self) -> None:
        """Submit nothing more."""
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

    async def checkpoint(self, chain: str) -> int:
        """See `Keeper.checkpoint`."""
        ...

    async def progress(self) -> tuple[int, int]:
        """(rows indexed, rows to index) while loading."""
        ...


class Instruments(Protocol):
    """Takes one corpus' figures, to be looked at."""

    def record(self, metric: Metric, value: float, *tags: str) -> None:
        """Set a gauge, add to a counter, observe in a histogram. `tags` are values in the metric's
        order, besides the corpus."""
        ...


class Cluster(Protocol):
    """Where processes come from. It keeps them from one generation to the next."""

    engine_time: EngineTime
    """What all workers' engines did."""

    def worker(self, spec: EngineSpec, slot: int) -> WorkerHandle:
        """The slot's worker process, a new one if there is none."""
        ...

    def slots(self) -> list[int]:
        """Slots that have a worker, perhaps from an earlier generation."""
        ...

    def instruments(self, corpus: str) -> Instruments:
        """Where the figures of a corpus go; `corpus` is its address."""
        ...

    async def nodes(self) -> list[Node]:
        """Living nodes, what is free on them, which are leaving."""
        ...

    def keeper(self, job: GenerationJob) -> KeeperHandle:
        """The keeper, a new one with an empty index if there is none."""
        ...

    async def measure(self, job: MeasuringJob) -> Measurement:
        """The companions of a finished generation; Lost when the process dies on it."""
        ...

    async def discard_worker(self, slot: int) -> None:
        """End a worker, gently first; the next call to `worker` makes a fresh one."""
        ...

    async def discard_keeper(self) -> None:
        """End the keeper and its index."""
        ...

    async def close(self) -> None:
        """End everything."""
        ...


Host = Callable[[RunSpec, EngineSpec], AbstractContextManager[Cluster]]
"""Where a run's processes live: connected to inside the `with`."""
