"""Collapse in form: texts that compress together, begin alike, or are all near each other.

Alarms, not measures of content: they compare one batch with the batches before it, so every figure
is meant for samples of a fixed size. Invariant: order of the texts does not matter, except to the
compression ratio, and there hardly.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
import zstandard
from numba import njit
from numpy.typing import NDArray

from seedcorn.core.text.buffers import pack
from seedcorn.core.text.hashing import shingle_hashes
from seedcorn.core.text.normaliser import normalise
from seedcorn.core.text.shingles import shingles_of
from seedcorn.core.text.words import TextRule, Words, hashes_of, read_words

OPENING = 8
"""Words that make an opening."""
REPEATED = 4
"""Words of a shingle that repeats."""
DIVERSITY_MOST = 2000
"""Texts that `diversity` takes: its memory grows with their square."""
_LEVEL = 3
_GRAMS = (2, 3, 4)
_PREFIX = 256
"""Characters that hold an opening in all but odd texts."""


class Form(TypedDict):
    """What alarms look at."""

    compression_ratio: float
    openings: float
    repetition: float
    diversity: float


def form(texts: Sequence[str], rule: TextRule) -> Form:
    """All figures of a sample; about 10 ms for 64 texts of 1 kB."""
    return {
        "compression_ratio": compression_ratio(texts),
        "openings": opening_share(texts, rule),
        "repetition": repetition(texts, rule),
        "diversity": diversity(texts, rule),
    }


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


def repetition(texts: Sequence[str], rule: TextRule) -> float:
    """Share of the places for a four-word shingle whose shingle another of the texts has as well.

    .03 to .25 for prose of one source, .4 and more for filled-in templates; 0 for no text. After
    self-repetition of Salkar et al. 2022, who count the summaries that repeat each other.
    """
    runs = [np.unique(found, return_counts=True) for found in _runs(texts, rule)]
    keys = np.concatenate([keys for keys, _ in runs] or [np.empty(0)])
    places = np.concatenate([counts for _, counts in runs] or [np.empty(0)])
    _, number, texts_with = np.unique(keys, return_inverse=True, return_counts=True)
    shared = float(places[texts_with[number] > 1].sum())
    return shared / float(places.sum()) if len(places) else 0.0


def diversity(texts: Sequence[str], rule: TextRule) -> float:
    """Effective number of different texts as a share of them: 1 where no two share two words in a
    row, 1/n where all n are equal.

    The Vendi score of order 2 over n, n / |K|^2 (Pasarkar and Dieng 2023); K is the mean over
    n-grams of 2 to 4 words of the cosine between the texts' sets of n-grams. Single words are left
    out, since all text of a language shares them, and order 2 instead of 1, because the many small
    eigenvalues that fillings leave behind hide a template. 64 texts of prose have .8 to .95, of a
    filled-in template .05 to .2. 0 for no text. Raises ValueError for more than 2000 texts.
    """
    if len(texts) > DIVERSITY_MOST:
        raise ValueError(f"diversity of {len(texts)} texts: give at most {DIVERSITY_MOST}")
    if not texts:
        return 0.0
    words = read_words(*pack([text.encode("utf-8", "replace") for text in texts]), rule)
    kernel = np.mean([_cosines(words, length) for length in _GRAMS], axis=0)
    return len(texts) / float((kernel**2).sum())


def _runs(texts: Sequence[str], rule: TextRule) -> list[NDArray[np.uint64]]:
    """Four-word shingles of each text, place by place."""
    found = []
    for text in texts:
        words = hashes_of(text, rule)
        out = np.empty(max(1, len(words) - REPEATED + 1), np.uint64)
        shingle_hashes(words, REPEATED, out)
        found.append(out)
    return found


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
