"""What the documents of a policy say so far: all that a forecast reads."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DEEP = 4096
"""Occurrences from here on are one class: a fingerprint in so many documents was never unseen."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What a policy's documents so far say about its next ones."""

    samples: int
    """N: documents generated under the policy, those without an accepted text included."""
    occurrences: NDArray[np.int64]
    """[Q_1, Q_2, ...] in the sample; those in `DEEP` or more documents stand together in Q_DEEP."""
    q_sum: int
    """Sum over documents of q_d, the fingerprints that occur in document d alone."""
    q_squares: int
    """Sum of q_d squared: what says how unequal documents are."""
    rate: float
    """Sample rate s of the fingerprints."""
    curve: tuple[tuple[int, float], ...] = ()
    """(N, estimate of U) after each batch."""
    incidences: int = 0
    """Sum over fingerprints of the documents they occur in; 0: take it from `occurrences`."""

    @property
    def seen(self) -> int:
        """Fingerprints counted once per document that holds them."""
        counts = self.occurrences
        return self.incidences or int(counts @ np.arange(1, len(counts) + 1))
