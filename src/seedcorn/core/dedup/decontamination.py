"""Evaluation items inside longer texts, found by shared 8- and 13-word shingles.

MinHash finds none of them (an item is a small share of the text around it), n-gram tables nearly
all: recall .996 with 10 % of the words edited (reference notes, decontamination). Under text rule 2
items too short for that are found whole, see `short_items`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.dedup.short_items import ShortItems, found_items, short_items
from seedcorn.core.figures import counted
from seedcorn.core.text.shingles import Shingles, shingles_of, subset
from seedcorn.core.text.words import TextRule, Words

LENGTHS = (8, 13)
ENOUGH = {8: 3, 13: 1}
"""Shared shingles from which a text is contaminated: one run of 13 words, or of ten."""


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """The distinct shingle hashes of one evaluation set, sorted, by shingle length."""

    name: str
    hashes: Mapping[int, NDArray[np.uint64]]
    short: ShortItems | None = None
    """None under text rule 1, which has no eye for them."""


def evaluation_set(
    name: str, documents: Iterable[tuple[Words, NDArray[np.bool_]]]
) -> EvaluationSet:
    """The set that these documents make, given by their words and by which of them can be used."""
    found: dict[int, list[NDArray[np.uint64]]] = {
        length: [np.zeros(0, np.uint64)] for length in LENGTHS
    }
    read = list(documents)
    for words, usable in read:
        for length, parts in found.items():
            # A shorter text is one shingle of its own: of no use where short items are known whole.
            long = usable if words.rule == TextRule.ONE else usable & (words.counts >= length)
            parts.append(subset(shingles_of(words, length), long).hashes)
    hashes = {n: np.unique(np.concatenate(parts)) for n, parts in found.items()}
    old = any(words.rule == TextRule.ONE for words, _ in read)
    return EvaluationSet(name, hashes, None if old else short_items(read))


def contamination(
    sets: Sequence[EvaluationSet], shingles: Mapping[int, Shingles], words: Words
) -> dict[int, str]:
    """Document position -> what it contains, for every contaminated document, given by all its
    shingles and by its words."""
    found: dict[int, str] = {}
    for evaluation in sets:
        if evaluation.short is not None:
            lengths = found_items(evaluation.short, words)
            for position in np.flatnonzero(lengths):
                detail = (
                    f"{evaluation.name}: a whole item of {counted(int(lengths[position]), 'word')}"
                )
                found.setdefault(int(position), detail)
        for length in LENGTHS:
            hits = _hits(evaluation.hashes[length], shingles[length])
            for position in np.flatnonzero(hits >= ENOUGH[length]):
                detail = f"{evaluation.name}: {hits[position]} shared {length}-word shingles"
                found.setdefault(int(position), detail)
    return found


def _hits(known: NDArray[np.uint64], shingles: Shingles) -> NDArray[np.int64]:
    """Shingles of each document that occur in `known` (sorted)."""
    if len(known) == 0 or len(shingles.hashes) == 0:
        return np.zeros(len(shingles.offsets) - 1, dtype=np.int64)
    at = np.minimum(np.searchsorted(known, shingles.hashes), len(known) - 1)
    running = np.concatenate([[0], np.cumsum(known[at] == shingles.hashes)])
    return running[shingles.offsets[1:]] - running[shingles.offsets[:-1]]
