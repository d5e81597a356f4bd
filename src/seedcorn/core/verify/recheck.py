"""Kept means unique (promise P8), checked by other means than those that decided it.

Nothing here is shared with the index or its fingerprints: words come from `reading`, shingles from
word numbers, candidates from 64 bands x 4 rows of other permutations, and a pair counts by the
exact Jaccard similarity of its shingle sets. A pair of Jaccard .7 escapes this banding with
probability 2.3e-8, one of .5 with 1.6 %.

`miss_rate` says what the line itself may overlook: a pair whose 16 bands x 8 rows all differ, or
whose 128 x 4-bit signature estimates less than the threshold, both from the same 128 minima. It
holds for a document and the witness its keys lead to. A band key that an unrelated earlier
document owns hides the pair in that band, so collections with many half-alike documents lie above.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from math import comb
from typing import Any

import numpy as np
from numba import njit

from seedcorn.core.verify.reading import Read, read

BANDS, ROWS = 64, 4
FLOOR = 0.5
"""Pairs below this Jaccard similarity are not reported."""
CROWD = 48
"""Where more documents share a band key, each meets this many of its neighbours in the next band's
order: in a collapsed corpus everything would meet everything."""
EDGES = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
"""Jaccard buckets [EDGES[i], EDGES[i + 1]); the last one includes 1."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31 = np.uint64(27), np.uint64(30), np.uint64(31)
_Scalar = Any  # int64 or uint64 inside the kernels
_Csr = tuple[np.ndarray, np.ndarray]  # values, offsets


