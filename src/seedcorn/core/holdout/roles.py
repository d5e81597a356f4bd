"""Which clusters are held back, and as what.

Invariant: nothing that could be drawn is ever taken back. A document that joins later and belongs
to a cluster that could be drawn may be drawn; one that belongs to a held cluster is held with it.
"""

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.identity import splitmix64_words, uint64

ROLES = ("anchor", "yardstick", "test")
"""In the order of the hashes: what the limit cuts off is of the test, which has the least to do."""
FREE, OPEN = -1, -2
"""May be drawn; not decided yet."""
_KEY = uint64("holdout")


def assigned(
    names: NDArray[np.uint64], decided: NDArray[np.int8], share: float
) -> NDArray[np.int8]:
    """int8[n]: the place in `ROLES` of each document, FREE where it may be drawn.

    names: the cluster of each; decided: what was said of it before, or OPEN. No more than `share`
    of the open documents is held; a cluster larger than one role's part of that is not: one book
    would be the whole anchor.
    """
    fresh = decided == OPEN
    clusters, place = np.unique(names, return_inverse=True)
    size = np.bincount(place[fresh], minlength=len(clusters))
    role = _known(decided, place, len(clusters))
    chosen = np.flatnonzero(
        (role == OPEN) & (size > 0) & (size * len(ROLES) <= share * fresh.sum())
    )
    part = splitmix64_words(clusters[chosen] ^ np.uint64(_KEY)) / 2.0**64
    order = np.argsort(part, kind="stable")
    within = np.cumsum(size[chosen][order]) <= share * fresh.sum()
    order = order[within & (part[order] < share)]
    role[role == OPEN] = FREE
    thirds = np.minimum(part[order] * len(ROLES) / share if share else 0, len(ROLES) - 1)
    role[chosen[order]] = np.floor(thirds).astype(np.int8)
    return np.where(fresh, role[place], decided).astype(np.int8)


def _known(decided: NDArray[np.int8], place: NDArray[np.intp], clusters: int) -> NDArray[np.int8]:
    """What earlier documents say of each cluster: FREE if any may be drawn, else the first role of
    them, else OPEN."""
    last = np.int8(len(ROLES))
    least = np.full(clusters, last, np.int8)
    known = decided != OPEN
    np.minimum.at(least, place[known], decided[known])
    return np.where(least == last, np.int8(OPEN), least)
