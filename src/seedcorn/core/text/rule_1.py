"""Text rule 1: words of `normaliser.normalise`, hashed straight from UTF-8.

ASCII goes straight through; other text is normalised by table on the way; only documents whose
normalisation depends on context (see `normaliser.py`) are handed to Python, one at a time.

Scripts written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese, ...): where at least
a quarter of a document's word characters belong to them, every word character counts as a word.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seedcorn.core.text.buffers import decode, grown, is_ascii, pack
from seedcorn.core.text.hashing import mix64
from seedcorn.core.text.normaliser import (
    EXPANSION,
    TABLE_SIZE,
    ascii_table,
    normalise_bytes,
    tables,
)

UNSPACED_SHARE = 4
"""A document is unspaced if 1 of this many word characters is of a script without spaces."""

_LOWER = ascii_table()
_WORD_SEED = np.uint64(0x2545F4914F6CDD1D)
_POINT_SEED = np.uint64(0x8BB84B93962EACC9)
_PRIME = np.uint64(0x9FB21C651E98DF25)
_NO_STARTS = np.zeros(1, np.int32)
_NO_POOL = np.zeros(1, np.uint8)


def read(
    data: NDArray[np.uint8], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """(word hashes, starts, counts, unspaced) of all documents, as `words.Words` has them."""
    used = data[offsets[0] : offsets[-1]]
    if used.size and used.max() >= 0x80:
        table = tables()
        hashes, starts, counts, unspaced = _read(data, offsets, table.starts, table.pool, False)
    else:
        hashes, starts, counts, unspaced = _read(data, offsets, _NO_STARTS, _NO_POOL, False)
    late = np.flatnonzero(counts < 0)
    if late.size:
        pieces = [normalise_bytes(data[offsets[i] : offsets[i + 1]].tobytes()) for i in late]
        more, at, counts[late], unspaced[late] = _read(*pack(pieces), _NO_STARTS, _NO_POOL, True)
        starts[late] = at + hashes.size
        hashes = np.concatenate([hashes, more])
    return hashes, starts, counts, unspaced


@njit(nogil=True, cache=True)
def _read(
    data: NDArray[Any],
    offsets: NDArray[Any],
    starts_of: NDArray[Any],
    pool: NDArray[Any],
    normalised: bool,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Read all documents; a count of -1 marks one that only `normalise` can decide."""
    n = offsets.size - 1
    starts = np.zeros(n, np.int64)
    counts = np.zeros(n, np.int64)
    unspaced = np.zeros(n, np.bool_)
    scratch = np.empty(0, np.uint8)
    hashes = np.empty((offsets[n] - offsets[0]) // 4 + 64, np.uint64)
    used = 0
    for i in range(n):
        text = data[offsets[i] : offsets[i + 1]]
        starts[i] = used
        plain = is_ascii(text)
        hashes = grown(hashes, used, text.size // 2 + 1 if plain else text.size * EXPANSION)
        if not plain and not normalised:
            if scratch.size < text.size * EXPANSION:
                scratch = np.empty(text.size * EXPANSION, np.uint8)
            size = _fold(text, starts_of, pool, scratch)
            if size < 0:
                counts[i] = -1
                continue
            text = scratch[:size]
        if not plain and _is_unspaced(text):
            unspaced[i] = True
            counts[i] = _hash_points(text, hashes[used:])
        else:
            counts[i] = _hash_words(text, hashes[used:])
        used += counts[i]
    return hashes[:used], starts, counts, unspaced


@njit(nogil=True, cache=True)
def _hash_words(text: NDArray[Any], out: NDArray[Any]) -> int:
    """Hash the runs of word bytes, lower-cased, into `out`; returns how many."""
    found = 0
    state = _WORD_SEED
    inside = False
    for byte in text:
        lower = _LOWER[byte]
        if lower:
            state = (state ^ np.uint64(lower)) * _PRIME
            inside = True
        elif inside:
            out[found] = mix64(state)
            found += 1
            state = _WORD_SEED
            inside = False
    if inside:
        out[found] = mix64(state)
        found += 1
    return found


@njit(nogil=True, cache=True)
def _hash_points(text: NDArray[Any], out: NDArray[Any]) -> int:
    """Hash every word character of normalised text into `out`; returns how many."""
    found = 0
    at = 0
    while at < text.size:
        point, width = decode(text, at)
        at += width
        if point < 0x80:
            point = np.int64(_LOWER[point])
        if point:
            out[found] = mix64(np.uint64(point) + _POINT_SEED)
            found += 1
    return found


@njit(nogil=True, cache=True)
def _fold(
    text: NDArray[Any], starts_of: NDArray[Any], pool: NDArray[Any], out: NDArray[Any]
) -> int:
    """Normalise by table into `out`; returns its size, or -1 where the table does not decide."""
    at = 0
    size = 0
    while at < text.size:
        byte = text[at]
        if byte < 0x80:
            out[size] = byte
            at += 1
            size += 1
            continue
        point, width = decode(text, at)
        if point < 0 or point >= TABLE_SIZE or starts_of[point] == starts_of[point + 1]:
            return -1
        for source in range(starts_of[point], starts_of[point + 1]):
            out[size] = pool[source]
            size += 1
        at += width
    return size


@njit(nogil=True, cache=True)
def _is_unspaced(text: NDArray[Any]) -> bool:
    """Whether a quarter of the word characters of normalised text need no spaces."""
    points = 0
    without = 0
    at = 0
    while at < text.size:
        point, width = decode(text, at)
        at += width
        if point >= 0x80:
            points += 1
            without += _needs_no_space(point)
        elif _LOWER[point]:
            points += 1
    return without * UNSPACED_SHARE >= points and without > 0


@njit(nogil=True, cache=True)
def _needs_no_space(point: int) -> bool:
    """Blocks of scripts whose words are not set apart (Korean is: it has spaces)."""
    if point < 0x0E00 or 0xAC00 <= point < 0xF900:
        return False
    if point < 0x2E80:
        southeast = point < 0x0F00 or 0x1000 <= point < 0x10A0 or 0x1780 <= point < 0x1800
        return southeast or 0x1950 <= point < 0x1B80
    if point < 0xAC00:
        hangul = 0x3130 <= point < 0x3190
        return (not hangul and point < 0xA4D0) or 0xA980 <= point < 0xA9E0
    return 0xF900 <= point < 0xFB00 or 0x20000 <= point < 0x40000
