"""The hash functions under every fingerprint: fixed, 64 bits, well mixed.

Everything stored in a corpus (band keys, signatures, shingle hashes) depends on them, so a change
here is a new FINGERPRINT_VERSION. numba's on-disk cache looks at the file of a caller, not of what
it calls: after an edit here, delete the `__pycache__` folders of `core/`.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

BASE = np.uint64(0x9E6C63D0876A9A4F)
"""Base of the rolling polynomial: odd, and 3 modulo 4, so that swapped words lose few bits."""
_M1 = np.uint64(0xFF51AFD7ED558CCD)
_M2 = np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT = np.uint64(33)


@njit(nogil=True, cache=True)
def mix64(value: Any) -> Any:
    """uint64 → uint64: the finaliser of MurmurHash3, a bijection whose every bit is mixed."""
    value ^= value >> _SHIFT
    value *= _M1
    value ^= value >> _SHIFT
    value *= _M2
    return value ^ (value >> _SHIFT)


@njit(nogil=True, cache=True)
def shingle_hashes(words: NDArray[Any], length: int, out: NDArray[Any]) -> int:
    """Hash every run of `length` words of one document into `out`; returns how many.

    words: uint64[count] word hashes in order. Repeats are kept, order is that of the text. A
    document shorter than `length` gives one hash of all its words. `out` needs
    max(1, count - length + 1) places. The length is mixed in, so that lengths never collide.
    """
    width = min(length, words.size)
    runs = words.size - width + 1
    seed = mix64(np.uint64(length))
    rolling = np.uint64(0)
    leaving = np.uint64(1)
    for word in words[:width]:
        rolling = rolling * BASE + word
        leaving *= BASE
    out[0] = mix64(rolling ^ seed)
    for first in range(1, runs):
        rolling = rolling * BASE + words[first + width - 1] - words[first - 1] * leaving
        out[first] = mix64(rolling ^ seed)
    return runs


@njit(nogil=True, cache=True)
def most_shingles(counts: NDArray[Any]) -> Any:
    """Room that `shingle_hashes` needs for any of these documents, whatever the length."""
    most = 1
    for count in counts:
        most = max(most, count)
    return most
