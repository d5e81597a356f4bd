"""Grows one generation: leases units, seals batches in order, commits one log entry a batch.

Runs as asyncio in the driver process, so losing the driver loses nothing but time. It sees ids,
counts and keys, never a text. What it decides, it decides through the state machines in the core.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from seedcorn.core.decisions.growth import checkpoint_due, ending
from seedcorn.core.dedup.sealing import SealRequest
from seedcorn.core.dedup.short_items import too_short_line
from seedcorn.core.errors import RunStopped, SeedcornError, StoreError
from seedcorn.core.figures import counted, duration
from seedcorn.core.ledger.rows import GenerationRow
from seedcorn.core.log.entries import BatchCommitted, Body, Decision, Entry, Measurement
from seedcorn.core.log.layout import parse_segment, segment_prefix
from seedcorn.core.log.state import ENGINE_TIME, CorpusState
from seedcorn.core.ops.log_lines import ids
from seedcorn.core.preflight.estimate import indexing_line
from seedcorn.core.scheduling.goodput import EngineTime
from seedcorn.core.scheduling.leasing import Cut, Leases
from seedcorn.runtime.driver import clock
from seedcorn.runtime.driver.crew import Crew
from seedcorn.runtime.driver.meter import Meter
from seedcorn.runtime.driver.ports import Cluster, KeeperHandle, Lost
from seedcorn.runtime.driver.snapshot import Rate, Snapshot
from seedcorn.runtime.driver.staffing import Staff
from seedcorn.runtime.job import Folded, GenerationJob, WorkerProgress
from seedcorn.storage.log.garbage import collect, collect_checkpoints
from seedcorn.storage.log.log import LogWriter
from seedcorn.storage.stores.store import Store

logger = logging.getLogger(__name__)
KEEPER_ATTEMPTS = 5
"""Keepers lost in a row, with no batch sealed in between, before the run stops."""
VIEW_S = 1.0


@dataclass(slots=True)
class Ports:
    """Everything of the outside world that a coordinator touches."""

    store: Store
    log: LogWriter
    cluster: Cluster
    view: Callable[[Snapshot], None]
    meter: Meter
    engine_time: EngineTime
    """Of the whole run: engines outlive a generation."""
    extra_due: Callable[[CorpusState], Decision | None] | None = None
    """Asked once the keeper has nothing to say any more: a decision of another kind, or None."""


class Coordinator:
    """One generation from its first open batch to `generation_finished`, or until drained."""

    def __init__(self, ports: Ports, job: GenerationJob, state: CorpusState) -> None:
        """`state` is folded up to the writer's head; it moves along with every append."""
        self._ports, self._job, self._state = ports, job, state
        units, grown = job.recipe.units, state.generations[job.generation]
        cut = Cut(grown.samples, units.unit, units.batch)
        self._leases = Leases(job.generation, cut, units.ahead, grown.batches)
        self._leases.mixes = grown.mixes
        self.crew = Crew(ports.cluster, ports.store, job, self._leases)
        self._staff = Staff(ports.cluster, self.crew, job)
        self._covered = 0
        """Documents that the newest checkpoint of this run covers."""
        self._keeper: KeeperHandle | None = None
        self._finished = False
        self.rows: Sequence[GenerationRow] = ()
        self._rate, self._progress = Rate(), dict[int, WorkerProgress]()
        self._indexing, self._loading = (0, 0), False

    async def run(self) -> bool:
        """Grow until the generation is finished (True) or drained (False)."""
        await self._resume_staging()
        watching = asyncio.create_task(self._watch())
        try:
            async with asyncio.TaskGroup() as group:
                staff = group.create_task(self._staff.run())
                group.create_task(self._seal_all(staff))
        finally:
            watching.cancel()
        if not self._finished:
            body = await self._engine_time()
            self._state.apply(await asyncio.to_thread(self._ports.log.append, body))
        return self._finished

    async def _resume_staging(self) -> None:
        listed = await asyncio.to_thread(
            lambda: [i.key for i in self._ports.store.list(segment_prefix(self._job.generation))]
        )
        self._leases.resume((parse_segment(key).unit, key) for key in listed)
        if listed:
            logger.info(
                "found %s of generation %d",
                counted(len(listed), "staged segment"),
                self._job.generation,
            )

    async def _seal_all(self, staff: asyncio.Task[None]) -> None:
        keeper, lost = await self._first_keeper(staff), 0
        if keeper is None:
            return
        while not self._finished:
            try:
                if not await self._advance(keeper, staff):
                    return
                lost = 0
            except Lost as error:
                lost += 1
                logger.warning("%s; rebuilding it from checkpoint and log", error)
                if lost >= KEEPER_ATTEMPTS:
                    raise RunStopped(f"batches cannot be sealed: {error}") from error
                await self._ports.cluster.discard_keeper()
                keeper = await self._new_keeper()

    async def _first_keeper(self, staff: asyncio.Task[None]) -> KeeperHandle | None:
        """The keeper once it has loaded; None if the run is drained first."""
        loading = asyncio.create_task(self._new_keeper())
        try:
            while not loading.done():
                if self.crew.draining and staff.done():
                    return None
                await self.crew.changes.wait_or({loading}, VIEW_S)
            return loading.result()
        finally:
            # A run that fails meanwhile must not leave a task behind that makes new keepers.
            loading.cancel()

    async def _advance(self, keeper: KeeperHandle, staff: asyncio.Task[None]) -> bool:
        """The next thing to do, or a wait for it; False once drained with nothing left to seal."""
        batch = self._leases.sealable()
        if self._leases.done:
            await self._finish(keeper)
        elif batch is not None:
            await self._seal(keeper, batch)
        elif staff.done():
            return False
        else:
            await self.crew.changes.wait(VIEW_S)
        return True

    async def _new_keeper(self) -> KeeperHandle:
        for attempt in range(1, KEEPER_ATTEMPTS + 1):
            keeper = self._keeper = self._ports.cluster.keeper(self._job)
            try:
                self._announce_indexing()
                self._loading = True
                report = await keeper.load(self._state.sequence)
                self._loading, self._indexing = False, (0, 0)
                self.rows, due = report.rows, report.due
                for name, counts in report.too_short.items():
                    logger.warning("%s", too_short_line(name, *counts))
                for body in report.measured:
                    due = (await self._append(keeper, body)).due
                await self._decide(keeper, due)
                if report.measured:
                    await self._checkpoint(keeper)
                return keeper
            except Lost as error:
                logger.warning("%s while loading (attempt %d)", error, attempt)
                await self._ports.cluster.discard_keeper()
        raise RunStopped(
            f"the dedup index cannot be loaded: it died {KEEPER_ATTEMPTS} times; check its memory "
            "(seedcorn plan says what it needs) and run the same command again"
        )

    def _announce_indexing(self) -> None:
        """What indexing costs is said before it starts."""
        if not any(generation.batches for generation in self._state.standing.values()):
            rows = sum(source.rows for source in self._state.sources)
            logger.info("%s", indexing_line(rows))

    async def _seal(self, keeper: KeeperHandle, batch: int) -> None:
        """Seal, commit and fold one batch. The append is what makes it exist."""
        segments = self._leases.segments_of(batch)
        ordinal = self._state.next_ordinal
        request = SealRequest.of(self._job.generation, self._leases.cut, batch, ordinal, segments)
        began = clock.now()
        body = await keeper.seal(request)
        seconds = body.goodput | self._ports.engine_time.take()
        body = replace(body, goodput=seconds, spent_tokens=self._spent_tokens())
        sealed = clock.now()

        def durable() -> None:
            self._leases.commit(batch)
            self._ports.meter.committed(body, sealed - began, clock.now() - sealed)

        folded = await self._append(keeper, body, on_durable=durable)
        for alarm in folded.alarms:
            if alarm.batch == batch:
                logger.warning("alarm in batch %d, %s: %s", batch, alarm.stratum, alarm.text)
        await self._decide(keeper, folded.due)
        await self._forget(segments)
        every, known = self._job.recipe.dedup.checkpoint_every, self._state.next_ordinal
        if checkpoint_due(batch, every, known, self._covered):
            await self._checkpoint(keeper)
        _log_batch(body)

    async def _append(
        self, keeper: KeeperHandle, body: Body, on_durable: Callable[[], None] | None = None
    ) -> Folded:
        """Make an entry durable, then let everyone fold it. Losing the keeper loses no entry."""
        entry: Entry = await asyncio.to_thread(self._ports.log.append, body)
        self._state.apply(entry)
        if on_durable is not None:
            on_durable()
        folded = await keeper.committed(entry)
        self.rows = folded.rows
        return folded

    async def _decide(self, keeper: KeeperHandle, due: Body | None) -> None:
        """Append what is due, then open the next batch: before it seals or is leased, so that a
        crash in between moves no decision and changes no estimate."""
        while (due := due or self._extra_due()) is not None:
            if isinstance(due, Decision):
                logger.info("decided for batch %d: %s (%s)", due.batch, due.action, due.reason)
            due = (await self._append(keeper, due)).due
        grown = self._state.generations[self._job.generation]
        self._leases.advance(grown.samples, grown.mixes)
        self.crew.changes.notify()

    def _extra_due(self) -> Decision | None:
        asked = self._ports.extra_due
        return asked(self._state) if asked is not None else None

    async def _checkpoint(self, keeper: KeeperHandle) -> None:
        """Write a checkpoint, then drop the ones it supersedes."""
        await keeper.checkpoint(self._ports.log.head.previous)
        self._covered = self._state.next_ordinal
        await asyncio.to_thread(collect_checkpoints, self._ports.store)

    async def _forget(self, segments: Sequence[str]) -> None:
        """Delete the segments of a committed batch. What stays behind, gc deletes."""

        def delete() -> None:
            for key in segments:
                self._ports.store.delete(key)

        try:
            await asyncio.to_thread(delete)
        except StoreError as error:
            logger.warning("staged segments of a committed batch stay until gc: %s", error)

    async def _finish(self, keeper: KeeperHandle) -> None:
        """End the generation. Repeated when the keeper is lost on the way, whose fold it waits for."""
        if self._state.unfinished is not None:
            deleted = await asyncio.to_thread(collect, self._ports.store, self._state)
            if deleted:
                logger.info("deleted %s that no log entry names", counted(len(deleted), "object"))
            await self._append(keeper, await self._engine_time())
            await self._append(keeper, ending(self._state, self._job.recipe.stop.target))
        await self._checkpoint(keeper)
        self._finished = True

    async def _engine_time(self) -> Measurement:
        """What engines did since the last batch."""
        await self._look()
        taken = self._ports.engine_time.take()
        self._ports.meter.engine_time(taken)
        subject = {"generation": self._job.generation}
        return Measurement(ENGINE_TIME, subject, taken, spent_tokens=self._spent_tokens())

    def _spent_tokens(self) -> dict[str, int]:
        tokens = self._ports.engine_time.take_tokens()
        return {"generated": tokens} if tokens else {}

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(VIEW_S)
            await self._look()
            look = self.snapshot()
            self._ports.meter.look(look)
            self._ports.view(look)

    async def _look(self) -> None:
        for slot, worker in list(self.crew.ready.items()):
            try:
                async with asyncio.timeout(VIEW_S):  # A worker that hangs must not freeze the view.
                    self._progress[slot] = await worker.progress()
                self._rate.update(slot, self._progress[slot].tokens)
            except (SeedcornError, TimeoutError):
                self._progress.pop(slot, None)
        if self._keeper is not None and self._loading:
            try:
                self._indexing = await self._keeper.progress()
            except SeedcornError:
                self._indexing = (0, 0)

    def snapshot(self) -> Snapshot:
        """The run as it looks now."""
        now = clock.now()
        return Snapshot(
            generation=self._job.generation,
            planned=self._leases.cut.samples,
            generated=self._generated(),
            tokens_per_s=self._rate.per_second(now),
            tokens=round(self._rate.total),
            workers=len(self.crew.ready),
            in_flight=sum(p.in_flight for p in self._progress.values()),
            restarts=self.crew.supervisor.restarts,
            quarantined=len(self.crew.quarantine.indices),
            open_batches=self._leases.open_batches,
            indexing=self._indexing,
            rows=tuple(self.rows),
            progress={s: p for s, p in self._progress.items() if s in self.crew.ready},
            units=self._leases.states(),
            draining=self.crew.draining,
        )

    def drain_notice(self) -> str:
        """What a drain waits for, and about how long, in a sentence."""
        reports = [p for slot, p in self._progress.items() if slot in self.crew.ready]
        flying = sum(report.in_flight for report in reports)
        if not flying:
            return "nothing is in flight"
        finished = sum(sum(report.outcomes.values()) for report in reports)
        busy = sum(report.busy_s for report in reports) / max(1, len(reports))
        # Little's law: as long as a sample has taken so far, of which some has passed.
        about = (
            f"about {duration(flying * busy / finished)}" if finished else "nobody knows how long"
        )
        return f"finishing {counted(flying, 'sample')} in flight, {about}"

    def _generated(self) -> int:
        cut = self._leases.cut
        committed = self._leases.committed * cut.unit * cut.batch
        held = dict[int, int]()
        for report in self._progress.values():  # A unit that was hedged is on two workers.
            held |= {unit: max(done, held.get(unit, 0)) for unit, done in report.units.items()}
        return min(cut.samples, committed + self._leases.finished_samples(held))


def _log_batch(body: BatchCommitted) -> None:
    counts = " ".join(f"{name}={count}" for name, count in sorted(body.counts.items()))
    about = ids(generation=body.generation, batch=body.batch)
    logger.info(
        "generation %d batch %d committed: %s", body.generation, body.batch, counts, extra=about
    )
