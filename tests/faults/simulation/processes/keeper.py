"""A keeper process: index, fold and sealing as the shipped keeper does them, over numbers.

The index parts, the way a batch is decided, checkpoints and log are the shipped ones; simulated are
the formats of segments and shards, the ledger (left out), and calls to the parts that go astray.
"""

import json
from collections.abc import Callable
from functools import partial

import numpy as np

from seedcorn.core.decisions.stopping import due
from seedcorn.core.dedup.batch import Decided, deduplicate
from seedcorn.core.dedup.sealing import Ancestry, SealRequest, tags, tally, winners
from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.log.entries import BatchCommitted, Body, Entry
from seedcorn.core.log.rules import rules_of
from seedcorn.core.log.state import CorpusState
from seedcorn.runtime.driver.ports import Lost
from seedcorn.runtime.job import Folded, GenerationJob, LoadReport
from seedcorn.runtime.keeper.index_client import IndexPart, PartitionedIndex
from seedcorn.storage.log.checkpoints import read_checkpoint, write_checkpoint
from seedcorn.storage.log.log import LogReader
from seedcorn.storage.stores.store import Store
from tests.faults.simulation.processes.process import Process
from tests.faults.simulation.samples import Row, decode, fingerprints, write_rows
from tests.faults.simulation.weather import Weather

META = {"formats": "numbers"}


class FaultyTransport:
    """Index parts whose calls take time, and whose answers can be lost after the work was done."""

    def __init__(self, process: Process, parts: int, weather: Weather) -> None:
        self.parts, self._process, self._weather = parts, process, weather
        self._parts = [IndexPart(part, parts) for part in range(parts)]
        self.gone = False

    def call(self, method: str, requests: list[tuple[int, tuple[object, ...]]]) -> list[object]:
        world, weather = self._process.world, self._weather
        world.pause(self._process, world.random.uniform(0.0005, 0.01))
        if self.gone or world.chance(weather.part_lost):
            self.gone = True
            raise Lost(f"a part of the index died before {method}")
        for _ in range(2 if world.chance(weather.part_repeats) else 1):
            answers = [getattr(self._parts[part], method)(*given) for part, given in requests]
        if world.chance(weather.part_lost):
            self.times_out(method)
        return answers

    def times_out(self, method: str) -> None:
        """The call happened, and its answer never comes."""
        self._process.world.note(self._process.name, f"{method} times out after it happened")
        self.gone = True
        raise Lost(f"a part of the index did not answer {method}")


