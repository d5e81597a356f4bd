"""Grows small corpora in this process: the real line without Ray, one worker, whole generations.

Everything that writes the store is the code that runs in production (unit writer, keeper, log
writer); only the coordinator's concurrency is missing, which promise P4 says cannot matter.
"""

import asyncio
from itertools import count

from seedcorn.core.decisions.growth import WholeRecipe, ending, unmeasured
from seedcorn.core.decisions.stopping import opening
from seedcorn.core.dedup.sealing import SealRequest
from seedcorn.core.log.entries import GenerationStarted, WriterOpened
from seedcorn.core.log.rules import rules_for_next
from seedcorn.core.log.state import CorpusState
from seedcorn.core.recipe import resolved
from seedcorn.core.scheduling.leasing import Cut, Lease
from seedcorn.runtime.driver.grow import generation_job
from seedcorn.runtime.driver.sources import Catalogues
from seedcorn.runtime.keeper.index_client import LocalTransport, PartitionedIndex
from seedcorn.runtime.keeper.keeper import Keeper
from seedcorn.runtime.worker.measuring import MeasuringJob, measure
from seedcorn.runtime.worker.setup import make_engine, make_writer
from seedcorn.storage.log.garbage import collect
from seedcorn.storage.log.log import LogReader, open_writer
from seedcorn.storage.stores.opening import open_store


def grow_in_process(recipe, store_uri, base, batches=None, guide=None, now=None, rules=None):
    """Grow until the recipe's `generations` exist, or what `guide` says, or for so many `batches`
    only.

    `base` is the folder that relative seed paths start at. Time in the log counts entries, so that
    equal recipes give equal corpora, log included; or it is what `now()` says. `rules` are those of
    generations that start now, the newest ones unless they are given.
    """
    store = open_store(store_uri, recipe.store)
    state, reader = CorpusState(), LogReader(store)
    for entry in reader:
        state.apply(entry)
    ticks = count(state.sequence)
    nonce = f"{state.sequence:016x}"
    opened = WriterOpened("in-process", 1, "0.1.0")
    now, guide = now or (lambda: float(next(ticks))), guide or WholeRecipe(recipe)
    log = open_writer(store, reader.head, nonce, opened, now, state.apply)
    sources = Catalogues(recipe, base, store, state)
    left = batches
    while left != 0:
        number = unmeasured(state, recipe.ledger)
        if number is not None:
            job = generation_job(store, state, number, recipe, sources)
            generation = state.generations[number]
            anchor = [catalogue.to_dict() for catalogue in sources.anchor]
            measuring = MeasuringJob(job, generation.shards, generation.mixes, anchor)
            state.apply(log.append(measure(measuring)))
        if (step := guide.next(state)) is None:
            break
        if not step.resumes:
            sources.log_new(state, log)
            state.apply(log.append(_started(step, state, sources, rules)))
        while (decision := opening(state, step.recipe)) is not None:
            state.apply(log.append(decision))
        job = generation_job(store, state, step.generation, step.recipe, sources)
        left = _Generation(store, state, log, job, guide.due).grow(left)


def _started(step, state, sources, rules):
    return GenerationStarted(
        step.generation,
        resolved(step.recipe),
        step.recipe.fingerprint,
        sources.fingerprint(state),
        {"seedcorn": "0.1.0"},
        rules_for_next(state) if rules is None else rules,
    )


class _Generation:
    """One generation, batch after batch."""

    def __init__(self, store, state, log, job, extra_due):
        self._store, self._state, self._log, self._job = store, state, log, job
        self._extra_due = extra_due
        self._generation = state.generations[job.generation]
        self._keeper = Keeper(store, PartitionedIndex(LocalTransport()), job.recipe, 1)
        report = self._keeper.load(state.sequence)
        due = report.due
        for body in report.measured:
            due = self._append(body)
        self._decide(due)

    @property
    def _cut(self):
        units = self._job.recipe.units
        return Cut(self._generation.samples, units.unit, units.batch)

    def grow(self, left):
        """Seal at most `left` batches (None: all); returns how many may follow."""
        number = self._job.generation
        while self._state.generations[number].batches < self._cut.batches and left != 0:
            batch = self._state.generations[number].batches
            segments = asyncio.run(self._stage(batch))
            self._decide(self._append(self._keeper.seal(self._request(batch, segments))))
            for key in segments:
                self._store.delete(key)
            left = None if left is None else left - 1
        if self._state.generations[number].batches == self._cut.batches:
            collect(self._store, self._state)
            self._append(ending(self._state, self._job.recipe))
            self._keeper.checkpoint(self._log.head.previous)
        return left

    async def _stage(self, batch):
        engine = make_engine(self._job)
        writer = await make_writer(self._job, engine, await engine.start())
        segments = []
        for unit in self._cut.units_of(batch):
            indices = tuple(self._cut.indices(unit))
            lease = Lease(self._job.generation, unit, indices, mixes=self._generation.mixes)
            segments += (await writer.write(lease)).segments
        await writer.stop()
        await engine.close()
        return sorted(segments)

    def _request(self, batch, segments):
        ordinal = self._state.next_ordinal
        return SealRequest.of(self._job.generation, self._cut, batch, ordinal, segments)

    def _append(self, body):
        entry = self._log.append(body)
        self._state.apply(entry)
        return self._keeper.committed(entry).due

    def _decide(self, due):
        while (due := due or self._extra_due(self._state)) is not None:
            due = self._append(due)
