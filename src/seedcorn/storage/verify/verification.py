"""Re-reads a corpus, log and every shard, and proves its promises or names what breaks one first.

Nothing is believed that can be counted again. Shards stream past one batch at a time; what grows is
the set of accepted ids and, up to a stated number, the documents rechecked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from seedcorn.core.errors import CorruptCorpus, FormatError, ObjectMissing
from seedcorn.core.figures import counted
from seedcorn.core.log.entries import (
    BatchCommitted,
    Entry,
    GenerationStarted,
    SeedAdded,
    Withdrawn,
)
from seedcorn.core.log.layout import DATA, DROPPED, STAGING
from seedcorn.core.log.rules import reads_texts, rules_of, unknown_rules
from seedcorn.core.log.state import CorpusState, Source
from seedcorn.core.recipe import Recipe, StoreSpec
from seedcorn.core.rule_numbers import group_size
from seedcorn.core.sketch.sketch import Delta
from seedcorn.core.text.words import TextRule
from seedcorn.core.verify.family import Family, HeldBack
from seedcorn.core.verify.proofs import (
    BatchRows,
    CorpusDigest,
    ParseRecipe,
    Terms,
    check_bound,
    check_counts,
    check_ids,
    check_names,
    check_shards,
    check_unknown_objects,
    check_writers,
    recipe_of,
)
from seedcorn.core.verify.rechecking import Grown
from seedcorn.core.verify.uniqueness import prove_unique
from seedcorn.storage.log.checkpoints import checkpoint_chain, checkpoint_sequences
from seedcorn.storage.log.log import LogReader
from seedcorn.storage.log.withdrawals import read_ids
from seedcorn.storage.stores.store import Store
from seedcorn.storage.verify.books import prove_ledger
from seedcorn.storage.verify.deep import DeepProof
from seedcorn.storage.verify.documents import DOCUMENTS, DocumentSubset
from seedcorn.storage.verify.held import held_back
from seedcorn.storage.verify.rows import read_batch_table, rows_of
from seedcorn.storage.verify.sketches import check_sketch, highest_rate, sketch_of
from seedcorn.storage.verify.withdrawn import WithdrawalProof

Advance = Callable[[str, int, int], None]
"""Told (what is read, how much is done, of how much)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: a promise, and what was checked or what is wrong."""

    promise: str
    text: str


@dataclass(slots=True)
class Report:
    """What was proved, in order; `broken` is the first thing that is wrong, if anything is."""

    corpus: str
    proved: list[Finding] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    broken: Finding | None = None
    digest: str = ""
    """See `CorpusDigest`; empty unless everything holds."""

    @property
    def ok(self) -> bool:
        """Whether every promise holds."""
        return self.broken is None


def verify(
    store: Store,
    parse_recipe: ParseRecipe,
    spec: StoreSpec | None = None,
    advance: Advance = lambda what, done, total: None,
    documents: int = DOCUMENTS,
    deep: bool = False,
) -> Report:
    """Prove everything, or name the first thing that is wrong.

    `spec` is how seed files on remote stores are reached; at most `documents` are rechecked for
    uniqueness. `deep`: also decide again what texts decide (see `DeepProof`). Raises StoreError
    when the store does not answer, ObjectMissing without a corpus.
    """
    proof = _Proof(store, parse_recipe, advance)
    try:
        proof.read_log()
        held = proof.read_held(spec or StoreSpec())
        if deep and proof.text_rule is not None:
            rate = highest_rate(proof.entries)
            proof.deep = DeepProof(store, spec or StoreSpec(), proof.rules, rate, held.ordinals)
        proof.prove_objects()
        proof.fold_ledger()
        proof.prove_rows(DocumentSubset(store, spec or StoreSpec(), documents))
    except (CorruptCorpus, FormatError, ObjectMissing) as error:
        proof.report.broken = Finding(proof.proving, str(error))
        proof.report.digest = ""
    if proof.report.ok and not proof.entries:
        raise ObjectMissing(f"{store.uri} holds no corpus: there is no log under it")
    return proof.report


class _Proof:
    """One run of `verify`; its methods are called in order."""

    def __init__(self, store: Store, parse_recipe: ParseRecipe, advance: Advance) -> None:
        self._store, self._parse, self._advance = store, parse_recipe, advance
        self.report = Report(store.uri)
        self.proving = "log"
        """The promise that is being checked, hence the one that an error breaks."""
        self.entries: list[Entry] = []
        self.deep: DeepProof | None = None
        self.held = HeldBack()
        self._state = CorpusState()
        self._recipes: dict[int, Recipe] = {}
        self._on_trust = 0
        """Rows of which something was not proved, for want of a rule."""
        self._sketches: list[tuple[int, BatchCommitted, Delta]] = []
        """Recomputed from texts, to be held against those the log names."""

    @property
    def rules(self) -> dict[str, int]:
        """Those that all documents of the corpus are compared and named under."""
        return rules_of(self._state)

    def read_log(self) -> None:
        """Chain, numbers, formats, writers, and the fold of the log."""
        # First: a writer that lives may put newer ones while the log is read.
        covered = max(checkpoint_sequences(self._store), default=0)
        bound, reader = checkpoint_chain(self._store, covered), LogReader(self._store)
        for entry in reader:
            self._state.apply(entry)
            self.entries.append(entry)
        if covered > len(self.entries):
            raise CorruptCorpus(
                f"the log ends after {counted(len(self.entries), 'entry', 'entries')}, but a "
                f"checkpoint covers {covered}: entries were lost from its end"
            )
        check_bound(self.entries, reader.head.previous, covered, bound)
        self._proved("log", counted(len(self.entries), "entry", "entries"), "chain unbroken")
        self.proving = "P6"
        writers = check_writers(self.entries)
        self._proved("P6", counted(writers, "writer"), "each entry by the one that opened last")
        self.proving = "lineage"
        for number, generation in self._state.generations.items():
            self._recipes[number] = recipe_of(generation, self._parse)

    def read_held(self, spec: StoreSpec) -> HeldBack:
        """Rows of the seed that no sample may have been written from."""
        self.held, warnings = held_back(self._store, spec, self._state)
        self.report.warnings += warnings
        return self.held

    def prove_objects(self) -> None:
        """Names and sizes of everything the log names; nothing else in finished generations."""
        self.proving = "P1"
        for entry in self.entries:
            check_names(entry.body, entry.sequence)
        listed = {
            info.key: info.size
            for prefix in (DATA, DROPPED, STAGING)
            for info in self._store.list(prefix)
        }
        check_shards(self._state, listed)
        self.proving = "P5"
        self.report.warnings += check_unknown_objects(self._state, listed)
        finished = sum(bool(g.finished) for g in self._state.generations.values())
        self._proved("P5", counted(finished, "finished generation"), "with committed shards alone")

    def fold_ledger(self) -> None:
        """The ledger folds without contradiction, over sketches whose bytes are the log's."""
        self.proving = "ledger"
        self._proved(
            "ledger", *prove_ledger(self._store, self.entries, self._recipes, self._advance)
        )

    def prove_rows(self, documents: DocumentSubset) -> None:
        """Everything that only the rows can show."""
        self.proving = "withdrawn"
        withdrawals = WithdrawalProof(self._store, self.entries, self.text_rule)
        rows, units, names, digest, family = 0, 0, 0, CorpusDigest(), Family(self.rules, self.held)
        documents.plan(self._state, self._recipes)
        for entry, table, batch in self._batches(family, documents):
            recipe = self._recipes[batch.generation]
            terms = Terms.of(self._state.generations[batch.generation], recipe)
            part = rows_of(table)
            names += self._prove_batch(entry, batch, part, terms, family)
            withdrawals.add(table, part, terms.strata)
            rows, units = rows + table.num_rows, units + batch.last_unit - batch.first_unit + 1
            if terms.stands:
                documents.add(part)
                digest.add(part)
                self._prove_texts(entry.sequence, batch, table, part)
        self._proved_rows(rows, units, names)
        self._settle(withdrawals)
        if self.text_rule is not None:
            self._prove_unique(documents, self.text_rule)
            self._prove_sketches(self._sketches)
            self._proved_sketches(len(self._sketches))
        self._prove_abandoned()
        self._warn_of_trust()
        self.report.digest = digest.hexdigest()

    def _prove_texts(
        self, sequence: int, batch: BatchCommitted, table: pa.Table, rows: BatchRows
    ) -> None:
        """What a batch's texts decide: all of it, or its sketch at the ends of a generation."""
        if self.text_rule is None:
            self._on_trust += table.num_rows
        elif self.deep is not None:
            self._prove_deeply(sequence, batch, table, rows)
        elif self._is_edge(batch):
            found = sketch_of(table, rows, self._grown(batch), batch.sketch_rate)
            self._sketches.append((sequence, batch, found))

    @property
    def text_rule(self) -> TextRule | None:
        """By which texts were told apart; None where this code does not have the rule."""
        return TextRule.of(self.rules) if reads_texts(self.rules) else None

    def _warn_of_trust(self) -> None:
        trusted = self._on_trust + (self.deep.trusted if self.deep is not None else 0)
        if trusted:
            found = (unknown_rules(g.rules) for g in self._state.generations.values())
            names = ", ".join(sorted({name for names in found for name in names}))
            self.report.warnings.append(
                f"{trusted} rows were taken on trust where rules decide that this seedcorn does "
                f"not have ({names}): verify them with a newer one"
            )

    def _prove_abandoned(self) -> None:
        for number, one in self._state.abandoned.items():
            shards = counted(len(one.shards) + len(one.dropped), "shard")
            text = f"generation {number}: its {shards} as the log has them, and nothing counts them"
            self._proved("abandoned", text)

    def _settle(self, withdrawals: WithdrawalProof) -> None:
        self.proving = "withdrawn"
        withdrawals.settle()
        self._proved("withdrawn", counted(withdrawals.samples, "sample"), "accepted, none twice")

    def _proved_rows(self, rows: int, units: int, names: int) -> None:
        shards = sum(len(g.shards) + len(g.dropped) for g in self._state.generations.values())
        self._proved("P1", counted(shards, "shard"), "size, sha256 and rows as the log has them")
        self._proved("P2", counted(rows, "sample"), "each planned index once, under its own id")
        self._proved("P3", counted(units, "unit"), "every planned sample with one outcome")
        recipes = counted(len(self._recipes), "recipe")
        self._proved("lineage", recipes, f"all {names:,} parents and witnesses exist")

    def _batches(
        self, family: Family, documents: DocumentSubset
    ) -> Iterator[tuple[Entry, pa.Table, BatchCommitted]]:
        """Committed batches in log order; sources join family and documents where they entered."""
        started = 0
        for entry in self.entries:
            self._advance("batches", entry.sequence + 1, len(self.entries))
            if isinstance(entry.body, SeedAdded):
                source = next(s for s in self._state.sources if s.sequence == entry.sequence)
                family.add_source(source)
                self._recheck_source(documents, source)
                if self.deep is not None:
                    self.deep.add_source(source, started)
            elif isinstance(entry.body, GenerationStarted):
                started = entry.body.generation
                family.end_generation()
            elif isinstance(entry.body, Withdrawn) and self.deep is not None:
                self.deep.withdraw(read_ids(self._store, entry.body.ids))
            elif isinstance(entry.body, BatchCommitted):
                self.proving = "P1"
                yield entry, read_batch_table(self._store, entry.body), entry.body

    def _recheck_source(self, documents: DocumentSubset, source: Source) -> None:
        warning = documents.add_source(source)
        if warning:
            self.report.warnings.append(warning)

    def _prove_batch(
        self, entry: Entry, batch: BatchCommitted, rows: BatchRows, terms: Terms, family: Family
    ) -> int:
        self.proving = "P2"
        check_ids(rows, batch, entry.sequence, terms)
        self.proving = "P3"
        check_counts(rows, batch, entry.sequence, terms)
        self.proving = "lineage"
        return family.add(rows, entry.sequence, terms)

    def _prove_unique(self, documents: DocumentSubset, rule: TextRule) -> None:
        self.proving = "P8"
        threshold = max((r.dedup.threshold for r in self._recipes.values()), default=0.7)
        judged = prove_unique(documents.documents, threshold, rule)
        pairs = f"no exact pair; pairs kept of pairs met, by Jaccard: {judged}"
        self._proved("P8", f"{documents.described()}: {pairs}")

    def _prove_sketches(self, found: list[tuple[int, BatchCommitted, Delta]]) -> None:
        self.proving = "sketches"
        for sequence, batch, delta in found:
            check_sketch(self._store, sequence, batch, delta)

    def _prove_deeply(
        self, sequence: int, batch: BatchCommitted, table: pa.Table, rows: BatchRows
    ) -> None:
        assert self.deep is not None
        self.proving = "deep"
        grown = self._grown(batch)
        self.deep.add_batch(sequence, batch, table, rows, grown)
        delta = sketch_of(table, rows, grown, batch.sketch_rate)
        self._prove_sketches([(sequence, batch, delta)])
        self.proving = "deep"
        group = group_size(grown[1], grown[0].samples_per_prompt)
        self.deep.add_unique_tokens((sequence, batch, delta), table, rows, group)

    def _grown(self, batch: BatchCommitted) -> Grown:
        return self._recipes[batch.generation], self._state.generations[batch.generation].rules

    def _proved_sketches(self, edges: int) -> None:
        deep = self.deep
        if deep is None:
            return self._proved("sketches", f"{edges:,} recomputed (ends of each generation)")
        self._proved("sketches", "those of every batch recomputed")
        self._proved(
            "deep",
            counted(deep.fingerprints, "fingerprint"),
            f"checks and containment of {counted(deep.rechecked, 'row')} from texts",
            f"{deep.verdicts:,} verdicts replayed against {counted(deep.documents, 'document')}",
        )

    def _is_edge(self, batch: BatchCommitted) -> bool:
        return batch.batch in (0, self._state.generations[batch.generation].batches - 1)

    def _proved(self, promise: str, *found: str) -> None:
        self.report.proved.append(Finding(promise, ", ".join(found)))
