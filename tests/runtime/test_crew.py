"""A crew with workers that misbehave: stuck on a hedged unit, dead behind a queue, dead in company.

The workers here are scripts over the worker protocol; what is under test is how the crew takes it.
"""

import asyncio
from collections.abc import Callable

import pytest

from seedcorn.core.engine import EngineInfo
from seedcorn.core.errors import RunStopped
from seedcorn.core.leasing import Cut, Lease, Leases
from seedcorn.core.recipe import EngineSpec, Recipe, RunSpec
from seedcorn.runtime.crew import Crew, Pace
from seedcorn.runtime.job import GenerationJob, UnitReport, WorkerProgress
from seedcorn.runtime.ports import Lost
from seedcorn.storage.memory_store import MemoryStore

QUICK = Pace(poll_s=0.05, release_s=0.1, back_off=0.0)
Write = Callable[[Lease], "asyncio.Future[UnitReport]"]


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

    def worker(self, recipe: Recipe, slot: int) -> ScriptedWorker:
        return ScriptedWorker(lambda lease: self.writing(slot, lease))

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


def test_crew_worker_stuck_on_a_hedged_unit_does_not_hold_up_the_generation():
    async def write(slot: int, lease: Lease) -> UnitReport:
        await asyncio.sleep(3600 if slot == 0 else 0.01)
        return done(lease)

    crew, leases, cluster = crew_of(write, workers=2, hedge_factor=1.0)
    asyncio.run(asyncio.wait_for(all_of(crew, leases, 2), timeout=10))
    assert leases.done
    assert cluster.discarded == [0]


def test_crew_report_beside_a_death_is_recorded_and_its_samples_are_no_suspects():
    async def write(slot: int, lease: Lease) -> UnitReport:
        await asyncio.sleep(0)
        if lease.unit == 1:
            raise Lost("the engine worker died")
        return done(lease)

    async def one_round() -> tuple[Crew, Leases]:
        crew, leases, _ = crew_of(write, workers=1)
        tending = asyncio.create_task(crew.tend(0))
        while not crew.supervisor.restarts:
            await asyncio.sleep(0)
        suspects = crew.quarantine.indices
        tending.cancel()
        assert leases.segments_of_unit(0) == ("segment-0",)
        assert suspects == set(range(4, 8))
        return crew, leases

    asyncio.run(asyncio.wait_for(one_round(), timeout=10))


def test_crew_engine_that_dies_on_every_request_stops_the_run():
    open_units: set[int] = set()

    async def write(slot: int, lease: Lease) -> UnitReport:
        if not lease.indices:
            return done(lease)
        # One unit fills the engine; those behind it have nothing in flight when it dies.
        flying = () if open_units else lease.indices
        open_units.add(lease.unit)
        await asyncio.sleep(0)
        open_units.discard(lease.unit)
        return UnitReport(
            lease.unit, (), (), died=bool(flying), in_flight=flying, cause="out of memory"
        )

    crew, leases, _ = crew_of(write, workers=1)
    with pytest.raises(ExceptionGroup) as stopped:
        asyncio.run(asyncio.wait_for(all_of(crew, leases, 1), timeout=20))
    assert stopped.group_contains(RunStopped, match="out of memory")


def test_crew_idle_slots_do_not_wake_each_other():
    asked = 0

    async def write(slot: int, lease: Lease) -> UnitReport:
        await asyncio.sleep(0.2)
        return done(lease)

    crew, leases, _ = crew_of(write, workers=4)
    lease_of = leases.lease

    def counted(slot: int, now: float, factor: float) -> Lease | None:
        nonlocal asked
        asked += 1
        return lease_of(slot, now, factor)

    leases.lease = counted
    asyncio.run(asyncio.wait_for(all_of(crew, leases, 4), timeout=10))
    assert asked < 200