@dataclass(frozen=True, slots=True)
class Recheck:
    """What an independent look at n documents found."""

    documents: int
    exact: np.ndarray
    """int64[e,2]: (first document with these words, a later one), ascending by the later one."""
    pairs: np.ndarray
    """int64[p,2]: i < j, each the first with its words, Jaccard >= FLOOR; ascending."""
    jaccard: np.ndarray
    """float64[p]."""
    candidates: int
    """Pairs compared exactly."""
    passed_over: int
    """Meetings left out of crowded bands; most of those pairs met in another band."""

    def counts(self) -> np.ndarray:
        """int64[len(EDGES) - 1]: near pairs per Jaccard bucket; exact pairs are not among them."""
        return np.histogram(self.jaccard, EDGES)[0]

    def missed(self, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(pairs, missed) per bucket. kept: bool[n], rows in rank order.

        Counts the pairs whose earlier document was kept, and those where both were.
        """
        known = kept[self.pairs[:, 0]]
        both = known & kept[self.pairs[:, 1]]
        return (
            np.histogram(self.jaccard[known], EDGES)[0],
            np.histogram(self.jaccard[both], EDGES)[0],
        )


def recheck(texts: Iterable[str], rule: int) -> Recheck:
    """Look for pairs among texts, which are read once and not kept.

    Memory is 8 bytes per distinct shingle of a document and about 1 KB per document: the caller
    samples a corpus that is larger than that allows. Texts are read by the text rule `rule`.
    """
    return recheck_words(read(text, rule) for text in texts)


def recheck_words(documents: Iterable[Read]) -> Recheck:
    """`recheck` of documents that are read already."""
    numbers: dict[str, int] = {}
    first: dict[bytes, int] = {}
    exact: list[tuple[int, int]] = []
    sets: list[np.ndarray] = []
    rows: list[int] = []
    count = 0
    for words, length, text in documents:
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        row = first.setdefault(digest, count)
        if row < count:
            exact.append((row, count))
        else:
            ids = [numbers.setdefault(word, len(numbers)) for word in words or [text]]
            sets.append(np.unique(_shingles(np.array(ids, np.uint64), length)))
            rows.append(count)
        count += 1
    shingles = _flat(sets)
    sets.clear()
    pairs, passed_over = _candidates(_minima(*shingles, *_permutations()))
    jaccard = _jaccard(*shingles, pairs)
    near = jaccard >= FLOOR
    return Recheck(
        documents=count,
        exact=np.array(exact, np.int64).reshape(-1, 2),
        pairs=np.array(rows, np.int64)[pairs[near]],
        jaccard=jaccard[near],
        candidates=len(pairs),
        passed_over=passed_over,
    )


def miss_rate(jaccard: float, threshold: float = 0.7) -> float:
    """Probability that the line does not see a pair of this similarity.

    Of the 128 minima x agree, binomial in the similarity. They fill some band of 8 with a
    probability that inclusion and exclusion gives; of the others, 1 in 16 has equal bits by chance.
    """
    estimates = ((16 * np.arange(129) / 128 - 1) / 15).astype(np.float32)
    needed = int(np.searchsorted(estimates, np.float32(threshold)))
    seen = 0.0
    for agree in range(8, 129):
        weight = _binomial(128, agree, jaccard)
        apart = sum(
            (-1) ** full * comb(16, full) * comb(128 - 8 * full, agree - 8 * full)
            for full in range(agree // 8 + 1)
        )
        chance_matches = range(max(0, needed - agree), 129 - agree)
        enough = sum(_binomial(128 - agree, more, 1 / 16) for more in chance_matches)
        seen += weight * (1 - apart / comb(128, agree)) * enough
    return 1 - seen


def _binomial(n: int, k: int, p: float) -> float:
    return comb(n, k) * p**k * (1 - p) ** (n - k)


def _flat(sets: list[np.ndarray]) -> _Csr:
    offsets = np.zeros(len(sets) + 1, np.int64)
    np.cumsum([len(one) for one in sets], out=offsets[1:])
    return np.concatenate([np.empty(0, np.uint64), *sets]), offsets


def _permutations() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0x5EEDC042)
    drawn = random.integers(0, 2**64, (2, BANDS * ROWS), dtype=np.uint64)
    return drawn[0] | np.uint64(1), drawn[1]


def _candidates(minima: np.ndarray) -> tuple[np.ndarray, int]:
    """(int64[c,2] distinct pairs i < j that share a band, meetings left out)."""
    keys = _band_keys(minima)
    n = len(keys)
    codes, passed_over = np.empty(0, np.int64), 0
    for band in range(BANDS):
        order = np.lexsort((keys[:, (band + 1) % BANDS], keys[:, band]))
        found, left_out = _meetings(keys[:, band], order)
        codes = np.union1d(codes, found)
        passed_over += left_out
    return np.stack([codes // max(n, 1), codes % max(n, 1)], axis=1), passed_over


@njit(cache=True, nogil=True)
def _mix(value: _Scalar) -> _Scalar:
    value = (value ^ (value >> _S30)) * _M1
    value = (value ^ (value >> _S27)) * _M2
    return value ^ (value >> _S31)


@njit(cache=True, nogil=True)
def _shingles(ids: np.ndarray, length: _Scalar) -> np.ndarray:
    """Hash of every run of `length` ids; one of all of them where there are fewer."""
    width = min(length, ids.size)
    out = np.empty(ids.size - width + 1, np.uint64)
    for start in range(out.size):
        state = np.uint64(width)
        for word in ids[start : start + width]:
            state = _mix(state + _GOLDEN + word)
        out[start] = state
    return out


@njit(cache=True, nogil=True)
def _minima(
    values: np.ndarray, offsets: np.ndarray, multipliers: np.ndarray, shifts: np.ndarray
) -> np.ndarray:
    n = offsets.size - 1
    out = np.empty((n, multipliers.size), np.uint64)
    for i in range(n):
        for k in range(multipliers.size):
            least = np.uint64(2**64 - 1)
            for value in values[offsets[i] : offsets[i + 1]]:
                least = min(least, value * multipliers[k] + shifts[k])
            out[i, k] = least
    return out


@njit(cache=True, nogil=True)
def _band_keys(minima: np.ndarray) -> np.ndarray:
    out = np.zeros((minima.shape[0], BANDS), np.uint64)
    for i in range(minima.shape[0]):
        for k in range(BANDS * ROWS):
            out[i, k // ROWS] = _mix(out[i, k // ROWS] + _GOLDEN + minima[i, k])
    return out


@njit(cache=True, nogil=True)
def _meetings(keys: np.ndarray, order: np.ndarray) -> tuple:
    """(codes i * n + j, i < j, of rows with equal keys, how many were left out)."""
    n, found, left_out = order.size, 0, 0
    out = np.empty(max(16, n), np.int64)
    start = 0
    for at in range(n):
        if keys[order[at]] != keys[order[start]]:
            start = at
        lowest = max(start, at - CROWD)
        left_out += lowest - start
        if found + CROWD > out.size:
            out = np.concatenate((out, np.empty(out.size + CROWD, np.int64)))
        for other in range(lowest, at):
            i, j = order[other], order[at]
            out[found] = min(i, j) * n + max(i, j)
            found += 1
    return out[:found], left_out


@njit(cache=True, nogil=True)
def _jaccard(values: np.ndarray, offsets: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """float64[c]: exact similarity of the sorted sets."""
    out = np.empty(pairs.shape[0], np.float64)
    for at in range(pairs.shape[0]):
        i, end_i = offsets[pairs[at, 0]], offsets[pairs[at, 0] + 1]
        j, end_j = offsets[pairs[at, 1]], offsets[pairs[at, 1] + 1]
        total, common = end_i - i + end_j - j, 0
        while i < end_i and j < end_j:
            common += values[i] == values[j]
            left, right = values[i] <= values[j], values[j] <= values[i]
            i, j = i + left, j + right
        out[at] = common / (total - common)
    return out
