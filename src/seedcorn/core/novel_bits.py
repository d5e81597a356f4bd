"""ρ and B_g: how much of a document the nearest history does not explain.

ρ(d) = C(d | 4 nearest documents) / C(d | 4 random ones), C in compressed bytes. A copy is explained
by its original, a paraphrase in part; new text compresses no better beside its neighbours than
beside strangers. Invariant: every document meets the history and the documents before it, never
later ones, and the same documents in the same order give the same shares.
"""

import math
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import zstandard
from numba import njit
from numpy.typing import NDArray

from seedcorn.core.identity import uint64
from seedcorn.core.intervals import Interval
from seedcorn.core.shingles import shingles_of
from seedcorn.core.words import pack, read_words

PIECE = 16_384
"""Characters. Longer documents are compared in pieces, so that a copied chapter of a book finds its
neighbours, and the cost of one comparison is bounded."""
NEIGHBOURS = 4
LEVEL = 19
_COMMON = 20
"""A feature that more than one piece in 20 has tells no neighbour from a stranger."""
_SMALLEST_DICTIONARY = 8
"""zstd takes no dictionary of fewer bytes."""


def shares(
    documents: Sequence[str],
    history: Sequence[str],
    own: Sequence[Sequence[str]] = (),
    neighbours: int = NEIGHBOURS,
    level: int = LEVEL,
) -> NDArray[np.float64]:
    """ρ per document, float64[n]: about .05 for copies, .2 to .3 light edits, .8 to 1 new text.

    C is zstd with the other documents as raw-content dictionary, without what an empty frame costs;
    below 200 bytes of text a copy still costs up to .2. Nearest are those with the highest cosine
    of TF-IDF over hashed words and word pairs, out of `history`, the documents before this one, and
    `own[i]`, such as its parents. Strangers are picked by a hash of the content. An empty document
    has share 0. About 1 ms per document of 1.5 kB against 10^4 history documents, plus .15 ms to
    index each history document. Raises ValueError unless `own` is empty or has n parts.
    """
    if own and len(own) != len(documents):
        raise ValueError(f"{len(own)} lists of own candidates for {len(documents)} documents")
    pool = _pool(documents, history, own)
    nearest = _neighbours(pool, neighbours)
    found = np.zeros(len(documents))
    ring = sorted((uint64("ring", pool.texts[i]), i) for i in range(pool.history))
    for number in range(len(documents)):
        first, last = pool.starts[number], pool.starts[number + 1]
        near = far = 0
        for at in range(first, last):
            chosen = [int(i) for i in nearest[at - pool.history] if i >= 0]
            strangers = _strangers(pool.texts[at], ring, set(chosen), neighbours)
            near += size(pool.texts[at], [pool.texts[i] for i in reversed(chosen)], level)
            far += size(pool.texts[at], [pool.texts[i] for i in strangers], level)
        found[number] = near / far if far else 0.0
        for at in range(first, last):
            insort(ring, (uint64("ring", pool.texts[at]), at))
    return found


def novel_bits(documents: Sequence[str], shares: NDArray[np.float64], population: int) -> Interval:
    """B_g in bits: the sum of ρ(d) · 8 · |zstd(d)| over `population` accepted documents.

    `documents` are a fair sample of them and `shares` their ρ. 95 % interval of the scaled mean
    (Student, with the finite population correction): exact where the sample is everything.
    """
    bits = np.array([8.0 * size(text, ()) for text in documents]) * shares
    mean = mean_interval(bits, population)
    return Interval(*(population * value for value in mean))


def mean_interval(values: NDArray[np.float64], population: int) -> Interval:
    """Mean of `population` values >= 0 from a fair sample of them, [n], with its 95 % interval.

    A single value of many says nothing about spread: it is taken to be as large as the value.
    Raises ValueError for no value, or for more values than the population has.
    """
    n = len(values)
    if not 0 < n <= population:
        raise ValueError(f"a sample of {n} out of {population} says nothing about a mean")
    mean = float(values.mean())
    if n == population:
        return Interval(mean, mean, mean)
    spread = float(values.var(ddof=1)) if n > 1 else mean**2
    half = _student(max(1, n - 1)) * math.sqrt(spread / n * (1 - n / population))
    return Interval(mean, max(0.0, mean - half), mean + half)


