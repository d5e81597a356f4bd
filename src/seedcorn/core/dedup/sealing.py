"""Sealing a batch: its range, which staged row counts, what witnesses are called, what is counted.

Several segments may hold the same index (a hedge, a retry after a lost acknowledgement). The row
with the lowest content hash wins, so the choice depends on texts alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.identity import sample_id
from seedcorn.core.log.state import Source
from seedcorn.core.row_names import numbered
from seedcorn.core.sample import OUTCOMES
from seedcorn.core.scheduling.leasing import Cut

HELD_OUT = "heldout"
"""Relation to a row of the seed that is held back: the writer knew it beforehand."""
WITHDRAWN = "withdrawn"
"""Relation of a copy to a sample that was taken back: it must not come back."""
TAG_INDEX_BITS = 48
"""A witness' tag is generation << 48 | plan index; generation 0 holds source row ordinals."""


@dataclass(frozen=True, slots=True)
class SealRequest:
    """One batch to deduplicate and write: its range, and the segments that count."""

    generation: int
    batch: int
    first_unit: int
    last_unit: int
    first_index: int
    last_index: int
    ordinal: int
    segments: tuple[str, ...]

    @classmethod
    def of(
        cls, generation: int, cut: Cut, batch: int, ordinal: int, segments: Sequence[str]
    ) -> "SealRequest":
        """The request for one batch of a generation that is cut like this."""
        units = cut.units_of(batch)
        first, last = cut.indices(units[0])[0], cut.indices(units[-1])[-1]
        return cls(generation, batch, units[0], units[-1], first, last, ordinal, tuple(segments))


def winners(
    index: NDArray[np.int64], content_hash: NDArray[np.uint64], first: int, last: int
) -> NDArray[np.int64]:
    """Rows that count, one per plan index of [first, last], in plan order.

    Raises CorruptCorpus when an index has no row: such a batch must not be sealed.
    """
    order = np.lexsort((content_hash, index))
    ordered = index[order]
    lead = np.ones(len(ordered), dtype=bool)
    lead[1:] = ordered[1:] != ordered[:-1]
    rows = order[lead & (ordered >= first) & (ordered <= last)]
    if len(rows) != last - first + 1:
        missing = sorted(set(range(first, last + 1)) - set(index.tolist()))
        raise CorruptCorpus(
            f"samples {missing[:3]} of a batch are in no staged segment, though they were reported "
            "as staged; something deleted objects under staging/"
        )
    return rows


def tags(generation: int, index: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Witness tags of the samples with these plan indices (generation 0: source rows)."""
    return np.uint64(generation << TAG_INDEX_BITS) | index.astype(np.uint64)


@dataclass(frozen=True, slots=True)
class Ancestry:
    """Names documents by index ordinal and tag."""

    sources: Sequence[Source]
    """Reference and seed sources in ordinal order."""
    fingerprints: Mapping[int, str]
    """Recipe fingerprint of each generation."""
    rules: Mapping[str, int]
    """Of the corpus, by which rows are named."""
    held: Set[int] = frozenset()
    """Ordinals of the seed's rows that are held back."""
    withdrawn: Set[str] = frozenset()
    """Ids of samples that were taken back: their copies are told apart from others."""

    def name(self, ordinal: int, label: int, generation: int) -> tuple[str, str]:
        """(relation, document) of the witness with this ordinal and tag `label`.

        The relation is to a sample of `generation`: seed | heldout | reference | earlier | same |
        withdrawn. A source row goes by its number, a sample by its id.
        """
        of_generation, index = label >> TAG_INDEX_BITS, label & ((1 << TAG_INDEX_BITS) - 1)
        if of_generation:
            name = sample_id(self.fingerprints[of_generation], of_generation, index)
            relation = "same" if of_generation == generation else "earlier"
            return WITHDRAWN if name in self.withdrawn else relation, name
        for source in self.sources:
            if source.ordinal <= ordinal < source.ordinal + source.rows:
                relation = HELD_OUT if ordinal in self.held else source.role
                return relation, numbered(source.name, ordinal - source.ordinal, self.rules)
        raise CorruptCorpus(f"index ordinal {ordinal} belongs to no source in the log")


def tally(
    outcomes: Sequence[str], reasons: Sequence[str], strata: Sequence[str], tokens: Sequence[int]
) -> tuple[dict[str, int], dict[str, int], dict[str, dict[str, int]]]:
    """Counts by outcome, by `outcome:reason`, and by stratum (with accepted `tokens` and all
    `generated` ones)."""
    counts = Counter(dict.fromkeys(OUTCOMES, 0))
    counts.update(outcomes)
    named = Counter(f"{o}:{r}" for o, r in zip(outcomes, reasons, strict=True) if r)
    table: dict[str, Counter[str]] = {}
    for stratum, outcome, count in zip(strata, outcomes, tokens, strict=True):
        row = table.setdefault(stratum, Counter())
        row[outcome] += 1
        row["tokens"] += count if outcome == "accepted" else 0
        row["generated"] += count
    return dict(counts), dict(sorted(named.items())), {k: dict(v) for k, v in table.items()}
