"""Slots that follow a cluster whose nodes come and go, by script and without Ray."""

import asyncio
import logging

import pytest

from seedcorn.core.recipe import EngineSpec, Recipe, RunSpec, SimulatedSpec, UnitsSpec
from seedcorn.core.scheduling.leasing import Cut, Lease, Leases
from seedcorn.core.scheduling.scaling import Node
from seedcorn.runtime.driver import staffing
from seedcorn.runtime.driver.crew import Crew, Pace
from seedcorn.runtime.driver.ports import Lost, NodeLost
from seedcorn.runtime.driver.staffing import Staff
from seedcorn.runtime.job import GenerationJob, UnitReport
from seedcorn.storage.stores.memory import MemoryStore
from tests.runtime.scripted import ScriptedWorker, done, sealed

QUICK = Pace(poll_s=0.02, release_s=0.1, look_s=0.05, back_off=0.01)


class Machine:
    """A cluster of nodes with CPUs: places workers one to a CPU, loses them with their node."""

    def __init__(self, **cpus: int) -> None:
        self.cpus, self.leaving = dict(cpus), dict[str, float]()
        self.at: dict[int, str] = {}
        self.made: dict[int, PlacedWorker] = {}
        self.discarded: list[int] = []
        self.most = 0

    def worker(self, spec: EngineSpec, slot: int) -> "PlacedWorker":
        return self.made.setdefault(slot, PlacedWorker(self, slot))

    def slots(self) -> list[int]:
        return sorted(self.made)

    async def nodes(self) -> list[Node]:
        return [
            Node(
                name,
                {"CPU": float(cpus - list(self.at.values()).count(name))},
                {"CPU": float(cpus)},
                leaves_in=self.leaving.get(name),
            )
            for name, cpus in self.cpus.items()
        ]

    async def discard_worker(self, slot: int) -> None:
        self.at.pop(slot, None)
        if self.made.pop(slot, None) is not None:
            self.discarded.append(slot)

    async def found(self, slot: int) -> str:
        """A free CPU on a node that stays, once there is one."""
        while True:
            for node in await self.nodes():
                if node.leaves_in is None and node.free["CPU"] >= 1:
                    self.at[slot] = node.id
                    self.most = max(self.most, len(self.at))
                    return node.id
            await asyncio.sleep(0.01)


class PlacedWorker(ScriptedWorker):
    """Writes a unit in 20 ms, as long as its node is there."""

    broken = frozenset[str]()
    """Nodes on which every worker dies."""

    def __init__(self, machine: Machine, slot: int) -> None:
        super().__init__(self.written)
        self.machine, self.slot, self.node = machine, slot, ""

    async def place(self) -> str:
        self.node = self.node or await self.machine.found(self.slot)
        return self.node

    async def written(self, lease: Lease) -> UnitReport:
        await asyncio.sleep(0.02)
        if self.node not in self.machine.cpus:
            raise NodeLost("the engine worker went with its node")
        if self.node in self.broken:
            raise Lost("its driver is broken")
        return done(lease)


def staff_of(machine: Machine, units: int, **engine) -> tuple[Staff, Crew, Leases]:
    simulated = SimulatedSpec(concurrency=4)
    spec = EngineSpec(kind="simulated", simulated=simulated, **{"workers": "auto", **engine})
    cut = Cut(4 * units, unit=4, batch=1)
    recipe = Recipe(
        "x",
        samples=cut.samples,
        engine=spec,
        units=UnitsSpec(unit=4, batch=1, ahead=units),
        run=RunSpec(max_restarts=1),
    )
    leases = Leases(1, cut, ahead=units, committed=0)
    job = GenerationJob(recipe, "f" * 32, 1, "memory", [], {})
    crew = Crew(machine, MemoryStore("staff"), job, leases, QUICK)
    return Staff(machine, crew, job, QUICK), crew, leases


async def grown(staff: Staff, leases: Leases, *changes) -> None:
    """Run to the end; `changes` are pairs of committed batches and what happens then."""

    async def happen() -> None:
        for batches, change in changes:
            while leases.committed < batches:
                await asyncio.sleep(0.005)
            change()

    async with asyncio.TaskGroup() as group:
        group.create_task(staff.run())
        group.create_task(sealed(leases))
        group.create_task(happen())


def run(coroutine) -> None:
    asyncio.run(asyncio.wait_for(coroutine, timeout=30))


def test_auto_takes_what_is_there_and_joins_a_node_that_appears():
    machine = Machine(a=2)
    staff, crew, leases = staff_of(machine, units=400)

    run(grown(staff, leases, (40, lambda: machine.cpus.update(b=3))))

    assert leases.done
    assert machine.most == 5
    assert crew.supervisor.restarts == 0
    assert machine.discarded == []


def test_auto_survives_a_node_that_goes_without_counting_or_retrying_it():
    machine = Machine(a=1, b=3)
    staff, crew, leases = staff_of(machine, units=300)

    run(grown(staff, leases, (60, lambda: machine.cpus.pop("b"))))

    assert leases.done
    assert crew.supervisor.restarts == 0
    assert len(machine.discarded) == 3
    assert set(machine.at.values()) == {"a"}


@pytest.mark.parametrize("workers", ["auto", 3])
def test_workers_on_a_node_that_drains_leave_it_and_go_where_there_is_room(workers):
    machine = Machine(a=1, b=2)
    staff, crew, leases = staff_of(machine, units=400, workers=workers)

    def drain() -> None:
        machine.leaving["b"] = 60.0
        machine.cpus["c"] = 2

    run(grown(staff, leases, (60, drain)))

    assert leases.done
    assert crew.supervisor.restarts == 0
    assert sorted(machine.at.values()) == ["a", "c", "c"]
    assert len(machine.discarded) == 2


def test_auto_does_not_start_again_where_engines_fail_for_good():
    machine = Machine(bad=1, good=1)
    staff, crew, leases = staff_of(machine, units=300)
    PlacedWorker.broken = frozenset({"bad"})
    try:
        run(grown(staff, leases))
    finally:
        PlacedWorker.broken = frozenset()

    assert leases.done
    assert crew.supervisor.restarts == 2
    assert set(machine.at.values()) == {"good"}


def test_auto_goes_on_in_the_next_generation_with_the_workers_it_has():
    machine = Machine(a=3)
    first, _, leases = staff_of(machine, units=100)
    run(grown(first, leases))
    kept = dict(machine.made)
    second, _, leases = staff_of(machine, units=100)

    run(grown(second, leases))

    assert kept == machine.made
    assert len(kept) == 3
    assert machine.discarded == []


def test_waiting_for_resources_is_said_and_not_silent(monkeypatch, caplog):
    monkeypatch.setattr(staffing, "PATIENT_S", 0.1)
    machine = Machine(a=0)
    staff, _, leases = staff_of(machine, units=20)

    async def rescued() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(grown(staff, leases))
            await asyncio.sleep(0.5)
            machine.cpus["b"] = 1

    with caplog.at_level(logging.WARNING):
        run(rescued())

    said = [record.message for record in caplog.records if "waits for" in record.message]
    assert said == [
        "1 worker waits for 1 CPU: the cluster has 0 of 0 CPUs free on 1 node; it would not fit "
        "even if nothing else ran"
    ]