def size(text: str, known: Sequence[str], level: int = LEVEL) -> int:
    """C(text | known): compressed bytes beyond those of an empty frame; the last known text counts
    as the nearest, because zstd pays less for short distances."""
    settings = zstandard.ZstdCompressionParameters.from_level(
        level, format=zstandard.FORMAT_ZSTD1_MAGICLESS, write_content_size=False
    )
    prefix = "\n".join(known).encode("utf-8", "replace")
    data = text.encode("utf-8", "replace")
    if len(prefix) < _SMALLEST_DICTIONARY:
        compressor = zstandard.ZstdCompressor(compression_params=settings)
    else:
        content = zstandard.ZstdCompressionDict(prefix, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
        compressor = zstandard.ZstdCompressor(compression_params=settings, dict_data=content)
    return len(compressor.compress(data)) - len(compressor.compress(b""))


@dataclass(frozen=True, slots=True, eq=False)
class _Pool:
    """All pieces: those of the history, then of the documents, then own ones of neither."""

    texts: list[str]
    history: int
    """Pieces of the history."""
    starts: list[int]
    """[n + 1]: document i has the pieces `starts[i]` to `starts[i + 1]`."""
    own: list[list[int]]
    """[n]: pieces that only document i may use besides those before it."""


def _pool(documents: Sequence[str], history: Sequence[str], own: Sequence[Sequence[str]]) -> _Pool:
    texts = [piece for text in history for piece in _pieces(text)]
    held = len(texts)
    starts = [held]
    for document in documents:
        texts.extend(_pieces(document))
        starts.append(len(texts))
    known = {text: i for i, text in reversed(list(enumerate(texts[:held])))}
    extra: list[list[int]] = []
    for candidates in own or [()] * len(documents):
        mine = {piece for text in candidates for piece in _pieces(text)} - known.keys()
        extra.append(list(range(len(texts), len(texts) + len(mine))))
        texts.extend(sorted(mine))
    return _Pool(texts, held, starts, extra)


def _pieces(text: str) -> list[str]:
    """The text cut after spaces into pieces of at most `PIECE` characters, as equal as may be."""
    parts = max(1, math.ceil(len(text) / PIECE))
    cuts = [0]
    for part in range(1, parts):
        space = text.rfind(" ", cuts[-1] + 1, part * len(text) // parts)
        cuts.append(space + 1 if space >= 0 else part * len(text) // parts)
    return [text[a:b] for a, b in zip(cuts, [*cuts[1:], len(text)], strict=True)]


def _strangers(
    text: str, ring: list[tuple[int, int]], excluded: set[int], wanted: int
) -> list[int]:
    """The pieces that follow a hash of the text on the ring of all pieces' hashes."""
    start = bisect_left(ring, (uint64("stranger", text), 0))
    found: list[int] = []
    for step in range(len(ring)):
        piece = ring[(start + step) % len(ring)][1]
        if len(found) == wanted:
            break
        if piece not in excluded:
            found.append(piece)
    return found


def _neighbours(pool: _Pool, wanted: int) -> NDArray[np.int64]:
    """[pieces of documents, wanted]: the nearest pieces, nearest first, -1 where there are none."""
    words = read_words(*pack([text.encode("utf-8", "replace") for text in pool.texts]))
    parts = [shingles_of(words, length) for length in (1, 2)]
    owner = np.concatenate(
        [np.repeat(np.arange(len(pool.texts)), np.diff(p.offsets)) for p in parts]
    )
    kinds, feature, count = np.unique(
        np.concatenate([part.hashes for part in parts]), return_inverse=True, return_counts=True
    )
    rare = (count > 1) & (count <= max(50, len(pool.texts) // _COMMON))
    kept = rare[feature]
    feature, owner = feature[kept], owner[kept]
    weight = np.log((len(pool.texts) + 1) / count)
    norm = np.sqrt(np.bincount(owner, weights=weight[feature] ** 2, minlength=len(pool.texts)))
    by_feature = np.lexsort((owner, feature))
    by_piece = np.lexsort((feature, owner))
    return _nearest(
        owner[by_feature],
        np.searchsorted(feature[by_feature], np.arange(len(kinds) + 1)),
        feature[by_piece],
        np.searchsorted(owner[by_piece], np.arange(len(pool.texts) + 1)),
        weight**2,
        norm,
        *_visible(pool),
        wanted,
    )


def _visible(pool: _Pool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """[pieces of documents]: how many pieces each may look at, and [.., 2] its own extra range."""
    sizes = np.diff(pool.starts)
    before = np.repeat(np.array(pool.starts[:-1]), sizes)
    extra = np.array([(own[0], own[-1] + 1) if own else (0, 0) for own in pool.own]).reshape(-1, 2)
    return before.astype(np.int64), np.repeat(extra.astype(np.int64), sizes, axis=0)


@njit(nogil=True, cache=True)
def _nearest(
    owners: NDArray[Any],
    posting: NDArray[Any],
    features: NDArray[Any],
    starts: NDArray[Any],
    weight: NDArray[Any],
    norm: NDArray[Any],
    before: NDArray[Any],
    extra: NDArray[Any],
    wanted: int,
) -> NDArray[Any]:
    """Cosines by inverted lists; equal cosines are won by the earlier piece."""
    out = np.full((before.size, wanted), -1, np.int64)
    if not before.size:
        return out
    score = np.zeros(norm.size)
    for row in range(before.size):
        piece = before[0] + row
        score[:] = 0.0
        for slot in range(starts[piece], starts[piece + 1]):
            feature = features[slot]
            for place in range(posting[feature], posting[feature + 1]):
                score[owners[place]] += weight[feature]
        for other in range(norm.size):
            allowed = other < before[row] or extra[row, 0] <= other < extra[row, 1]
            if allowed and score[other] > 0.0:
                _keep(out[row], score, norm, other)
    return out


@njit(nogil=True, cache=True)
def _keep(best: NDArray[Any], score: NDArray[Any], norm: NDArray[Any], other: int) -> None:
    """Put a piece at its place among the best so far."""
    score[other] /= norm[other]
    place = best.size
    while place > 0 and (best[place - 1] < 0 or score[best[place - 1]] < score[other]):
        if place < best.size:
            best[place] = best[place - 1]
        place -= 1
    if place < best.size:
        best[place] = other


def _student(freedom: int) -> float:
    """Two-sided 95 % quantile of Student's t: exact at 1 and 2, within .3 % above (Hill 1970)."""
    if freedom == 1:
        return 12.7062
    if freedom == 2:
        return 4.3027
    z = 1.959964
    powers = [z, (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96]
    powers.append((3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384)
    return sum(term / freedom**power for power, term in enumerate(powers))
