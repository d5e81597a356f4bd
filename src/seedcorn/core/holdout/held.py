"""What is held back of a corpus' seed: which rows, as what, of which cluster; and whether it is enough.

Rows go by the ordinals that the log gives them, ascending. Of ten million documents a tenth held
takes 17 MB.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.holdout.clusters import Documents, clusters
from seedcorn.core.holdout.roles import FREE, OPEN, ROLES, assigned
from seedcorn.core.identity import splitmix64_words, uint64
from seedcorn.core.log.state import CorpusState, Source

ANCHOR_DOCUMENTS = 300
YARDSTICK_WORDS = 50_000
"""With less, what a generation teaches cannot be told from chance."""
_DRAW = uint64("draw of the hold-out")
DECIDES = "sources"
"""Key of a measurement's subject: the `seed_added` entries whose rows it decides on."""


@dataclass(frozen=True, slots=True)
class Held:
    """Rows held back, in the order of their ordinals."""

    ordinals: NDArray[np.int64]
    roles: NDArray[np.int8]
    """Places in `ROLES`."""
    clusters: NDArray[np.uint64]

    def of(self, role: str) -> "Held":
        """Those of one role."""
        return self._where(self.roles == ROLES.index(role))

    def drawn(self, most: int) -> "Held":
        """A fair draw of at most so many of them."""
        ranks = splitmix64_words(self.ordinals.astype(np.uint64) + np.uint64(_DRAW))
        chosen = np.zeros(len(ranks), bool)
        chosen[np.argsort(ranks, kind="stable")[:most]] = True
        return self._where(chosen)

    def within(self, first: int, rows: int) -> "Held":
        """Those among `rows` rows from ordinal `first` on, counted from there."""
        part = self._where((self.ordinals >= first) & (self.ordinals < first + rows))
        return Held(part.ordinals - first, part.roles, part.clusters)

    def _where(self, chosen: NDArray[np.bool_]) -> "Held":
        return Held(self.ordinals[chosen], self.roles[chosen], self.clusters[chosen])


def together(parts: Sequence[Held]) -> Held:
    """All of it, in the order of the ordinals."""
    ordinals = np.concatenate([np.zeros(0, np.int64), *(part.ordinals for part in parts)])
    order = np.argsort(ordinals)
    roles = np.concatenate([np.zeros(0, np.int8), *(part.roles for part in parts)])
    named = np.concatenate([np.zeros(0, np.uint64), *(part.clusters for part in parts)])
    return Held(ordinals[order], roles[order], named[order])


def hold_out(
    documents: Documents, undecided: Sequence[range], before: Held, share: float
) -> tuple[Held, dict[str, Any]]:
    """What is held back of the rows in `undecided` (ranges of ordinals), and the figures of it.

    `before` is what was held back of the other rows of `documents`.
    """
    decided = np.full(len(documents), FREE, np.int8)
    for rows in undecided:
        inside = (documents.ordinals >= rows.start) & (documents.ordinals < rows.stop)
        decided[inside] = OPEN
    _, known, of_before = np.intersect1d(
        documents.ordinals, before.ordinals, assume_unique=True, return_indices=True
    )
    decided[known] = before.roles[of_before]
    named = clusters(documents)
    roles = assigned(named, decided, share)
    chosen = np.flatnonzero((decided == OPEN) & (roles >= 0))
    chosen = chosen[np.argsort(documents.ordinals[chosen])]
    held = Held(documents.ordinals[chosen], roles[chosen], named[chosen])
    figures = _figures(held, documents.words[chosen])
    return held, {"seed_documents": int((decided == OPEN).sum()), **figures}


def _figures(held: Held, words: NDArray[np.int32]) -> dict[str, dict[str, int]]:
    """Documents, words and clusters by role."""
    places = {role: held.roles == place for place, role in enumerate(ROLES)}
    return {
        "documents": {role: int(of.sum()) for role, of in places.items()},
        "words": {role: int(words[of].sum()) for role, of in places.items()},
        "clusters": {role: len(np.unique(held.clusters[of])) for role, of in places.items()},
    }


def undecided(state: CorpusState, seeds: Sequence[Source]) -> list[Source]:
    """Those of the sources of which nothing is decided: no generation that could draw from them was
    begun and kept, or given up when it had samples."""
    begun = (g.sequence for g in state.generations.values() if g.batches or not g.abandoned)
    started = max(begun, default=-1)
    said = {number for body in state.held for number in body.subject[DECIDES]}
    return [seed for seed in seeds if seed.sequence > started and seed.sequence not in said]


def shortfall(measured: Sequence[Mapping[str, Any]]) -> str:
    """Why what is held back does not suffice, in a sentence; empty where it does. `measured` are
    the values of a corpus' measurements."""
    anchor = sum(values["documents"]["anchor"] for values in measured)
    yardstick = sum(values["words"]["yardstick"] for values in measured)
    missing = []
    if anchor < ANCHOR_DOCUMENTS:
        missing.append(f"{anchor:,} of {ANCHOR_DOCUMENTS} anchor documents")
    if yardstick < YARDSTICK_WORDS:
        missing.append(f"{yardstick:,} of {YARDSTICK_WORDS:,} yardstick words")
    if not missing:
        return ""
    return (
        f"the hold-out has {' and '.join(missing)}; name text of your own under `ledger.anchor` and "
        "`ledger.yardstick`, or grow from a larger seed"
    )
