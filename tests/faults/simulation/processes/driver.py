"""A driver process: what `grow` does around the shipped coordinator, heartbeat and log.

Also the others who touch a corpus: readers that follow its log, and whoever runs gc.
"""

import asyncio
import contextlib
import json
from functools import partial
from typing import Any, Protocol

from seedcorn.core.decisions.growth import Step, WholeRecipe
from seedcorn.core.errors import ObjectMissing, SeedcornError, StoreError
from seedcorn.core.log.entries import BatchCommitted, GenerationStarted, SeedAdded, WriterOpened
from seedcorn.core.log.state import CorpusState
from seedcorn.core.recipe import resolved
from seedcorn.core.scheduling.goodput import EngineTime
from seedcorn.runtime.driver.coordinator import Coordinator, Ports
from seedcorn.runtime.driver.grow import unwrapped
from seedcorn.runtime.driver.meter import Meter
from seedcorn.runtime.job import GenerationJob
from seedcorn.storage.log.garbage import collect_checkpoints
from seedcorn.storage.log.log import Head, LogWriter, open_writer
from seedcorn.storage.log.writer import Heartbeat, Identity, wait_for_turn
from tests.faults.simulation.processes.cluster import Scene, SimulatedCluster
from tests.faults.simulation.processes.process import Family, Process
from tests.faults.simulation.samples import text_of
from tests.faults.simulation.weather import Arrival, Plan
from tests.faults.simulation.world import World


class Readings(Protocol):
    """Told what a reader met."""

    def met(self, reader: str, head: Head, shards: dict[str, bytes | None]) -> None: ...


class Driver:
    """One driver, from its start to its end."""

    def __init__(self, world: World, scene: Scene, number: int, arrival: Arrival) -> None:
        family = Family(f"d{number}")
        self.process = Process(world, "driver", family)
        self.nonce = family.nonce = f"{world.random.getrandbits(64):016x}"
        self.ended = ""
        """complete | drained | killed | the name of its error."""
        self.error: SeedcornError | None = None
        self._world, self._scene, self._arrival = world, scene, arrival
        self._store = scene.store(self.process)
        self._state = CorpusState()

    def start(self) -> asyncio.Task[None]:
        """Begin now."""
        task = self._world.spawn(self.process, self._main())
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[None]) -> None:
        if not self.ended:
            self.ended = "killed"
        error = None if task.cancelled() else task.exception()
        if self.process.alive and error is not None:
            self.ended = type(error).__name__
            self._world.violate("typed errors", f"{self.process.name} raised {error!r}")
        self.process.kill(self.ended)

    async def _main(self) -> None:
        try:
            self.ended = "complete" if await self._grow() else "drained"
        except SeedcornError as error:
            self.ended, self.error = type(error).__name__, error
            self._world.note(self.process.name, f"stops: {self.ended}: {error}")

    async def _grow(self) -> bool:
        recipe, world = self._scene.plan.recipe, self._world
        head = await asyncio.to_thread(self._fold)
        if WholeRecipe(recipe).next(self._state) is None:
            return True
        turn = partial(wait_for_turn, clock=world.now, sleep=self._sleep)
        await asyncio.to_thread(turn, self._store, recipe.run.lease_s, self._arrival.takeover)
        identity = Identity(self.nonce, self.process.name, 1, "", "corpus", world.wall())
        heartbeat = Heartbeat(self._store, identity, recipe.run.heartbeat_s)
        await asyncio.to_thread(heartbeat.beat)
        beating = asyncio.create_task(_beat(heartbeat, recipe.run.heartbeat_s))
        cluster = SimulatedCluster(self.process, self._scene)
        try:
            opened = WriterOpened(self.process.name, 1, "simulated")
            log = await asyncio.to_thread(
                open_writer, self._store, head, self.nonce, opened, world.wall, self._state.apply
            )
            complete = await self._grow_all(log, cluster)
        finally:
            beating.cancel()
            await cluster.close()
        await asyncio.to_thread(heartbeat.close)
        return complete

    async def _grow_all(self, log: LogWriter, cluster: SimulatedCluster) -> bool:
        recipe, time_spent = self._scene.plan.recipe, EngineTime(self._world.now)
        guide = WholeRecipe(recipe)
        while (step := guide.next(self._state)) is not None:
            if not step.resumes:
                await self._begin(log, step)
            job = self._job(step)
            meter = Meter(cluster.instruments("corpus"))
            ports = Ports(self._store, log, cluster, lambda seen: None, meter, time_spent)
            coordinator = self._scene.assembly.coordinator(ports, job, self._state)
            draining = asyncio.create_task(self._drain(coordinator))
            try:
                if not await unwrapped(coordinator, log):
                    return False
            finally:
                draining.cancel()
        return True

    async def _begin(self, log: LogWriter, step: Step) -> None:
        plan, state = self._scene.plan, self._state
        if plan.seeds and not state.sources:
            added = seed_entry(plan, state.next_ordinal)
            state.apply(await asyncio.to_thread(log.append, added))
        recipe, fingerprint = resolved(step.recipe), step.recipe.fingerprint
        body = GenerationStarted(step.generation, recipe, fingerprint, "", {})
        state.apply(await asyncio.to_thread(log.append, body))

    def _job(self, step: Step) -> GenerationJob:
        fingerprint = self._state.generations[step.generation].fingerprint
        return GenerationJob(step.recipe, fingerprint, step.generation, "corpus", [], {})

    async def _drain(self, coordinator: Coordinator) -> None:
        if self._arrival.drains_after < 1e9:
            await asyncio.sleep(self._arrival.drains_after)
            if not self._world.calm:
                await coordinator.crew.drain()

    def _fold(self) -> Any:
        reader = self._scene.assembly.reader(self._store, readers=1)
        for entry in reader:
            self._state.apply(entry)
        return reader.head

    def _sleep(self, seconds: float) -> None:
        self._world.pause(self.process, seconds)


