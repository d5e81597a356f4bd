"""`verify --deep`: everything that texts decide, decided again: fingerprints, checks, dedup, sketches.

Batches stream by; what grows is a plain dict of every kept document and indexed source row: about
2.5 KB each, 100 bytes per 16 shingles for containment, and the ledger's hash sample. Nothing is taken
from a checkpoint.
"""

from collections.abc import Mapping, Sequence, Set
from math import isclose
from typing import Any

import numpy as np
import pyarrow as pa

from seedcorn.core.checks import Check, build
from seedcorn.core.dedup.containment import LENGTH
from seedcorn.core.dedup.decontamination import (
    LENGTHS,
    EvaluationSet,
    contamination,
    evaluation_set,
)
from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.generate.reasoning import counts_marks, marked
from seedcorn.core.log.entries import BatchCommitted, ObjectRef
from seedcorn.core.log.rules import checks_on_trust, unknown_rules
from seedcorn.core.log.state import Source
from seedcorn.core.recipe import DedupSpec, StoreSpec
from seedcorn.core.rule_numbers import REASONING, counts_tokens, number_of
from seedcorn.core.sketch.sketch import Delta
from seedcorn.core.text.fingerprint import KEYS, SIGNATURE_BYTES, Fingerprints, fingerprint_words
from seedcorn.core.text.shingles import Shingles, shingles_of, subset
from seedcorn.core.text.words import TextRule, Words, read_words
from seedcorn.core.verify.proofs import BatchRows
from seedcorn.core.verify.rechecking import CONTAMINATED, Grown, wrong_verdict
from seedcorn.core.verify.replay import KEPT, ContainmentReplay, DedupOutcome, Replay
from seedcorn.storage.samples.batches import texts_view
from seedcorn.storage.samples.samples import fingerprints_of, read_shard
from seedcorn.storage.seeds.catalogue import Catalogue
from seedcorn.storage.seeds.reader import SeedReader
from seedcorn.storage.stores.store import Store
from seedcorn.storage.verify.unique_tokens import UniqueTokensProof

CHUNK_ROWS = 4096
_JUDGED = ["index", "checks", "finish_reason"]
_FINGERPRINTS = ["keys", "signature", "text_hash", "words"]


