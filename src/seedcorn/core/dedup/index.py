"""The dedup index: which kept document, of lowest rank, first had a key.

Ten bytes per key in one flat array, because memory and not speed decides at 10^9 documents.

Invariant: answers are a function of the *set* of (reduced key, lowest ordinal) pairs inserted, and
never of the order or size of the inserts, of when the table grew, or of how many parts share it.
That holds because membership is decided exactly on the reduced key, the top 52 bits of a key:
12 bits choose one of 4096 virtual partitions, 40 bits are stored. Two different 64-bit keys are
taken for one with probability 2^-52, so among the 2^34 keys of 10^9 documents an absent key is
found with probability 2^-18, and one document in 16,000 meets a witness by chance. The signature
then tells them apart: a false match never drops a document, it costs one comparison.

Keys must be uniform hashes: the table is sized by its fullest partition. Memory is 12.5 x 17 =
213 bytes per document where `reserve` was told the number (213 GB per 10^9), up to 1.5 times
that, and 2.5 times while copying, where the table had to grow by itself.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from seedcorn.core.text.buffers import read_only

PARTITIONS = 4096
"""Virtual partitions (top 12 bits of a key): the most parts an index can be divided into."""
KEYS_PER_DOCUMENT = 17
"""16 band keys and the exact-text key."""
ORDINALS = (2**24 - 1) * 2**16
"""Ordinals must be below this (1.0995 x 10^12): what fits 40 bits when no slot may be all zero."""

_BYTES_PER_SLOT = 10
_SMALLEST = 16
_EMPTY = np.uint64(0)
_REDUCED = np.uint64(2**64 - 2**12)
_PARTITION_SHIFT = np.uint64(52)
_FINGERPRINT_SHIFT = np.uint64(12)
_FINGERPRINT_MASK = np.uint64(2**40 - 1)
_HOME_SHIFT = np.uint64(8)
_WORD_SHIFT = np.uint64(24)
_LOW_MASK = np.uint64(2**24 - 1)
_BASE = np.int64(2**24 - 1)
_HALF = np.uint64(32)

# A slot is one u64 `word` (fingerprint << 24 | ordinal % _BASE + 1) and one u16 `tail`
# (ordinal // _BASE). No occupied word is zero, so a miss reads the words alone.
_Table = tuple[np.ndarray, np.ndarray, np.ndarray]
_Scalar = Any  # int64 or uint64 inside the kernels; mixing the two would give a float


@njit(cache=True, nogil=True, inline="always")
def _ordinal(word: _Scalar, tail: _Scalar) -> _Scalar:
    return np.int64(tail) * _BASE + np.int64(word & _LOW_MASK) - 1


@njit(cache=True, nogil=True)
def _find(words: np.ndarray, base: _Scalar, capacity: _Scalar, fingerprint: _Scalar) -> _Scalar:
    """Slot that holds the fingerprint, or the empty one where it belongs, linear probing."""
    slot = np.int64(((fingerprint >> _HOME_SHIFT) * np.uint64(capacity)) >> _HALF)
    while True:
        word = words[base + slot]
        if word == _EMPTY or word >> _WORD_SHIFT == fingerprint:
            return base + slot
        slot += 1
        if slot == capacity:
            slot = 0


@njit(cache=True, nogil=True)
def _put(
    table: _Table, partition: _Scalar, capacity: _Scalar, fingerprint: _Scalar, ordinal: _Scalar
) -> None:
    words, tails, counts = table
    slot = _find(words, partition * capacity, capacity, fingerprint)
    if words[slot] == _EMPTY:
        counts[partition] += 1
    elif _ordinal(words[slot], tails[slot]) <= ordinal:
        return
    words[slot] = (fingerprint << _WORD_SHIFT) | np.uint64(ordinal % _BASE + 1)
    tails[slot] = np.uint16(ordinal // _BASE)


@njit(cache=True, nogil=True)
def _insert(
    table: _Table, capacity: _Scalar, limit: _Scalar, first: _Scalar, pairs: tuple, start: _Scalar
) -> _Scalar:
    """Insert pairs[start:]; returns where it stopped because a partition holds `limit` keys."""
    keys, ordinals = pairs
    counts = table[2]
    for i in range(start, keys.size):
        partition = np.int64(keys[i] >> _PARTITION_SHIFT) - first
        if counts[partition] >= limit:
            return i
        fingerprint = (keys[i] >> _FINGERPRINT_SHIFT) & _FINGERPRINT_MASK
        _put(table, partition, capacity, fingerprint, ordinals[i])
    return keys.size


@njit(cache=True, nogil=True)
def _lookup(
    table: _Table, capacity: _Scalar, first: _Scalar, keys: np.ndarray, found: np.ndarray
) -> None:
    words, tails, _ = table
    for i in range(keys.size):
        partition = np.int64(keys[i] >> _PARTITION_SHIFT) - first
        fingerprint = (keys[i] >> _FINGERPRINT_SHIFT) & _FINGERPRINT_MASK
        slot = _find(words, partition * capacity, capacity, fingerprint)
        word = words[slot]
        found[i] = -1 if word == _EMPTY else _ordinal(word, tails[slot])


@njit(cache=True, nogil=True)
def _move(old: _Table, old_capacity: _Scalar, new: _Table, new_capacity: _Scalar) -> None:
    words, tails, counts = old
    for partition in range(counts.size):
        for slot in range(partition * old_capacity, (partition + 1) * old_capacity):
            if words[slot] != _EMPTY:
                ordinal = _ordinal(words[slot], tails[slot])
                _put(new, partition, new_capacity, words[slot] >> _WORD_SHIFT, ordinal)


@njit(cache=True, nogil=True)
def _extract(
    table: _Table, capacity: _Scalar, first: _Scalar, keys: np.ndarray, out: np.ndarray
) -> None:
    """All pairs, ascending by reduced key; insertion sort, because slots are nearly in order."""
    words, tails, counts = table
    filled = 0
    for partition in range(counts.size):
        begin = filled
        for slot in range(partition * capacity, (partition + 1) * capacity):
            if words[slot] == _EMPTY:
                continue
            high = np.uint64(partition + first) << _PARTITION_SHIFT
            key = high | ((words[slot] >> _WORD_SHIFT) << _FINGERPRINT_SHIFT)
            at = filled
            while at > begin and keys[at - 1] > key:
                keys[at], out[at] = keys[at - 1], out[at - 1]
                at -= 1
            keys[at], out[at] = key, _ordinal(words[slot], tails[slot])
            filled += 1


def reduced(keys: np.ndarray) -> np.ndarray:
    """What the index knows of the keys: the low 12 bits cleared. Same shape, uint64."""
    return keys & _REDUCED


def owners(keys: np.ndarray, parts: int) -> np.ndarray:
    """Which of `parts` owns each key: int64, same shape; contiguous ranges of partitions."""
    return (keys >> _PARTITION_SHIFT).astype(np.int64) * parts // PARTITIONS


def memory_bytes(documents: int) -> int:
    """Bytes of an index (all parts together) that `reserve` prepared for so many documents."""
    return PARTITIONS * (_slots(documents) * _BYTES_PER_SLOT + 8)


def _slots(documents: int) -> int:
    """Slots per partition that keep the fullest of 4096 (six sigma) at load .8."""
    mean = documents * KEYS_PER_DOCUMENT / PARTITIONS
    return max(_SMALLEST, math.ceil((mean + 6 * math.sqrt(mean)) / 0.8))


class Index:
    """Part `part` of `parts` of the key -> lowest ordinal map. One caller at a time."""

    def __init__(self, part: int = 0, parts: int = 1) -> None:
        """An empty part; raises ValueError unless 0 <= part < parts <= 4096."""
        if not 0 <= part < parts <= PARTITIONS:
            raise ValueError(
                f"index part {part} of {parts}: need 0 <= part < parts <= {PARTITIONS}"
            )
        self.part, self.parts = part, parts
        self._first = -(-part * PARTITIONS // parts)
        self._owned = -(-(part + 1) * PARTITIONS // parts) - self._first
        self._capacity = _SMALLEST
        self._table = self._empty(_SMALLEST)
        self._documents = 0

    @property
    def keys(self) -> int:
        """Keys stored in this part."""
        return int(self._table[2].sum())

    @property
    def documents(self) -> int:
        """One past the highest ordinal inserted here; 0 when empty."""
        return self._documents

    @property
    def nbytes(self) -> int:
        """Bytes allocated."""
        return sum(array.nbytes for array in self._table)

    def lookup(self, keys: np.ndarray) -> np.ndarray:
        """Lowest ordinal stored for each key, or -1. keys: uint64[m] of this part -> int64[m]."""
        self._check(keys)
        found = np.empty(keys.size, np.int64)
        _lookup(self._table, self._capacity, self._first, read_only(keys, np.uint64), found)
        return found

    def insert(self, keys: np.ndarray, ordinals: np.ndarray) -> None:
        """Remember uint64[m] keys of this part for int64[m] ordinals; the lowest ordinal wins.

        Idempotent. Raises ValueError for keys of another part, and for negative or huge ordinals,
        before anything is stored.
        """
        self._check(keys)
        if keys.shape != ordinals.shape:
            raise ValueError(f"{keys.size} keys came with {ordinals.size} ordinals")
        if keys.size == 0:
            return
        low, high = int(ordinals.min()), int(ordinals.max())
        if low < 0 or high >= ORDINALS:
            raise ValueError(f"ordinals {low}..{high}: the index holds 0..{ORDINALS - 1}")
        pairs = (read_only(keys, np.uint64), read_only(ordinals, np.int64))
        done = 0
        while True:
            limit = self._capacity * 4 // 5
            done = _insert(self._table, self._capacity, limit, self._first, pairs, done)
            if done == keys.size:
                break
            self._grow(self._capacity * 3 // 2)
        self._documents = max(self._documents, high + 1)

    def reserve(self, documents: int) -> None:
        """Make room for so many documents in all parts together; never shrinks."""
        capacity = _slots(documents)
        if capacity > self._capacity:
            self._grow(capacity)

    def snapshot(self) -> dict[str, np.ndarray]:
        """keys: uint64[k] reduced, ascending; ordinals: int64[k]. Equal sets give equal bytes.

        Snapshots of several parts are joined by concatenation, in any order.
        """
        keys, ordinals = np.empty(self.keys, np.uint64), np.empty(self.keys, np.int64)
        _extract(self._table, self._capacity, self._first, keys, ordinals)
        return {"keys": keys, "ordinals": ordinals}

    def fill(self, arrays: dict[str, np.ndarray]) -> None:
        """Insert what this part owns of a snapshot, whatever number of parts made it; `reserve` first
        where more will follow."""
        keys, ordinals = arrays["keys"], arrays["ordinals"]
        if self.parts > 1:
            mine = owners(keys, self.parts) == self.part
            keys, ordinals = keys[mine], ordinals[mine]
        self.reserve(keys.size * self.parts // KEYS_PER_DOCUMENT)
        self.insert(keys, ordinals)

    def _check(self, keys: np.ndarray) -> None:
        if keys.dtype != np.uint64 or keys.ndim != 1:
            raise ValueError(f"index keys must be uint64[m], not {keys.dtype}{list(keys.shape)}")
        if self.parts > 1 and not np.all(owners(keys, self.parts) == self.part):
            raise ValueError(
                f"part {self.part} of {self.parts} was asked about keys of other parts: "
                "route them by owners()"
            )

    def _empty(self, capacity: int) -> _Table:
        slots = self._owned * capacity
        return (
            np.zeros(slots, np.uint64),
            np.zeros(slots, np.uint16),
            np.zeros(self._owned, np.int64),
        )

    def _grow(self, capacity: int) -> None:
        table = self._empty(capacity)
        _move(self._table, self._capacity, table, capacity)
        self._table, self._capacity = table, capacity
