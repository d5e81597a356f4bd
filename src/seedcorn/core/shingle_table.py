"""One row per shingle hash in a compiled open-addressing table.

Slots follow the order of the hashes, so that merging a sorted delta walks through memory once. That
needs hashes whose top bits are uniform, which sampling by hash needs anyway.

Rows merge as a commutative monoid: the earliest moment wins and takes its strata along, strata of
equal moments unite, counts add up. Adding a batch, withdrawing, growing, thinning and restoring are
therefore one kernel, and no order of operations can change the contents.

A *moment* orders what the log says: 2g for samples accepted in generation g, 2g + 1 for seed rows
logged while g was the last generation started. So a seed that grows during g is history from g + 1
on and takes nothing away from g.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seedcorn.core.recipe import MAX_STRATA

ROW = np.dtype(
    [
        ("key", np.uint64),
        ("strata", np.uint64),
        ("first", np.uint32),
        ("accepted", np.uint32),
        ("verified", np.uint32),
        ("withdrawn", np.uint32),
    ]
)
"""32 bytes: hash, strata of the first moment (one bit each), first moment, document counts."""
EMPTY = 0xFFFFFFFF
"""`first` of a slot that holds nothing."""
UNSEEN = 0xFFFFFFFE
"""`first` of a shingle that no accepted sample and no seed holds: duplicates only."""
LOAD = 0.7
"""Share of slots in use at which a table doubles; linear probing degrades quickly beyond."""
GROSS, NET = 0, 1
"""Rows of a tally: every novel shingle, and those that withdrawals left."""
TOTAL, STRATUM, EXCLUSIVE = 0, 1, 1 + MAX_STRATA
"""Columns of a tally: the total, then one per stratum, then one per stratum for its own part."""
_COLUMNS = 1 + 2 * MAX_STRATA
_EMPTY = np.uint32(EMPTY)
_UNSEEN = np.uint32(UNSEEN)
_ONE = np.uint64(1)


class ShingleTable:
    """Rows of one shingle length, and how many are novel per generation, kept as they change.

    Memory: 32 bytes per slot, 46 to 91 bytes per hash held at loads between .7 and .35.
    """

    def __init__(self) -> None:
        self._slots = _blank(1 << 10)
        self._tally = np.zeros((2, 1, _COLUMNS), np.int64)
        self._size = 0
        self._limit = 2**64

    def __len__(self) -> int:
        """Hashes held."""
        return self._size

    @property
    def bytes(self) -> int:
        """Memory of the slots."""
        return self._slots.nbytes

    def merge(self, rows: NDArray) -> int:
        """Merge ROW rows in, ordered by key if speed matters, those beyond the limit left out.

        Returns how many rows withdrew more documents than were accepted (0: sound).
        """
        last = int(rows["first"][rows["first"] < UNSEEN].max(initial=0)) // 2
        self._reserve(self._size + len(rows), last + 1)
        fresh, overdrawn = _merge(self._slots, self._tally, rows, np.uint64(self._limit - 1))
        self._size += fresh
        return overdrawn

    def thin(self, limit: int) -> None:
        """Forget every hash that is not below `limit`, now and later."""
        self._limit = min(limit, self._limit)
        self._rebuild(len(self._slots))

    def below(self, limit: int) -> int:
        """How many of the hashes held are below `limit`."""
        held = self._slots["first"] != _EMPTY
        return int(np.count_nonzero(held & (self._slots["key"] <= np.uint64(limit - 1))))

    def moments(self, keys: NDArray[np.uint64]) -> NDArray[np.uint32]:
        """First moment of each key; above every moment for duplicates only, and for unknown keys."""
        return _moments(self._slots, keys, np.uint64(self._limit - 1))

    def rows(self) -> NDArray:
        """All rows in order of hash, as ROW records."""
        kept = self._slots[self._slots["first"] != _EMPTY]
        return kept[np.argsort(kept["key"])]

    def novel(self, generation: int, row: int) -> NDArray[np.int64]:
        """The tally of one generation: GROSS or NET, columns TOTAL, STRATUM+s, EXCLUSIVE+s."""
        if generation >= self._tally.shape[1]:
            return np.zeros(_COLUMNS, np.int64)
        return self._tally[row, generation].copy()

    def _reserve(self, rows: int, generations: int) -> None:
        known = self._tally.shape[1]
        if generations > known:
            more = max(generations, 2 * known) - known
            self._tally = np.pad(self._tally, ((0, 0), (0, more), (0, 0)))
        slots = len(self._slots)
        while rows > LOAD * slots:
            slots *= 2
        if slots > len(self._slots):
            self._rebuild(slots)

    def _rebuild(self, slots: int) -> None:
        old, self._slots = self._slots, _blank(slots)
        self._tally = np.zeros_like(self._tally)
        self._size, _ = _merge(self._slots, self._tally, old, np.uint64(self._limit - 1))


def _blank(slots: int) -> NDArray:
    table = np.zeros(slots, ROW)
    table["first"] = EMPTY
    return table


@njit(cache=True, nogil=True)
def _place(slots, key, left, right):  # noqa: ANN001, ANN202
    """The slot of a key, or the empty one where it belongs."""
    last = len(slots) - 1
    slot = np.int64((key << left) >> right)
    while slots[slot]["first"] != _EMPTY and slots[slot]["key"] != key:
        slot = (slot + 1) & last
    return slot


@njit(cache=True, nogil=True)
def _account(tally, slots, slot, sign):  # noqa: ANN001, ANN202
    """Add or remove what one slot contributes to the tally."""
    held = slots[slot]
    moment = held["first"]
    if moment == _UNSEEN or moment & np.uint32(1):
        return
    generation = np.int64(moment >> np.uint32(1))
    for row in range(2 if held["accepted"] > held["withdrawn"] else 1):
        columns = tally[row, generation]
        columns[TOTAL] += sign
        strata = held["strata"]
        alone = strata & (strata - _ONE) == np.uint64(0)
        stratum = 0
        while strata != np.uint64(0):
            if strata & _ONE:
                columns[STRATUM + stratum] += sign
                columns[EXCLUSIVE + stratum] += sign if alone else 0
            strata >>= _ONE
            stratum += 1


@njit(cache=True, nogil=True)
def _shifts(slots, highest):  # noqa: ANN001, ANN202
    """Shifts that spread keys up to `highest` in order over a power of two of slots."""
    left, right = np.uint64(0), np.uint64(64)
    while highest << left < np.uint64(1 << 63):
        left += _ONE
    while np.int64(1) << np.int64(np.uint64(64) - right) < len(slots):
        right -= _ONE
    return left, right


@njit(cache=True, nogil=True)
def _moments(slots, keys, highest):  # noqa: ANN001, ANN202
    """`first` of each key's slot; that of an empty one where the key is unknown."""
    left, right = _shifts(slots, highest)
    found = np.empty(len(keys), np.uint32)
    for index in range(len(keys)):
        found[index] = slots[_place(slots, keys[index], left, right)]["first"]
    return found


@njit(cache=True, nogil=True)
def _merge(slots, tally, rows, highest):  # noqa: ANN001, ANN202
    """Merge rows with keys up to `highest`; returns (new keys, rows withdrawn beyond accepted)."""
    fresh, overdrawn = 0, 0
    left, right = _shifts(slots, highest)
    for index in range(len(rows)):
        row = rows[index]
        if row["first"] == _EMPTY or row["key"] > highest:
            continue
        slot = _place(slots, row["key"], left, right)
        held = slots[slot]
        if held["first"] == _EMPTY:
            held["key"] = row["key"]
            held["first"] = _UNSEEN
            fresh += 1
        _account(tally, slots, slot, -1)
        if row["first"] < held["first"]:
            held["first"] = row["first"]
            held["strata"] = row["strata"]
        elif row["first"] == held["first"]:
            held["strata"] |= row["strata"]
        held["accepted"] += row["accepted"]
        held["verified"] += row["verified"]
        held["withdrawn"] += row["withdrawn"]
        _account(tally, slots, slot, 1)
        if row["withdrawn"] > 0 and held["withdrawn"] > held["accepted"]:
            overdrawn += 1
    return fresh, overdrawn
