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
BLOCK = 64
"""Rows whose slots are fetched ahead together."""
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
        fresh, overdrawn, _ = _merge(self._slots, self._tally, rows, np.uint64(self._limit - 1))
        self._size += fresh
        return overdrawn

    def thin(self, limit: int) -> None:
        """Forget every hash that is not below `limit`, now and later."""
        self._limit = min(limit, self._limit)
        kept = self._slots["key"] <= np.uint64(self._limit - 1)
        kept = self._slots[kept & (self._slots["first"] != _EMPTY)]
        # In place: fresh memory of that size would cost more than the move.
        self._slots["first"] = EMPTY
        self._tally = np.zeros_like(self._tally)
        self._size = self._refill(kept, recount=True)

    def below(self, limit: int) -> int:
        """How many of the hashes held are below `limit`."""
        return _below(self._slots, np.uint64(limit - 1))

    def moments(self, keys: NDArray[np.uint64]) -> NDArray[np.uint32]:
        """First moment of each key; above every moment for duplicates only, and for unknown keys."""
        return _moments(self._slots, keys, np.uint64(self._limit - 1))

    def rows(self) -> NDArray:
        """All rows in order of hash, as ROW records."""
        rows = np.empty(self._size, ROW)
        _sort(self._slots, rows)
        return rows

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
            old, self._slots = self._slots, _blank(slots)
            self._size = self._refill(old, recount=False)

    def _refill(self, rows: NDArray, recount: bool) -> int:
        highest = np.uint64(self._limit - 1)
        return _refill(self._slots, self._tally, rows, highest, recount)


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
def _account(tally, moment, strata, kept, sign):  # noqa: ANN001, ANN202
    """Add or remove what one hash contributes to the tally; `kept`: some document is left of it."""
    if moment == _UNSEEN or moment & np.uint32(1):
        return
    generation = np.int64(moment >> np.uint32(1))
    alone = strata & (strata - _ONE) == np.uint64(0)
    for row in range(2 if kept else 1):
        # Full indices only: a view of the row would count its references, twice per hash.
        tally[row, generation, TOTAL] += sign
        left, stratum = strata, 0
        while left != np.uint64(0):
            if left & _ONE:
                tally[row, generation, STRATUM + stratum] += sign
                tally[row, generation, EXCLUSIVE + stratum] += sign if alone else 0
            left >>= _ONE
            stratum += 1


@njit(cache=True, nogil=True)
def shifts(slots, highest):  # noqa: ANN001, ANN201
    """Shifts that spread keys up to `highest` in order over a power of two of slots."""
    left, right = np.uint64(0), np.uint64(64)
    while highest << left < np.uint64(1 << 63):
        left += _ONE
    while np.int64(1) << np.int64(np.uint64(64) - right) < len(slots):
        right -= _ONE
    return left, right


@njit(cache=True, nogil=True)
def _fetch(slots, keys, left, right):  # noqa: ANN001, ANN202
    """Read where these keys will be looked for, so that the misses of a block overlap."""
    seen, last = np.uint32(0), len(slots) - 1
    for key in keys:
        slot = np.int64((key << left) >> right)
        seen ^= slots[slot]["first"] ^ slots[(slot + 2) & last]["first"]
    return seen


@njit(cache=True, nogil=True)
def _moments(slots, keys, highest):  # noqa: ANN001, ANN202
    """`first` of each key's slot; that of an empty one where the key is unknown."""
    left, right = shifts(slots, highest)
    found = np.empty(len(keys), np.uint32)
    for start in range(0, len(keys), BLOCK):
        stop = min(start + BLOCK, len(keys))
        found[start] = _fetch(slots, keys[start:stop], left, right)
        for index in range(start, stop):
            found[index] = slots[_place(slots, keys[index], left, right)]["first"]
    return found


@njit(cache=True, nogil=True)
def _below(slots, highest):  # noqa: ANN001, ANN202
    """How many keys are up to `highest`."""
    found = 0
    for index in range(len(slots)):
        found += slots[index]["first"] != _EMPTY and slots[index]["key"] <= highest
    return found


@njit(cache=True, nogil=True)
def _sort(slots, rows):  # noqa: ANN001, ANN202
    """Fill `rows` with what the slots hold, in order of hash.

    Slots are nearly in order, so an insertion sort moves a row within its cluster only, and past
    the few greatest hashes where those wrapped around into the first slots.
    """
    size = 0
    for slot in range(len(slots)):
        row = slots[slot]
        if row["first"] == _EMPTY:
            continue
        place = size
        while place > 0 and rows[place - 1]["key"] > row["key"]:
            rows[place] = rows[place - 1]
            place -= 1
        rows[place] = row
        size += 1


@njit(cache=True, nogil=True)
def _refill(slots, tally, old, highest, recount):  # noqa: ANN001, ANN202
    """Put distinct rows with keys up to `highest` into empty slots; returns how many.

    `recount`: add them to the tally; where a table only grows, they are in it.
    """
    size = 0
    left, right = shifts(slots, highest)
    for index in range(len(old)):
        row = old[index]
        if row["first"] == _EMPTY or row["key"] > highest:
            continue
        slots[_place(slots, row["key"], left, right)] = row
        size += 1
        if recount:
            kept = row["accepted"] > row["withdrawn"]
            _account(tally, row["first"], row["strata"], kept, 1)
    return size


@njit(cache=True, nogil=True)
def _merge(slots, tally, rows, highest):  # noqa: ANN001, ANN202
    """Merge rows with keys up to `highest`; returns (new keys, rows withdrawn beyond accepted)."""
    fresh, overdrawn, seen = 0, 0, np.uint32(0)
    left, right = shifts(slots, highest)
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        seen ^= _fetch(slots, block["key"], left, right)
        for index in range(len(block)):
            row = block[index]
            if row["first"] == _EMPTY or row["key"] > highest:
                continue
            entry = slots[_place(slots, row["key"], left, right)]
            if entry["first"] == _EMPTY:
                _claim(entry, row["key"])
                fresh += 1
            overdrawn += _unite(tally, entry, row)
    return fresh, overdrawn, seen


@njit(cache=True, nogil=True)
def _claim(entry, key):  # noqa: ANN001, ANN202
    """Make a free slot the key's; after a thinning it still holds what was there before."""
    entry["key"] = key
    entry["first"] = _UNSEEN
    entry["strata"] = np.uint64(0)
    entry["accepted"] = entry["verified"] = entry["withdrawn"] = np.uint32(0)


@njit(cache=True, nogil=True)
def _unite(tally, entry, row):  # noqa: ANN001, ANN202
    """Merge a row into the slot of its key; returns whether it withdrew more than was accepted."""
    moment, strata, kept = entry["first"], entry["strata"], entry["accepted"] > entry["withdrawn"]
    if row["first"] < moment:
        entry["first"] = row["first"]
        entry["strata"] = row["strata"]
    elif row["first"] == moment:
        entry["strata"] = strata | row["strata"]
    entry["accepted"] += row["accepted"]
    entry["verified"] += row["verified"]
    entry["withdrawn"] += row["withdrawn"]
    left = entry["accepted"] > entry["withdrawn"]
    if entry["first"] != moment or entry["strata"] != strata or left != kept:
        _account(tally, moment, strata, kept, -1)
        _account(tally, entry["first"], entry["strata"], left, 1)
    return row["withdrawn"] > 0 and entry["withdrawn"] > entry["accepted"]