class DeepProof:
    """One pass over sources and batches, in log order. Raises CorruptCorpus at the first mistake."""

    def __init__(
        self,
        store: Store,
        spec: StoreSpec,
        rules: Mapping[str, int],
        rate: float,
        held: Set[int] = frozenset(),
    ) -> None:
        """`spec` is how seed files on remote stores are reached, `rules` are those of the corpus,
        `rate` is the highest sample rate of its sketches, `held` the ordinals of the seed's rows
        that are held back."""
        self._store, self._spec, self._rule = store, spec, TextRule.of(rules)
        self._replay, self._containment = Replay(rules, held), ContainmentReplay()
        self._unique = UniqueTokensProof(rate, self._rule) if counts_tokens(rules) else None
        self._evaluations: list[EvaluationSet] = []
        self.fingerprints = self.verdicts = self.rechecked = 0
        self.trusted = 0
        """Rows of which a check's verdict was taken on trust."""

    @property
    def documents(self) -> int:
        """Documents that later ones were held against."""
        return len(self._replay)

    def add_source(self, source: Source, generation: int) -> None:
        """Read a source where it entered the log, after `generation` had started; raises SeedError
        where it cannot be read."""
        catalogue = Catalogue.from_dict(source.catalogue)
        batches = SeedReader(catalogue, self._store, self._spec).scan(CHUNK_ROWS)
        views = ((batch, texts_view(batch.texts)) for batch in batches)
        if source.role == "evaluation":
            documents = ((read_words(*view, self._rule), batch.usable) for batch, view in views)
            self._evaluations.append(evaluation_set(source.name, documents))
            return
        for batch, view in views:
            words, row = read_words(*view, self._rule), batch.first_ordinal
            place = (source.role, source.name, source.ordinal)
            self._replay.add_source(*place, fingerprint_words(words), batch.usable, row)
            self._learn(subset(shingles_of(words, LENGTH), batch.usable))
            if self._unique is not None:
                self._unique.add_source(words, batch.usable, generation)

    def add_batch(
        self,
        sequence: int,
        batch: BatchCommitted,
        table: pa.Table,
        rows: BatchRows,
        grown: Grown,
    ) -> None:
        """Prove one batch: rows in plan order, `table` and `rows` the same ones."""
        recipe, rules = grown
        view = texts_view(table["text"].fill_null(""))
        words = read_words(*view, self._rule)
        prints = fingerprint_words(words)
        self._prove_fingerprints(sequence, batch, rows, prints)
        self._prove_checks(
            sequence, batch, rows, build(recipe.checks, rules), checks_on_trust(rules)
        )
        _prove_marks(sequence, batch, rows, grown)
        shingles = {length: shingles_of(words, length) for length in LENGTHS}
        self._prove_clean(sequence, rows, shingles, words)
        self._prove_dedup(sequence, batch, rows, prints, recipe.dedup)
        accepted = np.array([outcome == "accepted" for outcome in rows.outcome], bool)
        found = self._learn(subset(shingles[LENGTH], accepted))
        if found != {name: float(value) for name, value in batch.containment.items()}:
            raise CorruptCorpus(
                f"log entry {sequence}: its containment is {batch.containment}, its texts give "
                f"{found}"
            )

    def withdraw(self, names: Set[str]) -> None:
        """Samples were taken back; corpora of rule 1 did not tell their copies apart."""
        if self._unique is not None:
            self._replay.withdraw(names)

    def add_unique_tokens(
        self, found: tuple[int, BatchCommitted, Delta], table: pa.Table, rows: BatchRows, group: int
    ) -> None:
        """Prove what a batch that was added brought: its entry's number, the entry, its sketch.
        `group` samples are one draw."""
        if self._unique is not None:
            self._unique.add_batch(found, table, rows, group)

    def _learn(self, shingles: Shingles) -> dict[str, float]:
        return self._containment.measure(shingles.hashes, shingles.offsets)

    def _prove_fingerprints(
        self, sequence: int, batch: BatchCommitted, rows: BatchRows, prints: Fingerprints
    ) -> None:
        places = {index: number for number, index in enumerate(rows.index)}
        for ref in batch.data:
            table = read_shard(self._store, ref, ["index", *_FINGERPRINTS])
            stored, indices = _stored(ref, table), table["index"].to_pylist()
            of = [places[index] for index in indices]
            for name in _FINGERPRINTS:
                stored_rows, found = getattr(stored, name), getattr(prints, name)[of]
                same = (stored_rows == found).reshape(len(of), -1).all(axis=1)
                if not same.all():
                    which = rows.sample_id[of[int(np.argmin(same))]]
                    raise CorruptCorpus(
                        f"log entry {sequence}: sample {which} in {ref.key}: its {name} is not "
                        "that of its text"
                    )
            self.fingerprints += len(of)

    def _prove_checks(
        self,
        sequence: int,
        batch: BatchCommitted,
        rows: BatchRows,
        checks: Sequence[Check],
        trusted: Set[str],
    ) -> None:
        stored = self._columns([*batch.data, *batch.dropped])
        doubtful = any(check.code in trusted for check in checks)
        columns = (rows.index, rows.sample_id, rows.outcome, rows.reason, rows.text)
        for index, name, outcome, reason, text in zip(*columns, strict=True):
            row = stored[index]
            recorded = (outcome, reason, row["checks"] or ())
            found = wrong_verdict(
                checks, text, row["finish_reason"] or "", recorded, trusted, self._rule
            )
            if found:
                raise CorruptCorpus(
                    f"log entry {sequence}: sample {name} is {outcome} ({reason or 'passed'}), but "
                    f"its text is {found}"
                )
            self.rechecked += 1
            self.trusted += doubtful

    def _columns(self, refs: Sequence[ObjectRef]) -> Mapping[int, Mapping[str, Any]]:
        tables = [read_shard(self._store, ref, _JUDGED).to_pylist() for ref in refs]
        return {row["index"]: row for table in tables for row in table}

    def _prove_clean(
        self, sequence: int, rows: BatchRows, shingles: Mapping[int, Shingles], words: Words
    ) -> None:
        found = contamination(self._evaluations, shingles, words)
        columns = (rows.sample_id, rows.outcome, rows.reason)
        for number, (name, outcome, reason) in enumerate(zip(*columns, strict=True)):
            recorded = outcome == "rejected" and reason == CONTAMINATED
            judged = recorded or outcome in ("accepted", "duplicate")
            if judged and recorded != (number in found):
                holds = found.get(number, "nothing of any evaluation set")
                raise CorruptCorpus(
                    f"log entry {sequence}: sample {name} is {outcome} ({reason}), but holds {holds}"
                )

    def _prove_dedup(
        self,
        sequence: int,
        batch: BatchCommitted,
        rows: BatchRows,
        prints: Fingerprints,
        dedup: DedupSpec,
    ) -> None:
        ordinal, terms = batch.ordinal, (dedup.threshold, dedup.seed)
        similarities = self._similarities(batch.dropped)
        columns = (rows.index, rows.sample_id, rows.outcome, rows.reason, rows.duplicate_of)
        for number, (index, name, outcome, reason, of) in enumerate(zip(*columns, strict=True)):
            if outcome not in ("accepted", "duplicate"):
                continue
            keys, signature = prints.keys[number].tolist(), prints.signature[number].tobytes()
            found = self._replay.judge(keys, signature, batch.generation, terms)
            recorded = (
                KEPT
                if outcome == "accepted"
                else DedupOutcome(of, reason, similarities[index] or 0.0)
            )
            if not _agree(recorded, found):
                raise CorruptCorpus(
                    f"log entry {sequence}: sample {name} is {_described(recorded)}; replayed from texts "
                    f"alone it is {_described(found)}"
                )
            if found == KEPT:
                self._replay.keep(ordinal, name, batch.generation, keys, signature)
                ordinal += 1
            self.verdicts += 1

    def _similarities(self, refs: Sequence[ObjectRef]) -> dict[int, float | None]:
        tables = [read_shard(self._store, ref, ["index", "similarity"]) for ref in refs]
        return {row["index"]: row["similarity"] for table in tables for row in table.to_pylist()}


