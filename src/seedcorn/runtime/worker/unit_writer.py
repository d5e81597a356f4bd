"""Writes units with one engine: lease in, staged segments out.

This is the worker's whole life without Ray around it. Samples of several units are in flight at
once, so that the engine's batch never drains between units. What is finished is staged at unit
completion, at an interval and on drain; once staged it is never generated again.
"""

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from seedcorn.core.engine import Engine, EngineInfo
from seedcorn.core.errors import EngineDead, StoreError
from seedcorn.core.generate.plan import Plan
from seedcorn.core.ops.log_lines import ids
from seedcorn.core.pipeline import Line, write_sample
from seedcorn.core.recipe import in_flight
from seedcorn.core.sample import Draw, Outcome, Parent, Sample
from seedcorn.core.scheduling.leasing import Lease
from seedcorn.core.text.fingerprint import fingerprint_texts
from seedcorn.core.text.words import TextRule
from seedcorn.runtime.job import UnitReport, WorkerProgress
from seedcorn.runtime.worker.busy import BusyClock, SlotClock
from seedcorn.storage.samples.parents import ParentReader
from seedcorn.storage.samples.samples import Lineage, segment_indices, segment_table, write_segment
from seedcorn.storage.stores.store import Store

logger = logging.getLogger(__name__)
DEAD = "dead"
LAGS = 1000
"""Staging lags kept until somebody asks; a view that stopped asking must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A sample that is not durable yet, what it took, and when it was done."""

    sample: Sample
    seconds: tuple[float, float]
    """Its share of the engine's time, and for how long it held a slot."""
    at: float
    """Monotonic."""


@dataclass(slots=True)
class OpenUnit:
    """A unit this worker holds: finished samples not yet staged, and what is durable."""

    unit: int
    finished: list[Finished] = field(default_factory=list)
    covered: set[int] = field(default_factory=set)
    segments: list[str] = field(default_factory=list)
    in_flight: list[int] = field(default_factory=list)
    done: int = 0
    """Samples with an outcome, durable or not, whoever wrote them."""
    staging: asyncio.Lock = field(default_factory=asyncio.Lock)


