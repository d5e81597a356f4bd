"""Keeps index, sketch history and containment in step with the log, and seals batches with them.

What it holds is a cache of log, shards and seed: it can be killed at any moment and another one
loads from the newest checkpoint and the entries after it. One keeper per run, one call at a time
(`progress` aside).
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from seedcorn.core.checks import build
from seedcorn.core.decisions.deciding import next_due
from seedcorn.core.dedup.batch import SealRule
from seedcorn.core.dedup.containment import LENGTH as CONTAINMENT_LENGTH
from seedcorn.core.dedup.containment import Containment
from seedcorn.core.dedup.sealing import Ancestry, SealRequest, tags
from seedcorn.core.generate.reasoning import counts_marks
from seedcorn.core.ledger.ledger import Ledger
from seedcorn.core.log.entries import (
    GENESIS,
    BatchCommitted,
    Body,
    Entry,
    Measurement,
    chain_hash,
    encode,
)
from seedcorn.core.log.rules import rules_of
from seedcorn.core.log.state import CorpusState, Source
from seedcorn.core.recipe import Recipe
from seedcorn.core.rule_numbers import counts_tokens, group_size
from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.sketch import Delta
from seedcorn.core.text.fingerprint import KEYS, SIGNATURE_BYTES
from seedcorn.core.text.shingles import shingles_of
from seedcorn.core.text.words import TextRule, read_words
from seedcorn.runtime.job import Folded, LoadReport
from seedcorn.runtime.keeper.batch_sealer import BatchSealer
from seedcorn.runtime.keeper.index_client import IndexClient
from seedcorn.runtime.keeper.source_scanner import SketchWriter, SourceScanner, measurement
from seedcorn.storage.log.checkpoints import Arrays, read_checkpoint, write_checkpoint
from seedcorn.storage.log.log import Head, LogReader, StoredChains
from seedcorn.storage.log.reading import read_deltas
from seedcorn.storage.log.resuming import BOOKS, STATE, collector_paused, folds, unpack
from seedcorn.storage.log.withdrawals import withdrawn_ids
from seedcorn.storage.samples.batches import texts_view
from seedcorn.storage.samples.samples import matrix, read_shard
from seedcorn.storage.seeds.held_out import held_of
from seedcorn.storage.stores.store import Store


class Keeper:
    """Index, history and containment of one corpus, in step with its log."""

    def __init__(
        self,
        store: Store,
        index: IndexClient,
        recipe: Recipe,
        actors: int,
        abandoned: Mapping[int, tuple[int, int]] = MappingProxyType({}),
    ) -> None:
        """`recipe` is the one of the generation that grows; the index starts empty. `abandoned`:
        as in `GenerationJob`."""
        self._abandoned = abandoned
        self._store, self._index, self._recipe = store, index, recipe
        self._meta = {"actors": actors, "seed": recipe.dedup.seed}
        self._state, self._chain = CorpusState(), GENESIS
        self._ledger = Ledger(recipe.ledger.fingerprints, abandoned=abandoned.keys())
        self._containment = Containment()
        self._pending: dict[tuple[int, int], Delta] = {}
        self.progress = (0, 0)
        """(rows indexed, rows to index) while `load` scans sources."""

    def load(self, until: int) -> LoadReport:
        """Fold what of the log below `until` is not folded yet; scan what no checkpoint covers.

        Returns the measurements to append for sources that have no sketch in the log yet.
        """
        covered = self._state.sequence or self._restore(until)
        self._reserve()
        self._fold(until, covered)
        scanner = SourceScanner(
            self._store,
            self._recipe.store,
            self._index,
            self._containment,
            self._advance,
            self._rule,
        )
        measured = self._scan_sources(scanner, covered, set(self._state.sketched))
        found = self._state.sources_of("evaluation")
        self._evaluations = [scanner.evaluation_set(source) for source in found]
        self._held = frozenset(held_of(self._store, self._state.held).ordinals.tolist())
        # Nobody withdraws while this run's driver has the corpus.
        known = counts_tokens(rules_of(self._state))
        self._withdrawn = withdrawn_ids(self._store, self._state) if known else frozenset[str]()
        self._sealer = BatchSealer(self._store, self._index, self._containment, self._rule)
        due = None if measured else self._due()
        return LoadReport(covered, measured, self._ledger.rows(), due, self._too_short())

    def _too_short(self) -> dict[str, tuple[int, int]]:
        """(items that are only found as a whole text, all items) of the sets that have such."""
        short = {e.name: e.short for e in self._evaluations if e.short is not None}
        return {name: (s.too_short, s.items) for name, s in short.items() if s.too_short}

    def seal(self, request: SealRequest) -> BatchCommitted:
        """Deduplicate and write one batch; the caller commits it with a log entry."""
        ancestry = Ancestry(
            [s for s in self._state.sources if s.role != "evaluation"],
            {number: g.fingerprint for number, g in self._state.generations.items()},
            rules_of(self._state),
            self._held,
            self._withdrawn,
        )
        rules = self._state.generations[request.generation].rules
        rule = SealRule(
            self._recipe.dedup.threshold,
            self._ledger.history.rate,
            [prompt.name for prompt in self._recipe.prompts],
            build(self._recipe.checks, rules),
            self._evaluations,
            self._recipe.engine.reasoning if counts_marks(rules) else None,
            group_size(rules, self._recipe.samples_per_prompt),
        )
        history = self._ledger.history if counts_tokens(rules) else None
        entry, delta = self._sealer.seal(request, ancestry, rule, history)
        self._pending[request.generation, request.batch] = delta
        return entry

    def committed(self, entry: Entry) -> Folded:
        """The entry is in the log: fold it."""
        self._state.apply(entry)
        self._ledger.apply(entry, self._deltas_of(entry))
        self._chain = chain_hash(encode(entry))
        accounts = self._ledger.accounts
        alarms = tuple(accounts[-1].watch.alarms) if accounts else ()
        return Folded(self._ledger.rows(), self._due(), alarms)

    def checkpoint(self, chain: str) -> int:
        """Write what is folded so far; returns the sequence number it covers.

        `chain` is the sha256 of the last entry folded.
        """
        parts = {f"index-{n}": arrays for n, arrays in enumerate(self._index.snapshots())}
        parts["history"] = self._ledger.history.snapshot()
        parts["prospects"] = self._ledger.prospects.snapshot()
        parts["containment"] = {"table": self._containment.snapshot()}
        parts |= folds(self._state, self._ledger)
        write_checkpoint(self._store, self._state.sequence, chain, parts, self._meta)
        return self._state.sequence

    @property
    def _rule(self) -> TextRule:
        """By which all texts of the corpus are read."""
        return TextRule.of(rules_of(self._state))

    def _due(self) -> Body | None:
        return next_due(self._state, self._ledger, self._recipe)

    def _fold(self, until: int, covered: int) -> None:
        """Go on with the log from where the folds are; what a checkpoint covers is counted alone."""
        reader = LogReader(self._store, Head(self._state.sequence, self._chain))
        for entry in reader.until(until):
            self._state.apply(entry)
            self._ledger.apply(entry, self._deltas_of(entry) if entry.sequence >= covered else None)
            if entry.sequence >= covered and isinstance(entry.body, BatchCommitted):
                self._insert(entry.body)
            self._chain = reader.head.previous

    def _restore(self, until: int) -> int:
        """Fill everything from the newest checkpoint; returns the sequence number it covers.

        The folds of another version are left out: they are folded from entry 0 again.
        """
        chains = StoredChains(self._store, until)
        covered, parts = read_checkpoint(self._store, chains, self._meta, usable=self._sound)
        if covered:
            with collector_paused():
                self._take(parts, covered, chains[covered])
        return covered

    def _sound(self, covered: int) -> bool:
        """Whether a checkpoint holds nothing of a generation that was abandoned after it."""
        return not any(start < covered <= end for start, end in self._abandoned.values())

    def _take(self, parts: dict[str, Arrays], covered: int, chain: str) -> None:
        fingerprints = self._recipe.ledger.fingerprints
        history = History.restore(parts["history"], fingerprints)
        snapshot, given_up = parts["prospects"], self._abandoned.keys()
        self._ledger = Ledger(fingerprints, history, covered - 1, snapshot, given_up)
        self._containment = Containment(parts["containment"]["table"])
        state, fold_state = unpack(STATE, parts), unpack(BOOKS, parts)
        if state is not None and fold_state is not None:
            self._state, self._chain = state, chain
            self._ledger = Ledger.resumed(fold_state, history, snapshot, fingerprints, given_up)
        self._reserve()
        names = sorted(name for name in parts if name.startswith("index-"))
        self._index.restore([parts[name] for name in names])

    def _reserve(self) -> None:
        self._index.reserve(self._state.next_ordinal + self._recipe.samples)

    def _insert(self, body: BatchCommitted) -> None:
        if body.generation in self._abandoned:
            return
        ordinal = body.ordinal
        for ref in body.data:
            table = read_shard(self._store, ref, ["index", "text", "keys", "signature"])
            labels = tags(body.generation, table["index"].to_numpy())
            signatures = matrix(table["signature"], SIGNATURE_BYTES)
            self._index.put_witnesses(ordinal, signatures, labels)
            ordinals = np.arange(ordinal, ordinal + table.num_rows, dtype=np.int64)
            keys = matrix(table["keys"], KEYS, np.uint64)
            self._index.insert(keys.ravel(), np.repeat(ordinals, KEYS))
            part = shingles_of(
                read_words(*texts_view(table["text"]), self._rule), CONTAINMENT_LENGTH
            )
            self._containment.measure(part.hashes, part.offsets)
            ordinal += table.num_rows

    def _deltas_of(self, entry: Entry) -> list[Delta] | None:
        body = entry.body
        if isinstance(body, BatchCommitted):
            pending = self._pending.pop((body.generation, body.batch), None)
            if pending is not None:
                return [pending]
        return read_deltas(self._store, entry)

    def _scan_sources(
        self, scanner: SourceScanner, covered: int, sketched: set[int]
    ) -> list[Measurement]:
        wanted = [
            source
            for source in self._state.sources
            if source.role != "evaluation"
            and (source.sequence >= covered or source.sequence not in sketched)
        ]
        self.progress = (0, sum(source.rows for source in wanted))
        measured = []
        for source in wanted:
            sketch = self._sketch_writer() if source.sequence not in sketched else None
            problems = scanner.scan(source, self._indexed(source), sketch)
            if sketch is not None:
                measured.append(measurement(source, sketch, problems))
        return measured

    def _indexed(self, source: Source) -> bool:
        return source.role == "reference" or self._recipe.dedup.seed

    def _sketch_writer(self) -> SketchWriter:
        fingerprints = self._recipe.ledger.fingerprints
        return SketchWriter(self._store, fingerprints, self._ledger.history.rate)

    def _advance(self, rows: int) -> None:
        self.progress = (self.progress[0] + rows, self.progress[1])
