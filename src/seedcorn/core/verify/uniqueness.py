"""Kept means unique, judged: what an independent recheck found against what the line may miss.

A document is a source row, a kept sample or a dropped near duplicate, in rank order. A kept pair is
a pair the line saw and did not drop; how many of those are too many follows from the stated miss
rate of each pair's own similarity.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.verify.recheck import EDGES, Recheck, miss_rate, recheck

SOURCE, KEPT, DROPPED = 0, 1, 2
SIGMAS, ALLOWANCE = 4.0, 2.0
"""More missed pairs than expected + 4 sigma + 2 break the promise: by chance about once in 30,000
honest corpora, while small counts prove nothing."""
GRID = 200
"""Steps per unit of Jaccard at which the miss rate is computed."""


@dataclass(slots=True)
class Documents:
    """What is rechecked, in rank order."""

    texts: list[str] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def add(self, text: str, kind: int, name: str) -> None:
        """One document; `kind` is SOURCE, KEPT or DROPPED."""
        self.texts.append(text)
        self.kinds.append(kind)
        self.names.append(name)


@dataclass(frozen=True, slots=True)
class Uniqueness:
    """Pairs per Jaccard bucket of `EDGES` from the threshold on."""

    documents: int
    buckets: Sequence[tuple[float, float]]
    met: NDArray[np.int64]
    """Pairs of a kept or source document and a later sample."""
    missed: NDArray[np.int64]
    """Of those, pairs whose later sample was kept."""
    allowed: NDArray[np.float64]

    def __str__(self) -> str:
        parts = [
            f"{low:g}-{high:g} {missed}/{met}"
            for (low, high), missed, met in zip(self.buckets, self.missed, self.met, strict=True)
        ]
        return ", ".join(parts)


def prove_unique(documents: Documents, threshold: float, rule: int) -> Uniqueness:
    """Recheck the documents; raises CorruptCorpus naming a pair that should not both be there."""
    found = recheck(documents.texts, rule)
    kinds = np.array(documents.kinds, np.int8)
    _refuse_exact(found, kinds, documents.names)
    first, second = found.pairs[:, 0], found.pairs[:, 1]
    met = (kinds[first] != DROPPED) & (kinds[second] != SOURCE)
    missed = met & (kinds[second] == KEPT)
    rates = _rates(found.jaccard, threshold)
    lows = [number for number, low in enumerate(EDGES[:-1]) if low >= threshold - 1e-9]
    judged = Uniqueness(
        documents=found.documents,
        buckets=[(EDGES[number], EDGES[number + 1]) for number in lows],
        met=_histogram(found.jaccard[met])[lows],
        missed=_histogram(found.jaccard[missed])[lows],
        allowed=_allowed(found.jaccard[met], rates[met])[lows],
    )
    for bucket in np.flatnonzero(judged.missed > judged.allowed):
        low, high = judged.buckets[bucket]
        inside = missed & (found.jaccard >= low) & (found.jaccard <= high)
        worst = int(np.flatnonzero(inside)[np.argmax(found.jaccard[inside])])
        raise CorruptCorpus(
            f"{judged.missed[bucket]} pairs of Jaccard {low:g} to {high:g} were both kept, of "
            f"{judged.met[bucket]} that met; at most {judged.allowed[bucket]:.1f} are explained by "
            f"the stated miss rate. The closest: {documents.names[first[worst]]} and "
            f"{documents.names[second[worst]]} ({found.jaccard[worst]:.3f})"
        )
    return judged


def _refuse_exact(found: Recheck, kinds: NDArray[np.int8], names: Sequence[str]) -> None:
    first_of: dict[int, int] = {}
    for first, later in found.exact.tolist():
        if kinds[first] != DROPPED:
            first_of.setdefault(first, first)
        if first in first_of and kinds[later] == KEPT:
            raise CorruptCorpus(
                f"{names[first_of[first]]} and {names[later]} are exact duplicates, and both are kept"
            )
        if kinds[later] != DROPPED:
            first_of.setdefault(first, later)


def _histogram(jaccard: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.histogram(jaccard, EDGES)[0]


def _allowed(jaccard: NDArray[np.float64], rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Upper end of the missed pairs per bucket: a sum of independent chances, and a margin."""
    expected = np.histogram(jaccard, EDGES, weights=rates)[0]
    variance = np.histogram(jaccard, EDGES, weights=rates * (1 - rates))[0]
    return expected + SIGMAS * np.sqrt(variance) + ALLOWANCE


def _rates(jaccard: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    """Stated miss rate of every pair, at the grid point below it."""
    steps = np.floor(jaccard * GRID).astype(np.int64)
    grid, which = np.unique(steps, return_inverse=True)
    rates = np.array([_rate(step, threshold) for step in grid.tolist()], np.float64)
    return np.clip(rates[which], 0.0, 1.0) if len(grid) else np.empty(0)


@lru_cache(maxsize=2 * GRID)
def _rate(step: int, threshold: float) -> float:
    return miss_rate(step / GRID, threshold)
