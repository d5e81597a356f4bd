"""What a generation teaches, from the counts of a pass and of those before it.

Counts of a source or generation are of all its documents, so they never change; what was withdrawn
since is counted in the pass and subtracted. Invariant: sums of what was counted on other nights and
of what is counted now are those of one pass over everything, bit for bit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pyarrow as pa

from seedcorn.core.companions.companions import Companions, with_lesson
from seedcorn.core.companions.draws import Draw
from seedcorn.core.holdout.held import Held
from seedcorn.core.identity import splitmix64_words
from seedcorn.core.log.entries import ObjectRef
from seedcorn.core.teaching.anchor import Anchor
from seedcorn.core.teaching.table import AnchorTable, Counts
from seedcorn.core.teaching.taught import (
    ANCHOR_DOCUMENTS,
    POOL,
    Material,
    Pool,
    taught,
    too_small,
    unknown,
)
from seedcorn.core.text.words import TextRule
from seedcorn.runtime.worker.history import (
    HISTORY,
    OWN,
    MeasuringJob,
    Passed,
    grown_key,
    source_key,
    withdrawn_key,
)
from seedcorn.storage.log.counts import read_counts, write_counts
from seedcorn.storage.seeds.held_out import held_texts, read_held
from seedcorn.storage.seeds.seeds import Catalogue, SeedReader
from seedcorn.storage.stores.store import Store


@dataclass(frozen=True, slots=True, eq=False)
class LessonBook:
    """What is known before the pass, and what becomes of it after."""

    job: MeasuringJob
    store: Store
    anchor: Anchor | None
    why: str
    """Why there is none."""
    known: Mapping[str, Counts]
    """Counts of earlier measurements."""
    held: Held
    """Rows of the seed that are held back."""

    @classmethod
    def of(cls, store: Store, job: MeasuringJob, rule: TextRule) -> "LessonBook":
        """Read the anchor, and what was counted for it."""
        held = read_held(store, job.generation.held)
        pool = _pool(store, job, job.anchor, held.of("anchor"), ANCHOR_DOCUMENTS)
        texts, clusters = [text for _, text in pool], [cluster for cluster, _ in pool]
        if why := too_small(texts, clusters):
            return cls(job, store, None, why, {}, held)
        anchor = Anchor.of(texts, rule, clusters)
        known = read_counts(store, job.counts, anchor.table)
        return cls(job, store, anchor, "", known, held)

    @property
    def table(self) -> AnchorTable | None:
        """What counts."""
        return self.anchor.table if self.anchor is not None else None

    def kept(self, passed: Passed) -> dict[str, ObjectRef]:
        """What the pass counted of whole sources and generations, as objects."""
        names = {source_key(source) for source in self.job.sources}
        names |= {grown_key(g) for g in self._generations}
        return {
            name: write_counts(self.store, counts)
            for name, counts in sorted(passed.counts.items())
            if name in names
        }

    def added(self, values: Companions, passed: Passed) -> Companions:
        """The companions with what the generation taught."""
        if self.anchor is None:
            return with_lesson(values, unknown(self.why))
        *earlier, own = [self._net(passed, g) for g in self._generations]
        seed = [self._of(passed, source_key(source)) for source in self.job.sources]
        material = Material(
            anchor=self.anchor,
            history=[reduce(add, seed, self.anchor.table.none()), *earlier],
            generation=own,
            own=passed.draws[OWN].rows,
            placebo=passed.draws[HISTORY].rows,
            yardstick=_pool(
                self.store, self.job, self.job.yardstick, self.held.of("yardstick"), POOL
            ),
        )
        fingerprint = self.anchor.table.fingerprint.hex()
        found = with_lesson(values, taught(material))
        return {**found, "anchor": {"fingerprint": fingerprint, "sequence": self.job.sequence}}

    @property
    def _generations(self) -> list[int]:
        return [*sorted(self.job.generation.ancestors), self.job.generation.generation]

    def _net(self, passed: Passed, generation: int) -> Counts:
        """Of what stands of a generation."""
        whole = self._of(passed, grown_key(generation))
        return whole - self._of(passed, withdrawn_key(generation))

    def _of(self, passed: Passed, name: str) -> Counts:
        none = self.anchor.table.none() if self.anchor is not None else None
        found = self.known.get(name) or passed.counts.get(name) or none
        if found is None:
            raise ValueError("counts without an anchor")
        return found


def _pool(
    store: Store, job: MeasuringJob, given: Sequence[dict[str, Any]], held: Held, most: int
) -> Pool:
    """Text that the recipe names, else what of the seed is held back for it: at most so many
    documents, in the order of their clusters."""
    if given:
        return _drawn(store, job, given, most)
    texts = held_texts(store, job.generation.recipe.store, job.sources, held.drawn(most))
    ranks = splitmix64_words(np.array([cluster for _, cluster in texts], np.uint64))
    return Draw(most).with_ranks(ranks, lambda row: texts[row][0]).rows


def _drawn(
    store: Store, job: MeasuringJob, catalogues: Sequence[dict[str, Any]], most: int
) -> Pool:
    """(hash, text) of at most so many documents of held-out sources; each is a cluster."""
    opened = [Catalogue.from_dict(catalogue) for catalogue in catalogues]
    draw = Draw.of(most, sum(catalogue.rows for catalogue in opened))
    for catalogue in opened:
        reader = SeedReader(catalogue, store, job.generation.recipe.store)
        for batch in reader.scan():
            rows = np.flatnonzero(batch.usable)
            texts = batch.texts.filter(pa.array(batch.usable))
            draw = draw.with_rows(
                catalogue.source,
                batch.first_ordinal + rows,
                lambda row, held=texts: held[row].as_py(),
            )
    return draw.rows
