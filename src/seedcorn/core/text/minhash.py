"""MinHash of one document's shingles: 128 permutations, 16 band keys, a 64-byte signature.

The permutations are those of datasketch 2.0 (`affine32`, seed 1: a·h + b modulo 2³², a odd), so an
independent library can check every signature. Near duplicates are found by equal band keys and
confirmed by `estimate` on the signatures, which keep 4 hashed bits of each minimum (b-bit MinHash,
Li and König 2010).
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seedcorn.core.text.hashing import mix64, most_shingles, shingle_hashes

PERMUTATIONS = 128
BANDS = 16
ROWS = 8
SIGNATURE_BYTES = 64
"""Two permutations to a byte, the even one in the low half."""
SHINGLE = 5
"""Words per shingle."""
UNSPACED_SHINGLE = 8
"""Code points per shingle where a script has no spaces (a 5-word shingle would be a sentence)."""

_BLOCK = 64
"""Hashes are padded to a multiple of this, so that the inner loop has no remainder."""
_HIGHEST = np.uint32(0xFFFFFFFF)
_C1 = np.uint32(0x85EBCA6B)
_C2 = np.uint32(0xC2B2AE35)
_C3 = np.uint32(0x9E3779B1)


def permutations() -> NDArray[np.uint32]:
    """uint32[2, 128]: multipliers (odd) and offsets, drawn as datasketch 2.0 draws them."""
    random = np.random.RandomState(1)
    multipliers = random.randint(0, 1 << 31, PERMUTATIONS, dtype=np.uint32) * np.uint32(2)
    offsets = random.randint(0, 1 << 32, PERMUTATIONS, dtype=np.uint32)
    return np.stack([multipliers + np.uint32(1), offsets])


@njit(nogil=True, cache=True)
def minima(
    hashes: NDArray[Any],
    starts: NDArray[Any],
    counts: NDArray[Any],
    unspaced: NDArray[Any],
    permuted: NDArray[Any],
) -> NDArray[Any]:
    """uint32[n, 128]: the least permuted shingle hash per document and permutation."""
    out = np.empty((starts.size, PERMUTATIONS), np.uint32)
    room = most_shingles(counts) + _BLOCK
    shingles = np.empty(room, np.uint64)
    short = np.empty(room, np.uint32)
    for i in range(starts.size):
        words = hashes[starts[i] : starts[i] + counts[i]]
        found = shingle_hashes(words, UNSPACED_SHINGLE if unspaced[i] else SHINGLE, shingles)
        padded = (found + _BLOCK - 1) // _BLOCK * _BLOCK
        for j in range(found):
            short[j] = _mix32(np.uint32(shingles[j]))
        for j in range(found, padded):
            short[j] = short[0]
        for k in range(PERMUTATIONS):
            out[i, k] = _minimum(short[:padded], permuted[0, k], permuted[1, k])
    return out


@njit(nogil=True, cache=True)
def _mix32(value: Any) -> Any:
    """datasketch mixes its 32-bit input hashes once more; to agree with it, so do we."""
    value = np.uint32(value ^ (value >> np.uint32(16)))
    value = np.uint32(value * _C1)
    value = np.uint32(value ^ (value >> np.uint32(13)))
    value = np.uint32(value * _C2)
    return np.uint32(value ^ (value >> np.uint32(16)))


@njit(nogil=True, cache=True)
def _minimum(hashes: NDArray[Any], multiplier: Any, offset: Any) -> Any:
    """Least `multiplier * h + offset` modulo 2³².

    One permutation at a time, by index, every step cast back to 32 bits: numba widens uint32
    arithmetic and `min`, and the loop written otherwise is not vectorised (ten times slower).
    """
    least = _HIGHEST
    for j in range(hashes.size):
        permuted = np.uint32(np.uint32(hashes[j] * multiplier) + offset)
        if permuted < least:
            least = permuted
    return least


@njit(nogil=True, cache=True)
def band_keys(rows: NDArray[Any], seeds: NDArray[Any], out: NDArray[Any]) -> None:
    """Fill out[:, band] with a 64-bit mix of the band's 8 minima and `seeds[band]`."""
    for i in range(rows.shape[0]):
        for band in range(BANDS):
            key = seeds[band]
            for row in range(band * ROWS, band * ROWS + ROWS, 2):
                pair = (np.uint64(rows[i, row]) << np.uint64(32)) | np.uint64(rows[i, row + 1])
                key = mix64(key ^ pair)
            out[i, band] = key


@njit(nogil=True, cache=True)
def signatures(rows: NDArray[Any]) -> NDArray[Any]:
    """uint8[n, 64]: 4 bits of each minimum.

    The bits come from a mix of the whole minimum: the plain low bits of a·h + b depend on the low
    bits of h alone, so that two one-shingle documents could agree in every permutation.
    """
    out = np.empty((rows.shape[0], SIGNATURE_BYTES), np.uint8)
    for i in range(rows.shape[0]):
        for j in range(SIGNATURE_BYTES):
            low = _four_bits(rows[i, 2 * j])
            out[i, j] = low | (_four_bits(rows[i, 2 * j + 1]) << np.uint32(4))
    return out


@njit(nogil=True, cache=True)
def _four_bits(minimum: Any) -> Any:
    mixed = np.uint32((minimum ^ (minimum >> np.uint32(15))) * _C3)
    return np.uint32(mixed >> np.uint32(28))


@njit(nogil=True, cache=True)
def estimate(left: NDArray[Any], right: NDArray[Any]) -> float:
    """Jaccard similarity of two signatures, uint8[64] each; callable from other kernels.

    A share 1/16 of unequal minima agrees by chance and is taken off; clipped to [0, 1]. Equal
    shingle sets give exactly 1; the standard deviation at .7 is about .04.
    """
    equal = 0
    for j in range(SIGNATURE_BYTES):
        different = left[j] ^ right[j]
        equal += (different & 0x0F) == 0
        equal += (different & 0xF0) == 0
    return max(0.0, (16.0 * equal / PERMUTATIONS - 1.0) / 15.0)


@njit(nogil=True, cache=True)
def estimates(left: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    """float32[m]: `estimate` row by row."""
    out = np.empty(left.shape[0], np.float32)
    for i in range(left.shape[0]):
        out[i] = estimate(left[i], right[i])
    return out
