"""What a text is known by: band keys, exact hash, verification signature, ledger shingles.

Everything is computed over an Arrow text buffer in compiled loops that release the GIL: call it in
a thread, not on an event loop. Only documents whose normalisation depends on context (combining
marks that compose, capital sigmas, bytes that are not UTF-8) pass through Python. Fingerprints are
a function of a document's normalised words alone: never of its batch, its place or its neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seedcorn.core.identity import uint64
from seedcorn.core.text.buffers import pack, read_only
from seedcorn.core.text.hashing import mix64
from seedcorn.core.text.minhash import (
    BANDS,
    PERMUTATIONS,
    ROWS,
    SHINGLE,
    SIGNATURE_BYTES,
    band_keys,
    estimate,
    estimates,
    minima,
    permutations,
    signatures,
)
from seedcorn.core.text.shingles import ALL, Shingles, shingles, shingles_many, shingles_of
from seedcorn.core.text.words import TextRule, Words, read_words

__all__ = [
    "ALL",
    "BANDS",
    "FINGERPRINT_VERSION",
    "KEYS",
    "PERMUTATIONS",
    "ROWS",
    "SHINGLE",
    "SIGNATURE_BYTES",
    "Fingerprints",
    "Shingles",
    "estimate",
    "fingerprint",
    "fingerprint_texts",
    "fingerprint_words",
    "minhash",
    "read_words",
    "shingles",
    "shingles_many",
    "shingles_of",
    "similarity",
]

FINGERPRINT_VERSION = 1
"""Format of everything in this module; mixed into every key, as the text rule is, so that those of
different versions or rules never match."""
KEYS = BANDS + 1
"""Keys per document: one per band, and the exact one."""

_PERMUTATIONS = permutations()
_SEEDS = {
    rule: np.array(
        [uint64("key", FINGERPRINT_VERSION, int(rule), k) for k in range(KEYS)], np.uint64
    )
    for rule in TextRule
}
_TEXT_SEED = np.uint64(0xD6E8FEB86659FD93)
_TEXT_PRIME = np.uint64(0xA0761D6478BD642F)


@dataclass(frozen=True)
class Fingerprints:
    """Fingerprints of n documents, row by row."""

    keys: NDArray[np.uint64]
    """[n, 17]: 16 band keys, then the exact key. Uniform over 64 bits; band number and version are
    mixed in, so all keys live in one table."""
    signature: NDArray[np.uint8]
    """[n, 64]: 128 minima of 4 bits, for `similarity`."""
    text_hash: NDArray[np.uint64]
    """[n]: hash of the text in form C with its white space folded; under text rule 1, of the
    normalised words in order. Equal texts, equal hashes."""
    words: NDArray[np.int32]
    """[n]: words; code points of words in scripts without spaces."""

    def rows(self, kept: NDArray[np.bool_]) -> "Fingerprints":
        """Those of some of the documents; `kept` has shape [n]."""
        return Fingerprints(
            self.keys[kept], self.signature[kept], self.text_hash[kept], self.words[kept]
        )


def fingerprint(data: NDArray[np.uint8], offsets: NDArray[Any], rule: TextRule) -> Fingerprints:
    """Fingerprints of the documents `data[offsets[i]:offsets[i + 1]]`, UTF-8.

    data: uint8[:]; offsets: int32 or int64 [n + 1], as they lie in an Arrow string array (a sliced
    array's offsets need not start at 0). MinHash sees 5-word shingles; 8 code points in scripts
    without spaces. Raises ValueError for offsets that do not fit the buffer.
    """
    return fingerprint_words(read_words(data, offsets, rule))


def fingerprint_words(words: Words) -> Fingerprints:
    """Fingerprints of texts that are read already."""
    rows = _minima(words)
    keys = np.empty((len(rows), KEYS), np.uint64)
    seeds = _SEEDS[words.rule]
    band_keys(rows, seeds, keys)
    text_hash = words.exact
    if words.rule == TextRule.ONE:
        text_hash = _text_hashes(words.hashes, words.starts, words.counts)
    _exact_keys(text_hash, seeds[BANDS], keys)
    return Fingerprints(keys, signatures(rows), text_hash, words.counts.astype(np.int32))


def fingerprint_texts(texts: Sequence[str], rule: TextRule) -> Fingerprints:
    """`fingerprint` of Python strings. Lone surrogates separate words."""
    return fingerprint(*pack([text.encode("utf-8", "replace") for text in texts]), rule)


def minhash(data: NDArray[np.uint8], offsets: NDArray[Any], rule: TextRule) -> NDArray[np.uint32]:
    """uint32[n, 128]: the full minima, equal to datasketch 2.0's `affine32` with seed 1.

    Its input hashes are the low 32 bits of the shingle hashes.
    """
    return _minima(read_words(data, offsets, rule))


def similarity(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.float32]:
    """float32[m]: estimated Jaccard similarity of signatures uint8[m, 64], row by row.

    Raises ValueError if the shapes differ.
    """
    if left.shape != right.shape or left.shape[1:] != (SIGNATURE_BYTES,):
        raise ValueError(
            f"signatures of shape {left.shape} and {right.shape}: give two arrays [m, 64]"
        )
    return estimates(read_only(left), read_only(right))


def _minima(words: Words) -> NDArray[np.uint32]:
    rows = minima(words.hashes, words.starts, words.counts, words.unspaced, _PERMUTATIONS)
    if words.rule != TextRule.ONE:  # Texts without a word are near nothing but themselves.
        none = np.flatnonzero(words.counts == 0)
        alone, starts, counts = (
            words.exact[none],
            np.arange(len(none)),
            np.ones(len(none), np.int64),
        )
        rows[none] = minima(alone, starts, counts, words.unspaced[none], _PERMUTATIONS)
    return rows


@njit(nogil=True, cache=True)
def _text_hashes(hashes: NDArray[Any], starts: NDArray[Any], counts: NDArray[Any]) -> NDArray[Any]:
    """Hash each document's words in order."""
    out = np.empty(starts.size, np.uint64)
    for i in range(starts.size):
        state = _TEXT_SEED
        for word in hashes[starts[i] : starts[i] + counts[i]]:
            state = (state ^ word) * _TEXT_PRIME
            state ^= state >> np.uint64(29)
        out[i] = mix64(state ^ np.uint64(counts[i]))
    return out


@njit(nogil=True, cache=True)
def _exact_keys(text_hash: NDArray[Any], seed: Any, keys: NDArray[Any]) -> None:
    """The exact key of each document, into the last column of `keys`."""
    for i in range(text_hash.size):
        keys[i, BANDS] = mix64(text_hash[i] ^ seed)
