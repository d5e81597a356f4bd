"""What it costs to spell a word: byte after byte, learned from distinct words.

Below every model of words, so that a word never seen has a probability, and bits per byte are those
of a code that could be written down.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

END = 256
"""The sign for "the word ends"; costs the space between words."""
PRIOR = 8.0
"""Weight, in bytes seen, of the byte frequencies beside the frequencies after one byte."""
_LEAST = -1000.0

Spelled = tuple[NDArray[np.int64], NDArray[np.int64]]
"""(bytes, offsets): word i is `bytes[offsets[i]:offsets[i + 1]]`, closed by the end sign."""


def laid_out(words: Sequence[bytes]) -> Spelled:
    """Words end to end, each closed by the end sign."""
    offsets = np.concatenate([[0], np.cumsum([len(word) + 1 for word in words], dtype=np.int64)])
    data = np.full(int(offsets[-1]), END, np.int64)
    inside = np.ones(len(data), bool)
    inside[offsets[1:] - 1] = False
    data[inside] = np.frombuffer(b"".join(words), np.uint8)
    return data, offsets


def byte_pairs(words: Spelled, counted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """[257, 257]: probability of a byte (or the end) after a byte (or the end of the last word).

    Over distinct words, those that `counted` [words] marks: new words resemble the types.
    """
    data, offsets = words
    before = np.concatenate([[END], data[:-1]])[: len(data)]
    picked = np.repeat(counted, np.diff(offsets))
    pairs = np.zeros((END + 1, END + 1))
    np.add.at(pairs, (before[picked], data[picked]), 1)
    single = (pairs.sum(axis=0) + 1) / (pairs.sum() + END + 1)
    weight = pairs.sum(axis=1, keepdims=True) + PRIOR
    return (pairs + PRIOR * single) / weight


def word_bits(words: Spelled, pairs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bits of every word, its end included; at most 1000."""
    data, offsets = words
    if len(offsets) == 1:
        return np.empty(0)
    before = np.concatenate([[END], data[:-1]])
    logs = np.add.reduceat(np.log2(pairs)[before, data], offsets[:-1])
    return -np.maximum(logs, _LEAST)
