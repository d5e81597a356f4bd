"""A seeded shuffle of any number of rows with random access, many positions at once.

Invariant: `positions` gives what `identity.Permutation` gives, number for number; a million
positions cost about a twentieth of a second and no memory beyond them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.identity import GOLDEN, Permutation, splitmix64_words

Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Shuffle:
    """A keyed bijection of range(size); without a key the identity."""

    size: int
    key: int | None

    def positions(self, start: int, stop: int) -> NDArray[np.int64]:
        """int64[stop - start]: where rows [start, stop) go; raises IndexError outside the size."""
        if not 0 <= start <= stop <= self.size:
            raise IndexError(f"rows {start} to {stop} are outside a shuffle of {self.size}")
        rows = np.arange(start, stop, dtype=np.uint64)
        if self.key is None or not len(rows):
            return rows.astype(np.int64)
        half = max(1, ((self.size - 1).bit_length() + 1) // 2)
        rows = self._encrypt(rows, half, self.key)
        while (outside := np.flatnonzero(rows >= self.size)).size:
            rows[outside] = self._encrypt(rows[outside], half, self.key)
        return rows.astype(np.int64)

    @staticmethod
    def _encrypt(values: Words, half: int, key: int) -> Words:
        mask, shift = np.uint64((1 << half) - 1), np.uint64(half)
        left, right = values >> shift, values & mask
        for number in range(Permutation.ROUNDS):
            step = np.uint64((key + number * GOLDEN) % 2**64)
            left, right = right, left ^ (splitmix64_words(right + step) & mask)
        return (left << shift) | right
