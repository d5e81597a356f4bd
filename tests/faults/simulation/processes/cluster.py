"""Where a driver's processes live. They outlive a driver that dies for a while, as zombies."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from seedcorn.core.log.entries import Measurement
from seedcorn.core.recipe import EngineSpec
from seedcorn.core.scheduling.scaling import Node
from seedcorn.runtime.driver.meter import Unexported
from seedcorn.runtime.driver.ports import Lost
from seedcorn.runtime.job import GenerationJob
from seedcorn.runtime.worker.history import MeasuringJob
from tests.faults.simulation.assembly import Assembly
from tests.faults.simulation.disk import Disk
from tests.faults.simulation.processes.keeper import KeeperPort
from tests.faults.simulation.processes.process import Process
from tests.faults.simulation.processes.worker import SimulatedWorker, Writings, worker_process
from tests.faults.simulation.weather import Plan


@dataclass(frozen=True)
class Scene:
    """What all drivers of a schedule share."""

    plan: Plan
    assembly: Assembly
    disk: Disk
    attempts: Counter[Any]
    """How often each sample was asked of an engine."""
    told: Writings

    def store(self, process: Process) -> Any:
        """A handle on the store for this process."""
        return self.assembly.store(self.disk, process, self.plan.weather)


class SimulatedCluster:
    """The `Cluster` of one driver."""

    def __init__(self, driver: Process, scene: Scene) -> None:
        self._driver, self._scene = driver, scene
        self._workers: dict[int, SimulatedWorker] = {}
        self._keeper: KeeperPort | None = None
        driver.on_death.append(self._orphaned)

    def worker(self, spec: EngineSpec, slot: int) -> SimulatedWorker:
        if slot not in self._workers:
            process = Process(self._driver.world, "worker", self._driver.family)
            of = (self._scene.attempts, self._scene.told)
            store = self._scene.store(process)
            self._workers[slot] = worker_process(process, store, self._scene.plan, of)
        return self._workers[slot]

    def slots(self) -> list[int]:
        return sorted(self._workers)

    def instruments(self, corpus: str) -> Unexported:
        return Unexported()

    async def nodes(self) -> list[Node]:
        return []

    def keeper(self, job: GenerationJob) -> KeeperPort:
        if self._keeper is None:
            process = Process(self._driver.world, "keeper", self._driver.family)
            store, weather = self._scene.store(process), self._scene.plan.weather
            keeper = self._scene.assembly.keeper(process, store, job, weather)
            self._keeper = KeeperPort(keeper, weather)
        return self._keeper

    async def measure(self, job: MeasuringJob) -> Measurement:
        raise Lost("companions are not simulated")

    async def discard_worker(self, slot: int) -> None:
        worker = self._workers.pop(slot, None)
        if worker is not None:
            worker.process.kill("discarded")

    async def discard_keeper(self) -> None:
        keeper = self._keeper
        if keeper is not None and self._scene.assembly.discards_keeper(keeper.process):
            self._keeper = None
            keeper.process.kill("discarded")

    async def close(self) -> None:
        for slot in list(self._workers):
            await self.discard_worker(slot)
        if self._keeper is not None:
            self._keeper.process.kill("closed")

    def _orphaned(self) -> None:
        """Ray ends the actors of a dead driver, but not at once."""
        world = self._driver.world
        processes = [worker.process for worker in self._workers.values()]
        processes += [self._keeper.process] if self._keeper is not None else []
        for process in processes:
            delay = world.random.uniform(0, 1) ** 3 * 6
            world.loop.call_later(delay, process.kill, "its driver is gone")
