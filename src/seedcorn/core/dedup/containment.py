"""How much of a document occurs, in order, in earlier documents, whatever its cut points.

MinHash calls a copy with shifted cut points new; shared shingles do not. About one 8-word shingle
in sixteen (those whose hash has its low four bits zero) is remembered for ever at that fixed rate,
unlike the ledger's sample, which thins out as it grows. Measured, not a gate.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

SAMPLE_BITS = np.uint64(15)
"""A shingle is in the sample iff hash & 15 == 0: disjoint from the ledger's top-bit sampling."""
LENGTH = 8
_LOAD = 0.6


@njit(cache=True, nogil=True)
def _place(table: np.ndarray, value: Any) -> Any:
    mask = np.uint64(len(table) - 1)
    slot = (value >> np.uint64(4)) & mask
    while table[slot] != 0 and table[slot] != value:
        slot = (slot + np.uint64(1)) & mask
    return slot


@njit(cache=True, nogil=True)
def _measure(
    table: np.ndarray, hashes: np.ndarray, offsets: np.ndarray, totals: np.ndarray, learn: bool
) -> int:
    """Score each document against the table, then add it. totals: shingles, seen, docs, half."""
    added = 0
    for document in range(len(offsets) - 1):
        sampled = seen = 0
        for at in range(offsets[document], offsets[document + 1]):
            value = hashes[at]
            if value & SAMPLE_BITS == 0 and value != 0:
                sampled += 1
                seen += table[_place(table, value)] == value
        if sampled > 0:
            totals += np.array([sampled, seen, 1, 2 * seen >= sampled])
        if not learn:
            continue
        for at in range(offsets[document], offsets[document + 1]):
            value = hashes[at]
            if value & SAMPLE_BITS == 0 and value != 0:
                slot = _place(table, value)
                added += table[slot] == 0
                table[slot] = value
    return added


class Containment:
    """The set of sampled shingles of everything kept so far."""

    def __init__(self, table: NDArray[np.uint64] | None = None) -> None:
        """Empty, or from a snapshot's table."""
        self._table = np.zeros(1 << 12, dtype=np.uint64) if table is None else table.copy()
        self._count = int((self._table != 0).sum())

    def measure(self, hashes: NDArray[np.uint64], offsets: NDArray[np.int64]) -> dict[str, float]:
        """Score documents in order, each against all before it, and remember them.

        Takes all 8-word shingles of each document. Returns sums that add up over batches:
        `shingles` sampled, `seen` of them known before, `documents` scored, `half` of those with
        at least half of their sample known.
        """
        self._reserve(int(np.count_nonzero(hashes & SAMPLE_BITS == 0)))
        totals = np.zeros(4, dtype=np.int64)
        self._count += _measure(self._table, hashes, offsets, totals, True)
        names = ("shingles", "seen", "documents", "half")
        return {name: float(value) for name, value in zip(names, totals, strict=True)}

    def snapshot(self) -> NDArray[np.uint64]:
        """The table, for a checkpoint."""
        return self._table

    def _reserve(self, more: int) -> None:
        needed = (self._count + more + 16) / _LOAD
        if needed <= len(self._table):
            return
        occupied = self._table[self._table != 0]
        self._table = np.zeros(1 << int(np.ceil(np.log2(needed))), dtype=np.uint64)
        offsets = np.array([0, len(occupied)], dtype=np.int64)
        _measure(self._table, occupied, offsets, np.zeros(4, dtype=np.int64), True)