async def _beat(heartbeat: Heartbeat, interval_s: float) -> None:
    while True:
        await asyncio.sleep(interval_s)
        await asyncio.to_thread(heartbeat.beat)


def seed_entry(plan: Plan, ordinal: int) -> SeedAdded:
    """The plan's seed documents, whose texts stand in the catalogue."""
    texts = [text_of(plan.seed, 0, row, 0, plan.values) for row in range(plan.seeds)]
    catalogue = {"texts": json.dumps(texts)}
    return SeedAdded("seed", "docs", catalogue, len(texts), ordinal, "numbers")


async def collector(process: Process, scene: Scene, times: list[float]) -> None:
    """Somebody runs gc, again and again."""
    store = scene.store(process)
    for pause in times:
        await asyncio.sleep(pause)
        with contextlib.suppress(SeedcornError):
            await asyncio.to_thread(_collect_once, store, scene)


def _collect_once(store: Any, scene: Scene) -> None:
    state = CorpusState()
    for entry in scene.assembly.reader(store, readers=1):
        state.apply(entry)
    scene.assembly.collect(store, state)
    collect_checkpoints(store)


async def reader(process: Process, scene: Scene, told: Readings) -> None:
    """Follows the log at its own pace, and reads every shard that an entry names."""
    store, world = scene.store(process), process.world
    follower = scene.assembly.reader(store, readers=1)

    def follow() -> None:
        for entry in follower:
            body = entry.body
            refs = (*body.data, *body.dropped) if isinstance(body, BatchCommitted) else ()
            told.met(
                process.name, follower.head, {ref.key: _content(store, ref.key) for ref in refs}
            )

    while True:
        await asyncio.sleep(world.random.uniform(0.2, 6))
        with contextlib.suppress(StoreError):
            await asyncio.to_thread(follow)


def _content(store: Any, key: str) -> bytes | None:
    try:
        return store.get(key)
    except ObjectMissing:
        return None
