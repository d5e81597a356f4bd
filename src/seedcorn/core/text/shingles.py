"""The ledger's shingles: per document the set of its L-word shingle hashes below a limit.

The sample is coordinated: whether a shingle is kept depends on its hash alone, so samples of
different documents, batches and generations can be compared, merged and thinned afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seedcorn.core.text.hashing import most_shingles, shingle_hashes
from seedcorn.core.text.words import TextRule, Words, read_words

ALL = 2**64
"""The limit that keeps every shingle."""
_EMPTY = np.uint64(2**64 - 1)
"""Marks a free slot; a hash of this value counts as the one below it."""


@dataclass(frozen=True)
class Shingles:
    """Distinct shingle hashes, ascending: document i has `hashes[offsets[i]:offsets[i + 1]]`."""

    hashes: NDArray[np.uint64]
    offsets: NDArray[np.int64]


def shingles(
    data: NDArray[np.uint8], offsets: NDArray[Any], rule: TextRule, length: int, limit: int = ALL
) -> Shingles:
    """Distinct shingles of `length` words per document, those whose hash is below `limit`.

    data, offsets: as for `read_words`. A document shorter than `length` words, and one without any,
    has a single shingle. `limit = s * 2**64` is a fair sample of rate s. In scripts without spaces
    lengths count code points. Raises ValueError for a length or limit that makes no sense.
    """
    return shingles_of(read_words(data, offsets, rule), length, limit)


def shingles_many(
    data: NDArray[np.uint8],
    offsets: NDArray[Any],
    rule: TextRule,
    lengths: Sequence[int],
    limit: int = ALL,
) -> dict[int, Shingles]:
    """`shingles` for several lengths, reading the texts once."""
    words = read_words(data, offsets, rule)
    return {length: shingles_of(words, length, limit) for length in lengths}


def shingles_of(words: Words, length: int, limit: int = ALL) -> Shingles:
    """`shingles` of texts that are read already."""
    if length < 1 or not 1 <= limit <= ALL:
        raise ValueError(
            f"shingle length {length}, limit {limit}: give a length of at least 1 and a limit "
            "from 1 to 2**64"
        )
    highest = np.uint64(limit - 1)
    hashes, offsets = _distinct(words.hashes, words.starts, words.counts, length, highest)
    return Shingles(hashes, offsets)


@njit(nogil=True, cache=True)
def _distinct(
    hashes: NDArray[Any], starts: NDArray[Any], counts: NDArray[Any], length: int, highest: Any
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Hash, thin, sort and drop repeats, document by document."""
    offsets = np.zeros(starts.size + 1, np.int64)
    room = most_shingles(counts)
    run = np.empty(room, np.uint64)
    table = np.empty(4 * room + 64, np.uint64)
    total = 0
    for count in counts:
        total += max(1, count - length + 1)
    out = np.empty(total + 1, np.uint64)
    used = 0
    for i in range(starts.size):
        found = shingle_hashes(hashes[starts[i] : starts[i] + counts[i]], length, run)
        found = _below(run[:found], highest)
        used += _sorted_set(run[:found], highest, table, out[used:])
        offsets[i + 1] = used
    return out[:used].copy(), offsets


@njit(nogil=True, cache=True)
def _below(values: NDArray[Any], highest: Any) -> int:
    """Move the values up to `highest` to the front, in order; returns how many."""
    kept = 0
    for value in values:
        values[kept] = value
        kept += value <= highest
    return kept


@njit(nogil=True, cache=True)
def _sorted_set(values: NDArray[Any], highest: Any, table: NDArray[Any], out: NDArray[Any]) -> int:
    """Distinct `values`, ascending, into `out` (one place to spare); returns how many.

    Uniform hashes need no comparison sort: the top bits name a slot of a table at most half full,
    neighbours are kept in order by linear probing, and a sweep reads the table off.
    """
    bits = 3
    while (1 << bits) < 2 * values.size:
        bits += 1
    shift = np.uint64(0)
    while highest >> shift >= np.uint64(1 << bits):
        shift += np.uint64(1)
    end = min(table.size, (1 << bits) + values.size + 1)
    table[:end] = _EMPTY
    for value in values:
        _insert(min(value, _EMPTY - np.uint64(1)), shift, table)
    size = 0
    for slot in range(end):
        out[size] = table[slot]
        size += table[slot] != _EMPTY
    return size


@njit(nogil=True, cache=True)
def _insert(value: Any, shift: Any, table: NDArray[Any]) -> None:
    """Put a value at its ordered place, moving larger neighbours up; a repeat changes nothing."""
    slot = np.int64(value >> shift)
    while table[slot] < value:
        slot += 1
    if table[slot] == value:
        return
    while value != _EMPTY:
        value, table[slot] = table[slot], value
        slot += 1


def below(shingles: Shingles, limit: int) -> Shingles:
    """The coordinated sample of shingles that are there already: hashes below `limit`."""
    if limit >= ALL:
        return shingles
    keep = shingles.hashes <= np.uint64(limit - 1)
    running = np.concatenate([[0], np.cumsum(keep)]).astype(np.int64)
    return Shingles(shingles.hashes[keep], running[shingles.offsets])


def subset(shingles: Shingles, documents: NDArray[np.bool_]) -> Shingles:
    """Shingles of the marked documents (bool[n]) only, in their order."""
    sizes = np.diff(shingles.offsets)
    hashes = shingles.hashes[np.repeat(documents, sizes)]
    offsets = np.concatenate([[0], np.cumsum(sizes[documents])]).astype(np.int64)
    return Shingles(hashes, offsets)
