"""The nearest texts of a text: cosine of TF-IDF over hashed words and word pairs.

Documents come in order and meet the history and those before them. Invariant: which pieces are
nearest is a function of the texts and their order; equal cosines are won by the earlier piece.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seedcorn.core.text.buffers import pack
from seedcorn.core.text.shingles import shingles_of
from seedcorn.core.text.words import TextRule, read_words

PIECE = 16_384
"""Characters. Longer documents are compared in pieces of about this size, so that a copied chapter
of a book finds its neighbours, and the cost of one comparison is bounded."""
_COMMON = 20
"""A word that more than one piece in 20 has tells no neighbour from a stranger, and is slow. Common
word pairs stay: they are what the fillings of one template have in common."""
_ALWAYS = 50
"""Words of so few pieces are never too common."""

Lists = tuple[NDArray[np.int64], NDArray[np.int64]]
"""(items, offsets): list i is `items[offsets[i]:offsets[i + 1]]`."""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """All pieces: those of the history, then of the documents, then own ones of neither."""

    texts: list[str]
    history: int
    """Pieces of the history."""
    starts: list[int]
    """[n + 1]: document i has the pieces `starts[i]` to `starts[i + 1]`."""
    own: list[tuple[int, int]]
    """[n]: range of pieces that document i alone may use besides those before it."""


def pool(documents: Sequence[str], history: Sequence[str], own: Sequence[Sequence[str]]) -> Pool:
    """Cut all texts into pieces. `own`: empty, or further candidates per document."""
    texts = [piece for text in history for piece in _pieces(text)]
    own_size, known = len(texts), set(texts)
    starts = [own_size]
    for document in documents:
        texts.extend(_pieces(document))
        starts.append(len(texts))
    ranges: list[tuple[int, int]] = []
    for candidates in own or [()] * len(documents):
        mine = {piece for text in candidates for piece in _pieces(text)} - known
        ranges.append((len(texts), len(texts) + len(mine)))
        texts.extend(sorted(mine))
    return Pool(texts, own_size, starts, ranges)


def nearest(pool: Pool, wanted: int, rule: TextRule) -> NDArray[np.int64]:
    """[pieces of the documents, wanted]: nearest pieces, nearest first, -1 where there are none.

    A piece that shares no word or word pair is not near. About .05 ms per piece of 1 kB for
    the features, and .3 ms per piece of a document in a pool of 10^4 pieces.
    """
    pieces = len(pool.texts)
    feature, owner, count = _features(pool.texts, rule)
    weight = np.log((pieces + 1) / count)
    norm = np.sqrt(np.bincount(owner, weights=weight[feature] ** 2, minlength=pieces))
    sizes = np.diff(pool.starts)
    before = np.repeat(np.array(pool.starts[:-1], np.int64), sizes)
    own = np.repeat(np.array(pool.own, np.int64).reshape(-1, 2), sizes, axis=0)
    postings = _lists(feature, owner, len(count))
    return _search(postings, _lists(owner, feature, pieces), weight**2, norm, (before, own), wanted)


def _pieces(text: str) -> list[str]:
    """The text cut after spaces into parts as equal as may be."""
    parts = max(1, math.ceil(len(text) / PIECE))
    cuts = [0]
    for part in range(1, parts):
        aim = part * len(text) // parts
        space = text.rfind(" ", cuts[-1] + 1, aim)
        cuts.append(space + 1 if space >= 0 else aim)
    return [text[a:b] for a, b in zip(cuts, [*cuts[1:], len(text)], strict=True)]


def _features(
    texts: list[str], rule: TextRule
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(feature, piece) of every feature that a piece has, and how many pieces have each feature.

    Features of a single piece are left out: they make nothing near.
    """
    words = read_words(*pack([text.encode("utf-8", "replace") for text in texts]), rule)
    parts = [shingles_of(words, length) for length in (1, 2)]
    numbers = np.arange(len(texts))
    owner = np.concatenate([np.repeat(numbers, np.diff(part.offsets)) for part in parts])
    hashes = np.concatenate([part.hashes for part in parts])
    _, feature, count = np.unique(hashes, return_inverse=True, return_counts=True)
    single = np.arange(len(hashes)) < len(parts[0].hashes)
    limit = np.where(single, max(_ALWAYS, len(texts) // _COMMON), len(texts))
    kept = (count[feature] > 1) & (count[feature] <= limit)
    return feature[kept], owner[kept], count


def _lists(key: NDArray[np.int64], value: NDArray[np.int64], keys: int) -> Lists:
    """Values by key, ascending within a key."""
    order = np.lexsort((value, key))
    offsets = np.concatenate([[0], np.cumsum(np.bincount(key, minlength=keys))])
    return value[order], offsets.astype(np.int64)


@njit(nogil=True, cache=True)
def _search(
    postings: Any,
    features: Any,
    weight: NDArray[Any],
    norm: NDArray[Any],
    visible: Any,
    wanted: int,
) -> NDArray[Any]:
    """Dot products by inverted lists, then the best of those that each piece may see."""
    owners, posting = postings
    used, starts = features
    before, own = visible
    best = np.full((before.size, wanted), -1, np.int64)
    score = np.zeros(norm.size)
    for row in range(before.size):
        score[:] = 0.0
        piece = before[0] + row
        for feature in used[starts[piece] : starts[piece + 1]]:
            for other in owners[posting[feature] : posting[feature + 1]]:
                score[other] += weight[feature]
        for other in range(norm.size):
            seen = other < before[row] or own[row, 0] <= other < own[row, 1]
            if seen and score[other] > 0.0:
                score[other] /= norm[other]
                _keep(best[row], score, other)
    return best


@njit(nogil=True, cache=True)
def _keep(best: NDArray[Any], score: NDArray[Any], other: int) -> None:
    """Put a piece at its place among the best so far, behind equals."""
    place = best.size
    while place > 0 and (best[place - 1] < 0 or score[best[place - 1]] < score[other]):
        if place < best.size:
            best[place] = best[place - 1]
        place -= 1
    if place < best.size:
        best[place] = other