class UnitWriter:
    """One engine and the units it works on. Lives on one event loop."""

    def __init__(
        self, engine: Engine, store: Store, parents: ParentReader, plan: Plan, interval_s: float
    ) -> None:
        """`interval_s`: seconds between stagings of unfinished units."""
        self._engine, self._store, self._parents, self._plan = engine, store, parents, plan
        self._interval_s = interval_s
        self._open: dict[int, OpenUnit] = {}
        self._busy = BusyClock(time.monotonic)
        self._reading = asyncio.Lock()
        self._outcomes: Counter[str] = Counter()
        self._tokens = 0
        self._lags: deque[float] = deque(maxlen=LAGS)
        self._since = time.monotonic()
        self._closed, self._cause = "", ""
        self._stager: asyncio.Task[None] | None = None

    async def start(self, line: Line, lineage: Lineage, info: EngineInfo) -> None:
        """Begin taking leases for a started engine."""
        self._line, self._lineage = line, lineage
        self._slots = asyncio.Semaphore(in_flight(info.capacity))
        self._held = SlotClock(time.monotonic, info.capacity)
        self._stager = asyncio.create_task(self._stage_periodically())

    async def write(self, lease: Lease) -> UnitReport:
        """Write what the lease wants and nothing staged already covers.

        A lease of another generation than it was started for is reported as its death, so that a
        fresh worker takes its place: such samples would be staged, and sealed, as what they are not.
        """
        if lease.generation != self._lineage.generation:
            cause = f"started for generation {self._lineage.generation}, not {lease.generation}"
            return UnitReport(lease.unit, (), (), died=True, cause=cause)
        if self._closed:
            # The report that said so was lost: without this one it would be leased to for ever.
            cause = self._cause or f"takes no leases any more: {self._closed}"
            return UnitReport(lease.unit, (), (), died=True, cause=cause)
        state = OpenUnit(lease.unit, segments=list(lease.segments))
        for key in lease.segments:
            state.covered.update(await asyncio.to_thread(self._indices, key))
        todo = [i for i in lease.indices if i not in state.covered and i not in lease.failed]
        self._open[lease.unit] = state
        failed = sorted((i, why) for i, why in lease.failed.items() if i not in state.covered)
        state.finished += [self._failed(index, *why) for index, why in failed]
        state.done = len(state.covered) + len(failed)
        self._plan.decide(lease.mixes)
        draws = [self._plan.draw(index) for index in todo]
        async with self._reading:
            addresses = [address for draw in draws for address in draw.parents]
            parents = await asyncio.to_thread(self._parents.read, addresses)
        await self._write_all(state, draws, parents)
        await self._stage(state)
        self._open.pop(lease.unit, None)
        return UnitReport(
            unit=lease.unit,
            covered=tuple(sorted(state.covered)),
            segments=tuple(state.segments),
            died=self._closed == DEAD,
            in_flight=tuple(state.in_flight),
            cause=self._cause,
        )

    async def progress(self) -> WorkerProgress:
        """Counters for the live view and the metrics; lags are told once."""
        stats = {} if self._closed else await self._engine.stats()
        lags = tuple(self._lags)
        self._lags.clear()
        return WorkerProgress(
            dict(self._outcomes),
            self._tokens,
            self._busy.active,
            dict(stats),
            busy_s=self._busy.total(),
            up_s=time.monotonic() - self._since,
            lags=lags,
            units={state.unit: state.done for state in self._open.values()},
        )

    @property
    def finished(self) -> int:
        """Samples finished so far, staged or not."""
        return self._outcomes.total()

    async def flush(self) -> None:
        """Stage what is finished of every unit, now."""
        for state in list(self._open.values()):
            try:
                await self._stage(state)
            except StoreError as error:
                # Kept in memory: the unit's final staging sends it again and stops the run if
                # that fails too.
                about = ids(unit=state.unit)
                logger.warning("staging of unit %d is late: %s", state.unit, error, extra=about)

    async def drain(self) -> None:
        """Submit nothing more; what is in flight finishes and is staged by its `write`."""
        self._closed = self._closed or "drained"

    async def stop(self) -> None:
        """Take no more leases; the engine goes on living."""
        self._closed = self._closed or "stopped"
        if self._stager is not None:
            self._stager.cancel()

    async def _write_all(
        self,
        state: OpenUnit,
        draws: Iterable[Draw],
        parents: dict[tuple[int, int], Parent],
    ) -> None:
        async with asyncio.TaskGroup() as group:
            for draw in draws:
                group.create_task(self._write_one(state, draw, [parents[a] for a in draw.parents]))

    async def _write_one(self, state: OpenUnit, draw: Draw, parents: list[Parent]) -> None:
        async with self._slots:
            if self._closed:
                return
            mark, number = self._busy.enter(), self._held.enter()
            try:
                sample = await write_sample(self._line, draw, parents, self._engine)
            except EngineDead as error:
                self._closed, self._cause = DEAD, str(error)
                state.in_flight.append(draw.index)
                return
            finally:
                seconds = self._busy.leave(mark), self._held.leave(number)
        state.finished.append(Finished(sample, seconds, time.monotonic()))
        state.done += 1
        self._outcomes[sample.outcome] += 1
        self._tokens += sample.completion_tokens

    async def _stage_periodically(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            await self.flush()

    async def _stage(self, state: OpenUnit) -> None:
        async with state.staging:
            finished, state.finished = state.finished, []
            if not finished:
                return
            key = ""
            try:
                key = await asyncio.to_thread(self._encode_and_put, state.unit, finished)
            finally:
                if not key:  # Not durable: still to be staged, and still to be paid for.
                    state.finished = finished + state.finished
            self._lags.append(time.monotonic() - min(one.at for one in finished))
            state.segments.append(key)
            state.covered.update(one.sample.draw.index for one in finished)

    def _indices(self, key: str) -> list[int]:
        return segment_indices(self._store, key)

    def _encode_and_put(self, unit: int, finished: list[Finished]) -> str:
        samples = [one.sample for one in finished]
        texts = [s.text for s in samples if s.outcome is Outcome.CANDIDATE]
        seconds = [one.seconds for one in finished]
        prints = fingerprint_texts(texts, TextRule.of(self._line.rules))
        table = segment_table(samples, unit, self._lineage, prints, seconds)
        return write_segment(self._store, table, self._lineage.generation, unit)

    def _failed(self, index: int, reason: str, detail: str) -> Finished:
        draw = self._plan.draw(index)
        sample = Sample(draw, Outcome.FAILED, reason=reason, detail=detail)
        return Finished(sample, (0.0, 0.0), time.monotonic())
