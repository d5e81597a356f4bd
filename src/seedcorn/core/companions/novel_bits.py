"""Novel share (rho) and novel bits (B_g): what the nearest history does not explain.

rho(d) = C(d | 4 nearest documents) / C(d | 4 strangers), C in compressed bytes. A copy is explained
by its original, a paraphrase in part; new text compresses no better beside its neighbours than
beside strangers. Invariant: every document meets the history and the documents before it, never
later ones, and the same documents in the same order give the same shares.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
import zstandard
from numpy.typing import NDArray

from seedcorn.core.companions.neighbours import nearest, pool
from seedcorn.core.identity import uint64
from seedcorn.core.intervals import Interval, students_t
from seedcorn.core.text.words import NEWEST, TextRule

NEIGHBOURS = 4
LEVEL = 19
PARAPHRASE = 0.6
"""A mean rho below this says that the text is mostly its neighbours in other words."""
_SMALLEST_DICTIONARY = 8
"""zstd takes no dictionary of fewer bytes."""


def shares(
    documents: Sequence[str],
    history: Sequence[str],
    own: Sequence[Sequence[str]] = (),
    rule: TextRule = NEWEST,
    neighbours: int = NEIGHBOURS,
    level: int = LEVEL,
) -> NDArray[np.float64]:
    """rho per document, float64[n]: below .05 for copies, about .3 for 15 % edits, .8 to 1 for new.

    C is zstd with the other documents as raw-content dictionary, without what an empty frame costs.
    Short texts tell less: at 100 bytes copies have .15 and new text .65 to .75. Nearest are those
    with the highest cosine of TF-IDF out of `history`, the documents before this one, and `own[i]`,
    such as its parents. Strangers are drawn from the history by a hash of the document (from the
    documents before it where the history is too small), so that a generation that repeats itself is
    compared with what was there before it. An empty document has share 0. About .7 ms per document
    of 1 kB, and .1 ms per history document (.5 s for 400 against 2000). Raises ValueError unless
    `own` is empty or has n parts.
    """
    if own and len(own) != len(documents):
        raise ValueError(f"{len(own)} lists of own candidates for {len(documents)} documents")
    pieces = pool(documents, history, own)
    near = nearest(pieces, neighbours, rule)
    ring = sorted((uint64("ring", text), i) for i, text in enumerate(pieces.texts))
    found = np.zeros(len(documents))
    for number in range(len(documents)):
        first, last = pieces.starts[number], pieces.starts[number + 1]
        visible = pieces.history if pieces.history >= 2 * neighbours else first
        costs = np.zeros(2)
        for at in range(first, last):
            text = pieces.texts[at]
            close = [int(i) for i in near[at - pieces.history] if i >= 0]
            far = _distant_texts(text, ring, visible, set(close), neighbours)
            close += far[: neighbours - len(close)]
            known = [[pieces.texts[i] for i in reversed(some)] for some in (close, far)]
            costs += [size(text, some, level) for some in known]
        found[number] = costs[0] / costs[1] if costs[1] else 0.0
    return found


def novel_bits(documents: Sequence[str], shares: NDArray[np.float64], population: int) -> Interval:
    """B_g in bits: the sum of rho(d) * 8 * |zstd(d)| over `population` accepted documents.

    `documents` are a fair sample of them and `shares` their rho. 95 % interval of the scaled mean
    (Student, with the finite population correction): exact where the sample is everything. The
    sample's documents met only each other: likeness to unsampled ones of the same generation is
    seen through `own` and `history` alone, so B_g is an upper estimate.
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
    half = students_t(max(1, n - 1)) * math.sqrt(spread / n * (1 - n / population))
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


def _distant_texts(
    text: str, ring: list[tuple[int, int]], visible: int, excluded: set[int], wanted: int
) -> list[int]:
    """Pieces below `visible` that follow a hash of the text on the ring of all pieces' hashes."""
    start = bisect_left(ring, (uint64("stranger", text), 0))
    found: list[int] = []
    for step in range(len(ring)):
        piece = ring[(start + step) % len(ring)][1]
        if len(found) == wanted:
            break
        if piece < visible and piece not in excluded:
            found.append(piece)
    return found
