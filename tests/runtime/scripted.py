"""Scripts over the worker protocol: crews with workers that misbehave as a test says, without Ray."""

import asyncio
from collections.abc import Sequence

from seedcorn.core.engine import EngineInfo
from seedcorn.core.recipe import EngineSpec, Recipe, RunSpec
from seedcorn.core.scheduling.leasing import Cut, Lease, Leases
from seedcorn.core.scheduling.scaling import Node
from seedcorn.runtime.driver.crew import Crew, Pace
from seedcorn.runtime.job import GenerationJob, UnitReport, WorkerProgress
from seedcorn.storage.stores.memory import MemoryStore

QUICK = Pace(poll_s=0.05, release_s=0.1, back_off=0.0)


def done(lease: Lease) -> UnitReport:
    return UnitReport(lease.unit, lease.indices + tuple(lease.failed), (f"segment-{lease.unit}",))


class ScriptedWorker:
    def __init__(self, write) -> None:
        self.write, self.life = write, 0

    async def place(self) -> str:
        return "node"

    async def finished(self) -> int:
        return self.life

    async def flush(self) -> None:
        return None

    async def start(self, job: GenerationJob) -> EngineInfo:
        return EngineInfo("scripted", "none", {}, capacity=4)

    async def progress(self) -> WorkerProgress:
        return WorkerProgress()

    async def drain(self) -> None:
        return None


class ScriptedCluster:
    """Slots whose workers all write by the same script; counts what is discarded."""

    def __init__(self, write) -> None:
        self.writing, self.discarded = write, []

    def worker(self, spec: EngineSpec, slot: int) -> ScriptedWorker:
        return ScriptedWorker(lambda lease: self.writing(slot, lease))

    def slots(self) -> list[int]:
        return []

    async def nodes(self) -> Sequence[Node]:
        return []

    async def discard_worker(self, slot: int) -> None:
        self.discarded.append(slot)


def crew_of(write, workers: int, samples: int = 24, **run) -> tuple[Crew, Leases, ScriptedCluster]:
    spec = Recipe("x", engine=EngineSpec(kind="simulated", workers=workers), run=RunSpec(**run))
    leases = Leases(1, Cut(samples, unit=4, batch=1), ahead=8, committed=0)
    cluster = ScriptedCluster(write)
    job = GenerationJob(spec, "f" * 32, 1, "memory", [], {})
    return Crew(cluster, MemoryStore("crew"), job, leases, QUICK), leases, cluster


async def sealed(leases: Leases) -> None:
    while not leases.done:
        while (batch := leases.sealable()) is not None:
            leases.commit(batch)
        await asyncio.sleep(0.01)


async def all_of(crew: Crew, leases: Leases, workers: int) -> None:
    async with asyncio.TaskGroup() as group:
        for slot in range(workers):
            group.create_task(crew.tend(slot))
        group.create_task(sealed(leases))
