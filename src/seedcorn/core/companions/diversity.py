"""Collapse in form: texts that compress together, begin alike, or are all near each other.

Alarms, not measures of content: they compare one batch with the batches before it, so every figure
is meant for samples of a fixed size. Invariant: order of the texts does not matter to openings and
Vendi, and to the compression ratio hardly.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
import zstandard
from numba import njit
from numpy.typing import NDArray

from seedcorn.core.text.buffers import pack
from seedcorn.core.text.normaliser import normalise
from seedcorn.core.text.shingles import shingles_of
from seedcorn.core.text.words import TextRule, Words, hashes_of, read_words

OPENING = 8
"""Words that make an opening."""
VENDI_MOST = 2000
"""Documents that `vendi` takes: its time grows with their cube (1.2 s at 2000)."""
_LEVEL = 3
_GRAMS = (1, 2, 3, 4)
_PREFIX = 256
"""Characters that hold an opening in all but odd texts."""


class Form(TypedDict):
    """What alarms look at."""

    compression_ratio: float
    openings: float


def form(texts: Sequence[str], rule: TextRule) -> Form:
    """Both figures of a sample; about 1 ms for 64 texts of 1 kB."""
    return {"compression_ratio": compression_ratio(texts), "openings": opening_share(texts, rule)}


def compression_ratio(texts: Sequence[str]) -> float:
    """Bytes of the texts joined by newlines, over their bytes under zstd level 3; 1 for no text.

    64 texts of 1 kB of English prose have about 2.7, filled-in templates 5 and more. Grows with the
    size of the sample, so compare samples of equal size only (Shaib et al. 2024).
    """
    data = "\n".join(texts).encode("utf-8", "replace")
    if not data:
        return 1.0
    return len(data) / len(zstandard.ZstdCompressor(level=_LEVEL).compress(data))


def opening_share(texts: Sequence[str], rule: TextRule, words: int = OPENING) -> float:
    """Share of texts whose first `words` normalised words are those of another text as well.

    A shorter text is its own opening. Texts without a word count, and all open alike. 0 for no
    text.
    """
    openings = Counter(_opening(text, rule, words) for text in texts)
    shared = sum(count for count in openings.values() if count > 1)
    return shared / len(texts) if texts else 0.0


def vendi(texts: Sequence[str], rule: TextRule) -> float:
    """Effective number of different texts: 1 where all are equal, n where none share a word.

    exp of the entropy of the eigenvalues of K/n; K is the mean over n-grams of 1 to 4 words of the
    cosine between the texts' sets of n-grams (Friedman and Dieng 2023). 0 for no text. Raises
    ValueError for more than 2000 texts: take a sample of fixed size.
    """
    if len(texts) > VENDI_MOST:
        raise ValueError(f"vendi of {len(texts)} texts: give a sample of at most {VENDI_MOST}")
    if not texts:
        return 0.0
    words = read_words(*pack([text.encode("utf-8", "replace") for text in texts]), rule)
    kernel = np.mean([_cosines(words, length) for length in _GRAMS], axis=0)
    values = np.linalg.eigvalsh(kernel / len(texts))
    values = values[values > 1e-12]
    return math.exp(-float(np.sum(values * np.log(values))))


def _opening(text: str, rule: TextRule, words: int) -> tuple[object, ...]:
    """The word after the opening must be there too, else the cut may have shortened the last."""
    start = _words(text[:_PREFIX], rule)
    if len(start) <= words and len(text) > _PREFIX:
        start = _words(text, rule)
    return tuple(start[:words])


def _words(text: str, rule: TextRule) -> Sequence[object]:
    if rule == TextRule.ONE:  # Runs of characters, where a script has no spaces.
        return normalise(text).split()
    return hashes_of(text, rule).tolist()


def _cosines(words: Words, length: int) -> NDArray[np.float64]:
    """[n, n]: cosine of the texts' sets of `length`-word shingles."""
    found = shingles_of(words, length)
    sizes = np.diff(found.offsets)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    order = np.argsort(found.hashes, kind="stable")
    starts = np.flatnonzero(np.diff(found.hashes[order], prepend=0, append=0))
    common = _common(owner[order], starts, len(sizes))
    norm = np.sqrt(np.diag(common))
    return common / np.outer(norm, norm)


@njit(nogil=True, cache=True)
def _common(owner: NDArray[Any], starts: NDArray[Any], n: int) -> NDArray[Any]:
    """[n, n]: shingles in common; owners of equal shingles stand together, ascending."""
    common = np.zeros((n, n))
    for run in range(starts.size - 1):
        for left in range(starts[run], starts[run + 1]):
            for right in range(starts[run], left + 1):
                common[owner[left], owner[right]] += 1.0
    for i in range(n):
        for j in range(i):
            common[j, i] = common[i, j]
    return common
