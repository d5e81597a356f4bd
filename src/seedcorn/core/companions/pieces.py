"""Long texts in pieces of a size, so that a copied chapter of a book finds its neighbours and one
comparison costs no more than so much.

Invariant: pieces are ranges of bytes that lie end to end, cut after white space where there is any
and never inside a character.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seedcorn.core.text.hashing import mix64

PIECE = 16_384
"""Bytes."""
_SPACE, _CONTINUES, _MASK = np.uint8(0x20), np.uint8(0x80), np.uint8(0xC0)
_STEP = np.uint64(0x9E3779B97F4A7C15)


@njit(nogil=True, cache=True)
def cut(data: NDArray[Any], offsets: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """(offsets [m + 1] of the pieces, document [m] of each) of documents `offsets`, [n + 1]."""
    room = offsets.size - 1 + (offsets[-1] - offsets[0]) // PIECE
    ends = np.empty(room + 1, np.int64)
    owner = np.empty(room, np.int64)
    ends[0], used = offsets[0], 0
    for i in range(offsets.size - 1):
        start, size = offsets[i], offsets[i + 1] - offsets[i]
        parts = max(1, -(-size // PIECE))
        for part in range(1, parts + 1):
            aim = start + part * size // parts
            ends[used + 1] = aim if part == parts else _before(data, ends[used], aim)
            owner[used] = i
            used += 1
    return ends[: used + 1], owner[:used]


@njit(nogil=True, cache=True)
def _before(data: NDArray[Any], start: int, aim: int) -> int:
    """A place to cut at, at most `aim`: behind white space, else between two characters."""
    for at in range(aim, start + 1, -1):
        if data[at - 1] <= _SPACE:
            return at
    while data[aim] & _MASK == _CONTINUES and aim > start + 1:
        aim -= 1
    return aim


@njit(nogil=True, cache=True)
def content_hashes(data: NDArray[Any], offsets: NDArray[Any]) -> NDArray[Any]:
    """[n]: a 64-bit hash of each text's bytes."""
    found = np.empty(offsets.size - 1, np.uint64)
    for i in range(found.size):
        value, part = np.uint64(offsets[i + 1] - offsets[i]), np.uint64(0)
        for at in range(offsets[i], offsets[i + 1]):
            part = (part << np.uint64(8)) | np.uint64(data[at])
            if (at - offsets[i]) % 8 == 7:
                value, part = (value ^ mix64(part)) * _STEP, np.uint64(0)
        found[i] = mix64(value ^ mix64(part))
    return found
