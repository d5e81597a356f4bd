"""Novel share (rho) and novel bits (B_g): what the nearest history does not explain.

rho(d) = C(d | 4 nearest documents) / C(d | 4 strangers), C in compressed bytes. A copy is explained
by its original, a paraphrase in part; new text compresses no better beside its neighbours than
beside strangers. Invariant: every document meets the history and the documents before it, never
later ones, and the same documents in the same order give the same shares.
"""

import math
from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
import zstandard
from numpy.typing import NDArray

from seedcorn.core.companions.neighbours import GROWN, REAL, WANTED, Found
from seedcorn.core.companions.queries import QueryIndex
from seedcorn.core.intervals import Interval, students_t

LEVEL = 19
PARAPHRASE = 0.6
"""A mean rho below this says that the text is mostly its neighbours in other words."""
RESAMPLES = 1000
"""Bootstrap draws behind an interval."""
_SMALLEST_DICTIONARY = 8
"""zstd takes no dictionary of fewer bytes."""


def shares(index: QueryIndex, found: Found, level: int = LEVEL) -> NDArray[np.float64]:
    """rho per query document, float64[d]: below .05 for copies, about .3 for 15 % edits, .8 to 1
    for new text.

    C is zstd with the other texts as raw-content dictionary, without what an empty frame costs.
    Short texts tell less: at 100 bytes copies have .15 and new text .65 to .75. Strangers are real
    and grown texts in turn, where there are both: a history that has itself collapsed would hide the
    next collapse. A document without a byte has share 0. About .7 ms per document of 1 kB.
    """
    costs = np.zeros((len(index.words), 2))
    for piece, text in enumerate(index.texts):
        close = [key for key in found.near[piece].tolist() if key]
        far = _strangers(found, piece, set(close))
        close += far[: WANTED - len(close)]
        known = [[found.texts[key] for key in reversed(some)] for some in (close, far)]
        costs[index.owner[piece]] += [size(text, some, level) for some in known]
    return np.divide(costs[:, 0], costs[:, 1], out=np.zeros(len(costs)), where=costs[:, 1] > 0)


def _strangers(found: Found, piece: int, close: set[int]) -> list[int]:
    """Content hashes of the random texts of a query piece."""
    kinds = [
        [key for key in found.far[kind, piece].tolist() if key and key not in close]
        for kind in (REAL, GROWN)
    ]
    mixed = [key for pair in zip_longest(*kinds) for key in pair if key is not None]
    return list(dict.fromkeys(mixed))[:WANTED]


def novel_bits(documents: Sequence[str], shares: NDArray[np.float64], population: int) -> Interval:
    """B_g in bits: the sum of rho(d) * 8 * |zstd(d)| over `population` accepted documents.

    `documents` are a fair sample of them and `shares` their rho. 95 % interval of the scaled mean
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
    half = students_t(max(1, n - 1)) * math.sqrt(spread / n * (1 - n / population))
    return Interval(mean, max(0.0, mean - half), mean + half)


def ratio_interval(
    part: NDArray[np.float64], whole: NDArray[np.float64], population: int
) -> Interval:
    """`sum(part) / sum(whole)` over a fair sample of `population` documents, 0 <= part <= whole.

    Percentile interval of 1000 resamples of documents (Efron 1979), with the finite population
    correction of `mean_interval`. Where all of the whole is 0 nothing is known: 0 to 1.
    """
    n, total = len(part), float(whole.sum())
    if not 0 < n <= population:
        raise ValueError(f"a sample of {n} out of {population} says nothing about a share")
    if total <= 0:
        return Interval(0.0, 0.0, 1.0)
    drawn = np.random.default_rng(n).multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    sums = drawn @ whole
    ratios = (drawn @ part)[sums > 0] / sums[sums > 0]
    share, narrowed = float(part.sum()) / total, math.sqrt(1 - n / population)
    low, high = (share + narrowed * (float(q) - share) for q in np.quantile(ratios, [0.025, 0.975]))
    return Interval(share, min(share, low), max(share, high))


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
