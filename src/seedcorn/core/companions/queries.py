"""The inverted index of a few hundred query documents: their 3- and 8-word shingles.

Invariant: a shingle that no query has is told by its hash alone, nearly always by one bit; all else
of history streams past.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seedcorn.core.companions.pieces import cut
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.hashing import shingle_hashes
from seedcorn.core.text.words import TextRule, read_words

SHORT, LONG = 3, 8
"""Words of the shingles that make near. Common ones of three words cost time and tell little, so
they weigh little; a template has no others."""
_ROOM, _SPARSE = 2, 16
"""Slots of the table and bits of its filter, per shingle, at least."""


@dataclass(frozen=True, slots=True, eq=False)
class Queries:
    """Documents that look for neighbours. A document sees what stands before it in the log."""

    texts: Sequence[str]
    position: Sequence[int]
    """Of each document in the log: it meets every other of a lower position."""
    since: Sequence[int]
    """Where its generation begins: random texts come from before that, so that a generation that
    repeats itself is compared with what was there."""


@dataclass(frozen=True, slots=True, eq=False)
class QueryIndex:
    """The inverted index; plain arrays that travel between processes."""

    rule: TextRule
    texts: list[str]
    """Of the pieces."""
    owner: NDArray[np.int64]
    """[p]: document of each piece."""
    position: NDArray[np.int64]
    """[p] of the piece's document."""
    since: NDArray[np.int64]
    words: NDArray[np.int64]
    """[d]: words of each document."""
    runs: dict[int, tuple[NDArray[np.int32], NDArray[np.int64]]]
    """By length: (shingle at every place of the documents in order, offsets [d + 1])."""
    table: tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int32]]
    """Filter, keys and numbers of the shingles."""
    postings: tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]
    """Pieces by shingle, offsets [g + 1], weights [g]."""

    @property
    def shingles(self) -> int:
        """Distinct ones, of both lengths."""
        return len(self.postings[2])


def query_index(queries: Queries, rule: TextRule) -> QueryIndex:
    """About .1 ms per document of 1 kB."""
    data, offsets = pack([text.encode("utf-8", "replace") for text in queries.texts])
    ends, owner = cut(data, offsets)
    words = read_words(data, ends, rule)
    whole = joined(words.hashes, words.starts, words.counts, owner, len(queries.texts))
    runs, hashes = {}, []
    for length in (SHORT, LONG):
        found, bounds = _runs(*whole, length)
        hashes.append(found)
        runs[length] = bounds
    keys, number = np.unique(np.concatenate(hashes), return_inverse=True)
    numbers = np.split(number.astype(np.int32), [len(hashes[0])])
    within = _piece_of(words.counts, owner, len(queries.texts))
    pairs = [_pairs(numbers[i], runs[n], *within, len(owner)) for i, n in enumerate((SHORT, LONG))]
    shingle, piece = np.divmod(np.unique(np.concatenate(pairs)), max(1, len(owner)))
    count = np.bincount(shingle, minlength=len(keys))
    position, since = (np.array(v, np.int64)[owner] for v in (queries.position, queries.since))
    cuts = zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    return QueryIndex(
        rule=rule,
        texts=[bytes(data[a:b]).decode("utf-8", "replace") for a, b in cuts],
        owner=owner,
        position=position,
        since=since,
        words=np.diff(whole[1]),
        runs={n: (numbers[i], runs[n]) for i, n in enumerate((SHORT, LONG))},
        table=_table(keys),
        postings=(
            piece.astype(np.int32),
            np.concatenate([[0], np.cumsum(count)]),
            np.round(1024 * np.log2(1 + len(owner) / np.maximum(count, 1))).astype(np.int64),
        ),
    )


def _table(keys: NDArray[np.uint64]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """An open hash table at most half full, and a filter that says "not here" to most others."""
    slots = 1 << max(4, (_ROOM * len(keys)).bit_length())
    words = 1 << max(4, (_SPARSE * len(keys) // 64).bit_length())
    return _filled(keys, np.zeros(words, np.uint64), slots)


@njit(nogil=True, cache=True)
def _filled(keys: NDArray[Any], bits: NDArray[Any], slots: int) -> Any:
    held = np.zeros(slots, np.uint64)
    number = np.full(slots, -1, np.int32)
    for i in range(keys.size):
        bit = keys[i] & np.uint64(64 * bits.size - 1)
        bits[bit >> np.uint64(6)] |= np.uint64(1) << (bit & np.uint64(63))
        slot = keys[i] & np.uint64(slots - 1)
        while number[slot] >= 0:
            slot = (slot + np.uint64(1)) & np.uint64(slots - 1)
        held[slot], number[slot] = keys[i], i
    return bits, held, number


@njit(nogil=True, cache=True)
def number_of(key: Any, bits: NDArray[Any], held: NDArray[Any], number: NDArray[Any]) -> Any:
    """Number of a shingle, -1 where no query has it."""
    bit = key & np.uint64(64 * bits.size - 1)
    if not (bits[bit >> np.uint64(6)] >> (bit & np.uint64(63))) & np.uint64(1):
        return -1
    slot = key & np.uint64(held.size - 1)
    while number[slot] >= 0 and held[slot] != key:
        slot = (slot + np.uint64(1)) & np.uint64(held.size - 1)
    return number[slot]


@njit(nogil=True, cache=True)
def joined(
    hashes: NDArray[Any], starts: NDArray[Any], counts: NDArray[Any], owner: NDArray[Any], n: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """(words, offsets [n + 1]) of whole documents out of those of their pieces."""
    offsets = np.zeros(n + 1, np.int64)
    words = np.empty(counts.sum(), np.uint64)
    used = 0
    for piece in range(owner.size):
        for k in range(counts[piece]):
            words[used] = hashes[starts[piece] + k]
            used += 1
        offsets[owner[piece] + 1] = used
    return words, offsets


@njit(nogil=True, cache=True)
def _runs(
    words: NDArray[Any], offsets: NDArray[Any], length: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """(shingle at every place, offsets [n + 1]) of whole documents."""
    bounds = np.zeros(offsets.size, np.int64)
    out = np.empty(words.size + offsets.size, np.uint64)
    for i in range(offsets.size - 1):
        here = words[offsets[i] : offsets[i + 1]]
        bounds[i + 1] = bounds[i] + shingle_hashes(here, length, out[bounds[i] :])
    return out[: bounds[-1]].copy(), bounds


def _piece_of(
    counts: NDArray[np.int64], owner: NDArray[np.int64], n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(piece of every word, offsets [n + 1] of the documents), documents without words included."""
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owner, weights=counts, minlength=n))])
    return np.repeat(np.arange(len(owner)), counts), offsets.astype(np.int64)


def _pairs(
    number: NDArray[np.int32],
    bounds: NDArray[np.int64],
    piece: NDArray[np.int64],
    offsets: NDArray[np.int64],
    pieces: int,
) -> NDArray[np.int64]:
    """[k]: shingle times pieces plus the piece it begins in; documents without words have none."""
    sizes = np.diff(bounds)
    document = np.repeat(np.arange(len(sizes)), sizes)
    at = np.arange(len(number)) - np.repeat(bounds[:-1], sizes) + offsets[document]
    used = np.diff(offsets)[document] > 0
    return number[used].astype(np.int64) * pieces + piece[at[used]]
