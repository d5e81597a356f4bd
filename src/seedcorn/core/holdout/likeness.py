"""Which documents say the same: near duplicates, and documents that stand inside another.

Near duplicates share a band of MinHash and are confirmed by their signatures; a copy with shifted
cut points shares no band, but most of its sampled 8-word shingles stand in one other document.
Documents come in the order of their content hashes, so that where a crowd is cut short, the same
part of it is, whatever order they were read in.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seedcorn.core.text.fingerprint import estimate
from seedcorn.core.text.shingles import Shingles

SIMILAR = 0.5
"""Estimated Jaccard similarity from which documents that share a band belong together: lower than
where dedup drops, because a half-known document is no test."""
CROWD = 100
"""Of more documents that share a band or a shingle, each is held against the first so many: what
is really alike meets there."""
FEWEST = 2
"""Sampled shingles that a document must at least share with another that holds most of them: a
phrase of eight words can be a coincidence."""


def alike(
    rows: NDArray[np.intp],
    keys: NDArray[np.uint64],
    signature: NDArray[np.uint8],
    sampled: Shingles,
) -> NDArray[np.int64]:
    """int64[n]: the first document of each one's cluster.

    Document i has row `rows[i]` of the keys [m, bands] and the signatures uint8[m, 64]; the sampled
    shingles are of the documents in order.
    """
    roots = np.arange(len(rows), dtype=np.int64)
    for band in range(keys.shape[1]):
        own = keys[rows, band]
        order = np.argsort(own, kind="stable")
        _join_similar(roots, rows, order, own[order], signature)
    _join_contained(roots, sampled.offsets, *_holders(sampled))
    return _settled(roots)


def _holders(
    sampled: Shingles,
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32]]:
    """For each distinct shingle who holds it: `holders[starts[k]:starts[k + 1]]`, in order; and the
    number k of each shingle as they stand."""
    order = np.argsort(sampled.hashes, kind="stable")
    ordered = sampled.hashes[order]
    lead = np.ones(len(ordered), bool)
    lead[1:] = ordered[1:] != ordered[:-1]
    number = np.empty(len(ordered), np.int32)
    number[order] = np.cumsum(lead, dtype=np.int32) - 1
    sizes = np.diff(sampled.offsets)
    owner = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    starts = np.append(np.flatnonzero(lead), len(ordered))
    return number, starts, owner[order]


@njit(nogil=True, cache=True)
def _root(roots: NDArray[Any], document: Any) -> Any:
    while roots[document] != document:
        roots[document] = roots[roots[document]]
        document = roots[document]
    return document


@njit(nogil=True, cache=True)
def _join(roots: NDArray[Any], one: Any, other: Any) -> None:
    """The first of a cluster stays its root."""
    left, right = _root(roots, one), _root(roots, other)
    roots[max(left, right)] = min(left, right)


@njit(nogil=True, cache=True)
def _settled(roots: NDArray[Any]) -> NDArray[Any]:
    for document in range(roots.size):
        roots[document] = _root(roots, document)
    return roots


@njit(nogil=True, cache=True)
def _join_similar(
    roots: NDArray[Any],
    rows: NDArray[Any],
    order: NDArray[Any],
    keys: NDArray[Any],
    signature: NDArray[Any],
) -> None:
    """Join documents of one band; `keys` ascend, and `order` says whose they are."""
    begin = 0
    for at in range(1, order.size):
        if keys[at] != keys[begin]:
            begin = at
        for earlier in range(begin, min(at, begin + CROWD)):
            one, other = order[earlier], order[at]
            if _root(roots, one) == _root(roots, other):
                continue
            if estimate(signature[rows[one]], signature[rows[other]]) >= SIMILAR:
                _join(roots, one, other)


@njit(nogil=True, cache=True)
def _join_contained(
    roots: NDArray[Any],
    offsets: NDArray[Any],
    number: NDArray[Any],
    starts: NDArray[Any],
    holders: NDArray[Any],
) -> None:
    """Join each document with those that hold more than half of its shingles."""
    shared = np.zeros(roots.size, np.int32)
    met = np.empty(roots.size, np.int64)
    for document in range(roots.size):
        found, size = 0, offsets[document + 1] - offsets[document]
        for at in range(offsets[document], offsets[document + 1]):
            begin, end = starts[number[at]], starts[number[at] + 1]
            for other in holders[begin : min(end, begin + CROWD)]:
                if shared[other] == 0:
                    met[found] = other
                    found += 1
                shared[other] += 1
        for other in met[:found]:
            if other != document and shared[other] >= FEWEST and 2 * shared[other] > size:
                _join(roots, document, other)
            shared[other] = 0