def _prove_marks(sequence: int, batch: BatchCommitted, rows: BatchRows, grown: Grown) -> None:
    recipe, rules = grown
    if f"{REASONING} {number_of(rules, REASONING)}" in unknown_rules(rules):
        return
    pairs = zip(rows.text, rows.outcome, strict=True)
    texts = [text for text, outcome in pairs if outcome == "accepted"]
    found = marked(texts, recipe.engine.reasoning) if counts_marks(rules) else {}
    if found != batch.marked:
        raise CorruptCorpus(
            f"log entry {sequence}: its markers of traces are {batch.marked}, its texts hold {found}"
        )


def _stored(ref: ObjectRef, table: pa.Table) -> Fingerprints:
    """The fingerprint columns; raises CorruptCorpus where one is missing or has another width."""
    widths = {"keys": 8 * KEYS, "signature": SIGNATURE_BYTES}
    for name in _FINGERPRINTS:
        column = table[name]
        wide = name not in widths or all(len(v or b"") == widths[name] for v in column.to_pylist())
        if column.null_count or not wide:
            raise CorruptCorpus(f"{ref.key} has rows without a whole {name}")
    return fingerprints_of(table)


def _agree(recorded: DedupOutcome, found: DedupOutcome) -> bool:
    close = isclose(recorded.similarity, found.similarity, abs_tol=1e-6)
    return (recorded.name, recorded.reason) == (found.name, found.reason) and close


def _described(recorded: DedupOutcome) -> str:
    if not recorded.name:
        return "kept"
    return f"a duplicate ({recorded.reason}, {recorded.similarity:.3f}) of {recorded.name}"
