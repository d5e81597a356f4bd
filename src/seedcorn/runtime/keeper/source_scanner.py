"""Brings a source's documents into index, containment and the ledger's history, chunk by chunk.

Memory is one chunk of rows, whatever the source's size; the index itself grows by what
`seedcorn plan` prints.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.dedup.containment import LENGTH as CONTAINMENT_LENGTH
from seedcorn.core.dedup.containment import Containment
from seedcorn.core.dedup.decontamination import EvaluationSet, evaluation_set
from seedcorn.core.dedup.sealing import tags
from seedcorn.core.ledger.ledger import SEED_SKETCH
from seedcorn.core.log.entries import Measurement, ObjectRef
from seedcorn.core.log.state import Source
from seedcorn.core.recipe import StoreSpec
from seedcorn.core.sketch.sketch import HEADLINE, LENGTHS, batch_delta, limit
from seedcorn.core.text.fingerprint import KEYS, fingerprint_words
from seedcorn.core.text.shingles import Shingles, below, shingles_of, subset
from seedcorn.core.text.words import TextRule, Words, read_words
from seedcorn.runtime.keeper.index_client import IndexClient
from seedcorn.storage.log.sketches import write_delta
from seedcorn.storage.samples.batches import texts_view
from seedcorn.storage.seeds.catalogue import Catalogue
from seedcorn.storage.seeds.reader import ScanBatch, SeedReader
from seedcorn.storage.stores.store import Store

CHUNK_ROWS = 8192
"""Rows fingerprinted at once; one sketch file stays at a few megabytes."""


@dataclass(slots=True)
class SketchWriter:
    """Writes the sketch of one source as a series of files, thinning as it grows."""

    store: Store
    fingerprints: int
    rate: float
    fingerprints_so_far: float = 0.0
    objects: list[ObjectRef] = field(default_factory=list)

    def add(self, shingles: dict[int, Shingles], usable: NDArray[np.bool_]) -> None:
        """One chunk. The rate halves once the files together hold too many hashes."""
        thinned = {length: below(part, limit(self.rate)) for length, part in shingles.items()}
        strata = np.zeros(len(usable), dtype=np.uint8)
        delta = batch_delta(thinned, usable, usable, strata, self.rate)
        self.objects.append(write_delta(self.store, delta, self.rate))
        rows = delta.rows(HEADLINE)
        self.fingerprints_so_far += rows.stop - rows.start
        while self.fingerprints_so_far > self.fingerprints:
            self.rate, self.fingerprints_so_far = self.rate / 2, self.fingerprints_so_far / 2


class SourceScanner:
    """Scans sources of one corpus."""

    def __init__(
        self,
        store: Store,
        store_spec: StoreSpec,
        index: IndexClient,
        containment: Containment,
        advance: Callable[[int], None],
        rule: TextRule,
    ) -> None:
        """`advance` is told how many more rows are done; texts are read by `rule`."""
        self._store, self._spec, self._index = store, store_spec, index
        self._containment, self._advance, self._rule = containment, advance, rule

    def scan(self, source: Source, indexed: bool, sketch: SketchWriter | None) -> dict[str, int]:
        """Read a source once; returns its unusable rows by problem.

        `indexed`: samples must not repeat it. `sketch`: also write its shingles for the ledger.
        """
        problems: Counter[str] = Counter()
        for batch in self._batches(source):
            words = read_words(*texts_view(batch.texts), self._rule)
            if indexed:
                self._insert(words, batch, source.ordinal)
            self._learn(words, batch.usable, sketch)
            problems.update(batch.problems)
            self._advance(len(batch.usable))
        return dict(problems)

    def evaluation_set(self, source: Source) -> EvaluationSet:
        """The shingle hashes of an evaluation set, which is small enough to hold."""
        batches = self._batches(source)
        documents = ((read_words(*texts_view(b.texts), self._rule), b.usable) for b in batches)
        return evaluation_set(source.name, documents)

    def _batches(self, source: Source) -> Iterator[ScanBatch]:
        catalogue = Catalogue.from_dict(source.catalogue)
        return SeedReader(catalogue, self._store, self._spec).scan(CHUNK_ROWS)

    def _insert(self, words: Words, batch: ScanBatch, ordinal: int) -> None:
        prints = fingerprint_words(words)
        first = ordinal + batch.first_ordinal
        ordinals = np.arange(first, first + len(batch.usable), dtype=np.int64)
        self._index.put_witnesses(first, prints.signature, tags(0, ordinals))
        usable = batch.usable
        self._index.insert(prints.keys[usable].ravel(), np.repeat(ordinals[usable], KEYS))

    def _learn(self, words: Words, usable: NDArray[np.bool_], sketch: SketchWriter | None) -> None:
        lengths = LENGTHS if sketch is not None else (CONTAINMENT_LENGTH,)
        shingles = {length: subset(shingles_of(words, length), usable) for length in lengths}
        part = shingles[CONTAINMENT_LENGTH]
        self._containment.measure(part.hashes, part.offsets)
        if sketch is not None:
            sketch.add(shingles, np.ones(int(usable.sum()), dtype=bool))


def measurement(source: Source, sketch: SketchWriter, problems: dict[str, int]) -> Measurement:
    """What the log records about a scanned source."""
    subject = {"sequence": source.sequence, "role": source.role, "source": source.name}
    return Measurement(
        SEED_SKETCH, subject, {"rows": source.rows, "problems": problems}, sketch.objects
    )
