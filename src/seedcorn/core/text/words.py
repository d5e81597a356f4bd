"""Texts in, word hashes out: the one compiled pass over the bytes of a text buffer.

Every fingerprint and every ledger shingle is made from these hashes, so a text is read once.
ASCII goes straight through; other text is normalised by table on the way; only documents whose
normalisation depends on context (see `normaliser.py`) are handed to Python, one at a time.

Scripts written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese, ...): where at least
a quarter of a document's word characters belong to them, every word character counts as a word.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

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


@dataclass(frozen=True)
class Words:
    """Word hashes of n documents. Document i owns `hashes[starts[i]:starts[i] + counts[i]]`."""

    hashes: NDArray[np.uint64]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    unspaced: NDArray[np.bool_]
    """True: the document's words are the word characters of a script without spaces."""


def read_words(data: NDArray[np.uint8], offsets: NDArray[Any]) -> Words:
    """Word hashes of the documents `data[offsets[i]:offsets[i + 1]]`, UTF-8.

    data: uint8[:], an Arrow text buffer as it is; offsets: int32 or int64 [n + 1], non-decreasing,
    not necessarily from 0. Raises ValueError for offsets that do not fit the buffer.
    """
    data, offsets = _checked(data, offsets)
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
    return Words(hashes, starts, counts, unspaced)


def pack(pieces: list[bytes]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Documents laid end to end as (data, offsets)."""
    offsets = np.zeros(len(pieces) + 1, np.int64)
    np.cumsum([len(piece) for piece in pieces], out=offsets[1:])
    return np.frombuffer(b"".join(pieces), np.uint8), offsets


def read_only(array: NDArray[Any], dtype: type[np.generic] | None = None) -> NDArray[Any]:
    """The array as one dtype, C-ordered, read-only: numba compiles a kernel anew for each kind."""
    view = np.ascontiguousarray(array, dtype).view()
    view.flags.writeable = False
    return view


def _checked(
    data: NDArray[np.uint8], offsets: NDArray[Any]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Both in the one form the kernel is compiled for."""
    if data.dtype != np.uint8 or data.ndim != 1 or offsets.ndim != 1:
        raise ValueError(
            f"expected uint8[:] and int[n + 1], got {data.dtype}[{data.ndim}-d] and "
            f"{offsets.dtype}[{offsets.ndim}-d]: pass the Arrow buffers as flat numpy views"
        )
    wide = offsets.astype(np.int64) if offsets.size else np.zeros(1, np.int64)
    if wide[0] < 0 or wide[-1] > data.size or np.any(wide[1:] < wide[:-1]):
        raise ValueError(
            f"offsets from {wide[0]} to {wide[-1]} do not cut a buffer of {data.size} bytes into "
            "documents: they must not decrease nor leave the buffer"
        )
    return read_only(data), wide


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
        plain = _is_ascii(text)
        hashes = _grown(hashes, used, text.size // 2 + 1 if plain else text.size * EXPANSION)
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
def _grown(array: NDArray[Any], used: int, more: int) -> NDArray[Any]:
    """The array itself, or a copy of its used part in one twice as large."""
    if used + more < array.size:
        return array
    bigger = np.empty(2 * (used + more + 1), array.dtype)
    for k in range(used):
        bigger[k] = array[k]
    return bigger


@njit(nogil=True, cache=True)
def _is_ascii(text: NDArray[Any]) -> Any:
    seen = np.uint8(0)
    for byte in text:
        seen |= byte
    return seen < 0x80


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
        point, width = _decode(text, at)
        at += width
        if point < 0x80:
            point = np.int64(_LOWER[point])
        if point:
            out[found] = mix64(np.uint64(point) + _POINT_SEED)
            found += 1
    return found


@njit(nogil=True, cache=True)
def _decode(text: NDArray[Any], at: int) -> tuple[Any, int]:
    """(code point, bytes) at `at`; (-1, 1) for what is not UTF-8."""
    lead = np.int64(text[at])
    if lead < 0x80:
        return lead, 1
    width = 2 if lead < 0xE0 else (3 if lead < 0xF0 else 4)
    if lead < 0xC2 or lead > 0xF4 or at + width > text.size:
        return -1, 1
    point = lead & (0xFF >> (width + 1))
    for k in range(1, width):
        byte = np.int64(text[at + k])
        if byte & 0xC0 != 0x80:
            return -1, 1
        point = (point << 6) | (byte & 0x3F)
    overlong = (width == 3 and point < 0x800) or (width == 4 and point < 0x10000)
    return (-1, 1) if overlong else (point, width)


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
        point, width = _decode(text, at)
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
        point, width = _decode(text, at)
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