class SimulatedKeeper:
    """What runs in the process; see `seedcorn.runtime.keeper.keeper.Keeper`."""

    reader: Callable[..., LogReader] = staticmethod(LogReader)

    def __init__(
        self, process: Process, store: Store, job: GenerationJob, weather: Weather
    ) -> None:
        self.process, self.store, self.recipe = process, store, job.recipe
        self.transport = FaultyTransport(process, job.recipe.dedup.actors, weather)
        self.index = PartitionedIndex(self.transport)
        self.state = CorpusState()

    def load(self, until: int) -> LoadReport:
        reader = self.reader(self.store, readers=1)
        entries = list(reader)
        chains = [*(entry.previous for entry in entries), reader.head.previous][: until + 1]
        covered = self.state.sequence or self._restore(chains)
        for entry in entries[:until][self.state.sequence :]:
            before = self.state.next_ordinal
            self.state.apply(entry)
            if entry.sequence >= covered:
                self._insert(entry, before)
        return LoadReport(covered, [], [], self._due())

    def seal(self, request: SealRequest) -> BatchCommitted:
        rows = self.read_batch(request)
        candidates = [n for n, row in enumerate(rows) if row.outcome == "candidate"]
        prints = fingerprints([rows[n].text for n in candidates])
        plan_index = np.array([rows[n].index for n in candidates], np.int64)
        decided = self.decide(prints, plan_index, request)
        outcome = self._outcomes(rows, candidates, decided, request.generation)
        return self.write(outcome, request)

    def committed(self, entry: Entry) -> Folded:
        self.state.apply(entry)
        return Folded([], self._due())

    def checkpoint(self, chain: str) -> int:
        parts = {f"index-{n}": arrays for n, arrays in enumerate(self.index.snapshots())}
        write_checkpoint(self.store, self.state.sequence, chain, parts, META)
        return self.state.sequence

    def read_batch(self, request: SealRequest) -> list[Row]:
        """The rows that count, in plan order."""
        found = [row for key in request.segments for row in decode(self.store.get(key))]
        index = np.array([row.index for row in found], np.int64)
        content = np.array([row.content for row in found], np.uint64)
        chosen = winners(index, content, request.first_index, request.last_index)
        return [found[n] for n in chosen]

    def decide(self, prints, plan_index, request: SealRequest) -> Decided:
        """Ask the index, decide, insert what is kept."""
        return deduplicate(self.index, prints, plan_index, request, self.recipe.dedup.threshold)

    def write(self, rows: list[Row], request: SealRequest) -> BatchCommitted:
        """Both shards, then the entry that will name them."""
        units = (request.generation, request.first_unit, request.last_unit)
        accepted = [row for row in rows if row.outcome == "accepted"]
        data = write_rows(self.store, "data", accepted, units)
        dropped = [row for row in rows if row.outcome != "accepted"]
        counts, reasons, strata = tally(
            [row.outcome for row in rows],
            [row.reason for row in rows],
            ["only"] * len(rows),
            [1] * len(rows),
        )
        return BatchCommitted(
            generation=request.generation,
            batch=request.batch,
            first_unit=request.first_unit,
            last_unit=request.last_unit,
            first_index=request.first_index,
            last_index=request.last_index,
            ordinal=request.ordinal,
            counts=counts,
            reasons=reasons,
            strata=strata,
            tokens={"accepted": len(accepted), "generated": len(rows), "prompt": len(rows)},
            data=data,
            dropped=write_rows(self.store, "dropped", dropped, units),
            sketch=None,
            sketch_rate=1.0,
            engine_seconds=0.0,
        )

    def _outcomes(
        self, rows: list[Row], candidates: list[int], decided: Decided, generation: int
    ) -> list[Row]:
        fingerprints_of = {n: g.fingerprint for n, g in self.state.generations.items()}
        ancestry = Ancestry(self.state.sources, fingerprints_of, rules_of(self.state))
        outcome, verdicts = list(rows), decided.verdicts
        for place, n in enumerate(candidates):
            row, witness, reason, kept = rows[n], "", "", bool(verdicts.kept[place])
            if not kept:
                ordinal = int(verdicts.witness[place])
                label = decided.labels[ordinal]
                relation, witness = ancestry.name(ordinal, label, generation)
                reason = f"{'exact' if verdicts.exact[place] else 'near'}:{relation}"
            name = "accepted" if kept else "duplicate"
            outcome[n] = Row(row.index, row.text, name, reason, witness)
        return outcome

    def _due(self) -> Body | None:
        return due(self.state, self.recipe, ()) if self.state.unfinished is not None else None

    def _restore(self, chains: list[str]) -> int:
        covered, parts = read_checkpoint(self.store, chains, META)
        if covered:
            self.process.world.met["checkpoints restored"] += 1
            self.index.restore([parts[name] for name in sorted(parts)])
        return covered

    def _insert(self, entry: Entry, ordinal: int) -> None:
        """What an entry adds to the index."""
        body = entry.body
        if isinstance(body, BatchCommitted):
            for ref in body.data:
                rows = decode(self.store.get(ref.key))
                if len(rows) != ref.rows:
                    raise CorruptCorpus(f"{ref.key} holds {len(rows)} rows")
                index = np.array([row.index for row in rows], np.int64)
                self._put([r.text for r in rows], ordinal, tags(body.generation, index))
        elif entry.kind == "seed_added":
            texts = json.loads(body.catalogue["texts"])
            self._put(texts, ordinal, tags(0, np.arange(len(texts), dtype=np.int64)))

    def _put(self, texts: list[int], ordinal: int, labels: np.ndarray) -> None:
        prints = fingerprints(texts)
        self.index.put_witnesses(ordinal, prints.signature, labels)
        ordinals = np.arange(ordinal, ordinal + len(texts), dtype=np.int64)
        self.index.insert(prints.keys.ravel(), np.repeat(ordinals, prints.keys.shape[1]))


class KeeperPort:
    """A `KeeperHandle`: one call at a time, each in the keeper's process."""

    def __init__(self, keeper: SimulatedKeeper, weather: Weather) -> None:
        self.keeper, self.process, self._weather = keeper, keeper.process, weather

    async def load(self, until: int) -> LoadReport:
        return await self._work("load", partial(self.keeper.load, until))

    async def seal(self, request: SealRequest) -> BatchCommitted:
        return await self._work("seal", partial(self.keeper.seal, request))

    async def committed(self, entry: Entry) -> Folded:
        return await self._work("committed", partial(self.keeper.committed, entry))

    async def checkpoint(self, chain: str) -> int:
        return await self._work("checkpoint", partial(self.keeper.checkpoint, chain))

    async def progress(self) -> tuple[int, int]:
        return 0, 0

    async def _work(self, what: str, work: Callable[[], object]):
        async def run() -> object:
            return await self.process.world.call(self.process, work)

        return await self.process.ask(what, run, lost=self._weather.message_lost)
