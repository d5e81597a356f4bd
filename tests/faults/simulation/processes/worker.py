"""A worker process: the shipped `UnitWriter` over an engine that takes time, dies and never repeats.

Only the segments' format is simulated.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from seedcorn.core.engine import Completion, EngineInfo, Request
from seedcorn.core.errors import EngineDead, EngineUnavailable, ObjectMissing, RequestRefused
from seedcorn.core.generate.plan import Plan as SamplePlan
from seedcorn.core.generate.prompts import Rendered
from seedcorn.core.pipeline import Line
from seedcorn.core.sample import Draw, Parent
from seedcorn.core.scheduling.leasing import Lease
from seedcorn.runtime.job import GenerationJob, UnitReport, WorkerProgress
from seedcorn.runtime.worker.unit_writer import Finished, UnitWriter
from seedcorn.storage.samples.samples import Lineage
from seedcorn.storage.stores.store import Store
from tests.faults.simulation.disk import SimulatedStore
from tests.faults.simulation.processes.process import Process
from tests.faults.simulation.samples import Row, decode, encode, segment_name, shows, text_of
from tests.faults.simulation.weather import Plan

CAPACITY = 3
INFO = EngineInfo("simulated", "numbers", capacity=CAPACITY)


class Writings(Protocol):
    """Told of every sample that an engine begins."""

    def generates(self, process: Process, generation: int, index: int) -> None: ...


class NumberEngine:
    """Writes numbers: the same again where texts are deterministic, else another each time."""

    attempts: Counter[tuple[int, int]]

    def __init__(
        self, process: Process, plan: Plan, attempts: Counter[Any], told: Writings
    ) -> None:
        self._process, self._plan, self._told = process, plan, told
        self.attempts = attempts
        self._dead = False

    async def submit(self, request: Request) -> Completion:
        world, place = self._process.world, (request.generation, request.index)
        self._told.generates(self._process, *place)
        attempt = 0 if self._plan.deterministic else self.attempts[place]
        self.attempts[place] += 1
        seconds = world.random.uniform(0.02, 0.3)
        if world.chance(self._plan.weather.straggler):
            seconds += world.random.uniform(0.5, 6.0)
        await asyncio.sleep(seconds)
        if self._dead or world.chance(self._plan.weather.engine_dies):
            self._dead = True
            raise EngineDead("the simulated engine died")
        text = text_of(self._plan.seed, *place, attempt, self._plan.values)
        if text_of(self._plan.seed, *place, 0, 10) == 0:
            raise RequestRefused("a tenth of the prompts is too long")
        return Completion(str(text), 1, 1, "stop")

    async def stats(self) -> Mapping[str, float]:
        return {}


class NoPrompt:
    """Nothing is asked of the engine but a number."""

    def render(self, draw: Draw, generation: int, parents: list[str]) -> Rendered:
        return Rendered(prompt="")


class NoPlan:
    """Draws without parents."""

    def decide(self, mixes: Mapping[int, Mapping[str, float]]) -> None:
        return None

    def draw(self, index: int) -> Draw:
        return Draw(index, str(index), "only", {}, (), 0)


class NoParents:
    """Nobody has any."""

    def read(self, addresses: list[tuple[int, int]]) -> dict[tuple[int, int], Parent]:
        return {}


class NumberWriter(UnitWriter):
    """The unit writer with segments of numbers."""

    salt: Callable[[], int]

    def _indices(self, key: str) -> list[int]:
        try:
            return [row.index for row in decode(self._store.get(key))]
        except ObjectMissing:
            return []

    def _encode_and_put(self, unit: int, finished: list[Finished]) -> str:
        samples = [one.sample for one in finished]
        rows = [Row(s.draw.index, int(s.text or -1), s.outcome, s.reason) for s in samples]
        data = encode(rows, self.salt())
        key = segment_name(self._lineage.generation, unit, data)
        self._store.put(key, data)
        return key


class WorkerProcess:
    """What runs in the process, as `EngineActor` does."""

    def __init__(self, process: Process, store: SimulatedStore, engine: NumberEngine) -> None:
        self._process, self._store, self._engine = process, store, engine
        self._writer: NumberWriter | None = None

    async def start(self, job: GenerationJob) -> EngineInfo:
        await asyncio.sleep(self._process.world.random.uniform(0.01, 1.0))
        if self._writer is not None:
            await self._writer.stop()
        interval = job.recipe.run.stage_interval_s
        store: Store = self._store
        parents: Any = NoParents()
        plan: SamplePlan | Any = NoPlan()
        writer = NumberWriter(self._engine_as_any(), store, parents, plan, interval)
        writer.salt = lambda: self._process.world.random.getrandbits(30)
        prompts: Any = {"only": NoPrompt()}
        line = Line(job.fingerprint, job.generation, INFO, prompts, (), job.rules)
        await writer.start(line, Lineage(job.generation, job.fingerprint, INFO, {}), INFO)
        self._writer = writer
        return INFO

    @property
    def writer(self) -> NumberWriter:
        """The writer of the generation that it was started for."""
        if self._writer is None:
            raise EngineUnavailable("the worker was asked to work before its engine started")
        return self._writer

    def _engine_as_any(self) -> Any:
        return self._engine


class SimulatedWorker:
    """A `WorkerHandle`."""

    def __init__(self, process: Process, inside: WorkerProcess, plan: Plan) -> None:
        self.process, self._inside, self._weather = process, inside, plan.weather

    async def place(self) -> str:
        return await self.process.ask("place", _here)

    async def start(self, job: GenerationJob) -> EngineInfo:
        return await self.process.ask("start", lambda: self._inside.start(job))

    async def write(self, lease: Lease) -> UnitReport:
        self.process.world.note(self.process.name, f"is leased {shows(lease)}")
        return await self.process.ask(
            "write",
            lambda: self._inside.writer.write(lease),
            self._weather.message_twice,
            self._weather.message_lost,
        )

    async def finished(self) -> int:
        async def count() -> int:
            return self._inside.writer.finished

        return await self.process.ask("finished", count)

    async def flush(self) -> None:
        await self.process.ask("flush", lambda: self._inside.writer.flush())

    async def progress(self) -> WorkerProgress:
        return await self.process.ask("progress", lambda: self._inside.writer.progress())

    async def drain(self) -> None:
        await self.process.ask("drain", lambda: self._inside.writer.drain())


async def _here() -> str:
    return "node"


def worker_process(
    process: Process, store: SimulatedStore, plan: Plan, of: tuple[Counter[Any], Writings]
) -> SimulatedWorker:
    """A fresh worker and its handle."""
    engine = NumberEngine(process, plan, *of)
    return SimulatedWorker(process, WorkerProcess(process, store, engine), plan)
