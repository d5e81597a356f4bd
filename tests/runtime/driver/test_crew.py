"""A crew with workers that misbehave: stuck on a hedged unit, dead behind a queue, dead in company,
not to be reached when they start.

The workers here are scripts over the worker protocol; what is under test is how the crew takes it.
"""

import asyncio

import pytest

from seedcorn.core.engine import EngineInfo
from seedcorn.core.errors import EngineUnavailable, EngineUnreachable, RunStopped
from seedcorn.core.recipe import EngineSpec
from seedcorn.core.scheduling.leasing import Lease, Leases
from seedcorn.runtime.driver.crew import Crew
from seedcorn.runtime.driver.ports import Lost
from seedcorn.runtime.job import GenerationJob, UnitReport
from seedcorn.storage.stores.memory import MemoryStore
from tests.runtime.scripted import QUICK, ScriptedCluster, ScriptedWorker, all_of, crew_of, done


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


class LateWorker(ScriptedWorker):
    """Cannot start before its cluster says so."""

    def __init__(self, write, cluster: "LateCluster") -> None:
        super().__init__(write)
        self.cluster = cluster

    async def start(self, job: GenerationJob) -> EngineInfo:
        self.cluster.starts += 1
        if self.cluster.starts < self.cluster.answers_at:
            raise self.cluster.error
        return await super().start(job)


class LateCluster(ScriptedCluster):
    """An engine that starts at its n-th try."""

    def __init__(self, answers_at: int, error: Exception) -> None:
        super().__init__(None)
        self.starts, self.answers_at, self.error = 0, answers_at, error

    def worker(self, spec: EngineSpec, slot: int) -> ScriptedWorker:
        async def write(lease: Lease) -> UnitReport:
            return done(lease)

        return LateWorker(write, self)


@pytest.mark.parametrize(
    ("error", "starts", "grows"),
    [
        (EngineUnreachable("no endpoint answers"), 6, True),
        (EngineUnreachable("no endpoint answers"), 99, False),
        (EngineUnavailable("no such model"), 2, False),
    ],
)
def test_crew_waits_for_an_endpoint_that_is_down_but_not_for_a_wrong_model(error, starts, grows):
    crew, leases, _ = crew_of(None, workers=1)
    cluster = LateCluster(starts, error)
    crew = Crew(cluster, MemoryStore("crew"), crew._job, leases, QUICK)
    growing = asyncio.wait_for(all_of(crew, leases, 1), timeout=10)
    if grows:
        asyncio.run(growing)
        assert leases.done
        return
    with pytest.raises(ExceptionGroup) as stopped:
        asyncio.run(growing)
    assert stopped.group_contains(RunStopped, match=str(error))
    assert cluster.starts == (8 if starts == 99 else 1)
