"""Runs one schedule: drivers come and die, faults end, a last driver finishes; then the verdict."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

from seedcorn.core.errors import CorruptCorpus, Fenced, ObjectMissing, SeedcornError
from seedcorn.core.log.entries import decode, encode
from seedcorn.core.log.layout import CHECKPOINTS, log_key
from tests.faults.simulation.assembly import SHIPPED, Assembly
from tests.faults.simulation.auditor import Auditor
from tests.faults.simulation.disk import Disk
from tests.faults.simulation.processes.cluster import Scene
from tests.faults.simulation.processes.driver import Driver, collector, reader
from tests.faults.simulation.processes.process import Family, Process
from tests.faults.simulation.verdict import corpus_of, judge
from tests.faults.simulation.weather import Arrival, Plan, plan_of, undisturbed
from tests.faults.simulation.world import TRACED, Stuck, World

FAULTS_S = 25.0
"""Virtual seconds after which faults stop, whatever still runs."""
PATIENCE_S = 400.0
"""Virtual seconds that a driver may take once faults have stopped."""
TWICE = "samples staged with several texts"
LAST_TRIES = 4
"""Drivers that may be fenced by one that was still starting when faults stopped."""


@dataclass
class Outcome:
    """What became of one schedule."""

    seed: int
    violations: list[str] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    operations: int = 0
    faults: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    """How its drivers ended."""
    met: Counter[str] = field(default_factory=Counter)
    """See `World.met`."""
    again: int = 0
    """Samples asked of an engine more than once."""
    samples: int = 0
    seconds: float = 0.0
    """Virtual."""


class Schedule:
    """One world from its first driver to the verdict."""

    def __init__(self, plan: Plan, assembly: Assembly, keep: int | None) -> None:
        self.world = World(plan.seed, keep)
        self.auditor = Auditor(self.world)
        disk = Disk(self.auditor)
        self.auditor.objects = disk.objects
        self.plan = plan
        self.scene = Scene(plan, assembly, disk, Counter(), self.auditor)
        self.drivers: list[Driver] = []
        self._operators: list[Process] = []

    def run(self) -> None:
        """Everything up to the verdict; violations are in `world`."""
        try:
            self.world.loop.run_until_complete(self._script())
            self._collect_rest()
            judge(self.world, self.plan, self.auditor)
            self._tamper()
        except Stuck as stuck:
            self.world.violate("liveness", str(stuck))
        except SeedcornError as error:
            self.world.violate("liveness", f"the finished corpus cannot be read: {error}")
        finally:
            for driver in self.drivers:
                driver.process.family.end_all()
            for process in self._operators:
                process.kill("over")
            self.world.close()

    async def _script(self) -> None:
        world, plan = self.world, self.plan
        running = [asyncio.create_task(self._arrive(arrival)) for arrival in plan.arrivals]
        self._others()
        _, late = await asyncio.wait(running, timeout=FAULTS_S)
        world.calm = True
        world.note("weather", "faults stop")
        for _ in range(LAST_TRIES):
            last = await self._last()
            if last.ended not in ("Fenced", "CorpusBusy"):
                break
        if last.ended != "complete":
            world.violate("liveness", f"the last driver ended: {last.ended}: {last.error}")
        if late:
            _, stuck = await asyncio.wait(late, timeout=PATIENCE_S)
            if stuck:
                world.violate("liveness", "a driver that was overtaken never ends")
        for process in self._operators:
            process.kill("over")
        while world.pending_effects:
            await asyncio.sleep(1.0)

    async def _arrive(self, arrival: Arrival) -> None:
        await asyncio.sleep(arrival.at)
        driver = Driver(self.world, self.scene, len(self.drivers), arrival)
        self.drivers.append(driver)
        await asyncio.wait([driver.start()])
        self._explain(driver)

    async def _last(self) -> Driver:
        driver = Driver(self.world, self.scene, len(self.drivers), Arrival(0.0, True, float("inf")))
        self.drivers.append(driver)
        _, stuck = await asyncio.wait([driver.start()], timeout=PATIENCE_S)
        if stuck:
            self.world.violate("liveness", f"not done {PATIENCE_S:.0f} s after faults stopped")
            driver.process.kill("stuck")
        self._explain(driver)
        return driver

    def _others(self) -> None:
        """Readers, gc, and a damaged checkpoint."""
        world, chance = self.world, self.world.random
        for number in range(self.plan.readers):
            process = Process(world, "reader", Family(f"r{number}"))
            self._operators.append(process)
            task = world.spawn(process, reader(process, self.scene, self.auditor))
            task.add_done_callback(self._reader_ended)
        times = [chance.uniform(0.5, 6) for _ in range(self.plan.collectors)]
        process = Process(world, "operator", Family("gc"))
        self._operators.append(process)
        world.spawn(process, collector(process, self.scene, times))
        if world.chance(self.plan.weather.damage):
            world.loop.call_later(chance.uniform(1, 15), self._damage)

    def _reader_ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self.world.violate("P5", f"a reader met {error!r}")

    def _damage(self) -> None:
        objects = self.scene.disk.objects
        keys = [key for key in objects if key.startswith(CHECKPOINTS)]
        if keys:
            key = self.world.random.choice(keys)
            self.world.note("weather", f"{key} is damaged")
            objects[key] = objects[key][:-9]

    def _explain(self, driver: Driver) -> None:
        """The error that a driver ended with must say what happened, and nothing else."""
        error, world = driver.error, self.world
        if isinstance(error, Fenced):
            others = self.auditor.writers - {driver.nonce}
            if not any(nonce in str(error) for nonce in others):
                world.violate("P6", f"{driver.process.name} was fenced by nobody: {error}")
        elif type(error).__name__ in ("StoreError", "ObjectMissing", "CorruptCorpus"):
            excused = driver.process.family.gave_up and not isinstance(error, ObjectMissing)
            if not excused:
                world.violate("P6", f"{driver.process.name} stopped without a cause: {error!r}")

    def _collect_rest(self) -> None:
        """Late requests may have left something behind: gc once more, now that all is quiet."""
        process = Process(self.world, "operator", Family("last gc"))
        store = self.scene.store(process)
        self.scene.assembly.collect(store, self.auditor.state)

    def _tamper(self) -> None:
        """Somebody edits an entry of the finished log: the next reader must notice."""
        chance, entries = random.Random(f"tamper {self.plan.seed}"), self.auditor.entries
        if chance.random() > 0.25 or self.world.violations:
            return
        sequence = chance.randrange(len(entries) - 1)
        entry = decode(entries[sequence], sequence)
        self.scene.disk.objects[log_key(sequence)] = encode(
            type(entry)(sequence, entry.writer, entry.previous, entry.at + 1, entry.body)
        )
        process = Process(self.world, "operator", Family("verify"))
        try:
            list(self.scene.assembly.reader(self.scene.store(process), readers=1))
        except CorruptCorpus:
            return
        self.world.violate("P1", f"entry {sequence} was edited, and a reader did not notice")


def run_schedule(
    seed: int, assembly: Assembly = SHIPPED, keep: int | None = TRACED, compare: bool = True
) -> Outcome:
    """Run the schedule of a seed."""
    plan = plan_of(seed)
    schedule = Schedule(plan, assembly, keep)
    schedule.run()
    world, auditor = schedule.world, schedule.auditor
    if compare and plan.deterministic and not world.violations:
        calm = Schedule(undisturbed(plan), SHIPPED, keep)
        calm.run()
        if calm.world.violations or corpus_of(calm.auditor) != corpus_of(auditor):
            world.violate("P4", f"not the undisturbed corpus {calm.world.violations}")
    return Outcome(
        seed,
        world.violations,
        list(world.trace),
        world.operations,
        world.faults,
        Counter(driver.ended for driver in schedule.drivers),
        world.met + Counter({TWICE: sum(len(texts) > 1 for texts in auditor.staged.values())}),
        sum(count - 1 for count in auditor.generated.values()),
        len(auditor.generated),
        world.loop.time(),
    )
