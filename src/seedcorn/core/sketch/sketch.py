"""What one batch adds to the ledger: a coordinated hash sample of its word shingles.

A shingle is in the sample iff its hash is below `limit(rate)`, so any two sketches sample the same
shingles and set differences between them are exact on the sample. Invariant: a delta is a function
of texts, verdicts and plan order alone, with one row per (length, stratum, hash), sorted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from seedcorn.core.text.fingerprint import Shingles

LENGTHS = (3, 8, 13)
"""Shingle lengths in words that every sketch carries."""
LATENT = 0
"""Stands for a length: hashes of latent instances, which only constructed tasks have."""
KINDS = (LATENT, *LENGTHS)
"""Everything a sketch may carry."""
HEADLINE = 8
"""The length whose distinct count is printed as U."""
_DROPPED = np.uint32(1 << 31)
"""Added to the offset of documents that are not accepted, so that a minimum prefers accepted."""


@dataclass(frozen=True, slots=True, eq=False)
class Delta:
    """Document counts per shingle of one batch; columns of equal length, sorted, no key twice.

    `rate` is the sample rate that the hashes were kept at: no hash reaches `limit(rate)`.
    """

    stratum: NDArray[np.uint8]
    length: NDArray[np.uint8]
    hash: NDArray[np.uint64]
    accepted: NDArray[np.uint32]
    """Accepted documents of this stratum that contain the shingle."""
    verified: NDArray[np.uint32]
    """Accepted and duplicate documents: counts that dedup did not blind, for the forecast. Groups of
    them where `batch_delta` was given any."""
    first: NDArray[np.uint32]
    """Offset in the batch of the first document that contains it, accepted documents preferred."""
    rate: float = 1.0

    def __len__(self) -> int:
        return len(self.hash)

    def rows(self, length: int) -> slice:
        """The contiguous rows of one shingle length."""
        low, high = np.searchsorted(self.length, [length, length + 1])
        return slice(int(low), int(high))


COLUMNS = tuple(item.name for item in fields(Delta) if item.name != "rate")
"""Names of the delta's columns, in the order of the constructor."""


def limit(rate: float) -> int:
    """Hashes kept at this sample rate are below `rate * 2^64`; 2^64 itself at rate 1."""
    if not 0 < rate <= 1:
        raise ValueError(f"a sample rate is in (0, 1], not {rate}")
    return int(rate * 2**64)


def thin(delta: Delta, rate: float) -> Delta:
    """The delta as it would have been at a lower rate; unchanged at the same or a higher one."""
    if rate >= delta.rate:
        return delta
    kept = delta.hash <= np.uint64(limit(rate) - 1)
    return Delta(*(getattr(delta, name)[kept] for name in COLUMNS), rate=rate)


def batch_delta(
    shingles: Mapping[int, "Shingles"],
    accepted: NDArray[np.bool_],
    verified: NDArray[np.bool_],
    stratum: NDArray[np.uint8],
    rate: float = 1.0,
    group: NDArray[np.int64] | None = None,
) -> Delta:
    """Count the documents per shingle of one batch whose n documents stand in plan order.

    `shingles` holds each document's distinct hashes below `limit(rate)`, by shingle length;
    `accepted`, `verified` (accepted or duplicate) and `stratum` have shape [n], as has `group`: equal
    neighbours count once as verified, None counts every document. Raises ValueError when a document
    is accepted but not verified.
    """
    if np.any(accepted & ~verified):
        raise ValueError("an accepted document is a verified one; the batch says otherwise")
    groups: list[list[NDArray]] = []
    for length in sorted(shingles):
        item = shingles[length]
        document = np.repeat(np.arange(len(accepted)), np.diff(item.offsets))
        of = stratum[document]
        counts = verified[document]
        for number in np.unique(stratum[verified]):
            picked = np.flatnonzero(counts & (of == number))
            rows = _count(item.hashes[picked], document[picked], accepted, group)
            size = len(rows[0])
            groups.append([np.full(size, number), np.full(size, length), *rows])
    return _assemble(groups, rate)


def combine(deltas: Sequence[Delta]) -> Delta:
    """One delta that counts what all of them count, at the lowest of their rates.

    Offsets of different batches do not compare: `first` stays the one of the earliest delta.
    """
    rate = min((delta.rate for delta in deltas), default=1.0)
    parts = [thin(delta, rate) for delta in deltas]
    if not parts:
        return _assemble([], rate)
    columns = {name: np.concatenate([getattr(p, name) for p in parts]) for name in COLUMNS}
    order = np.lexsort((columns["hash"], columns["stratum"], columns["length"]))
    columns = {name: values[order] for name, values in columns.items()}
    keys = [columns[name] for name in ("stratum", "length", "hash")]
    starts = _starts(*keys)
    rows = [key[starts] for key in keys]
    rows += [_sums(columns["accepted"], starts), _sums(columns["verified"], starts)]
    return _assemble([[*rows, columns["first"][starts]]], rate)


def _count(
    hashes: NDArray[np.uint64],
    document: NDArray[np.int64],
    accepted: NDArray[np.bool_],
    group: NDArray[np.int64] | None,
) -> list[NDArray]:
    """Distinct hashes in order, with accepted count, verified count and first document."""
    # Stable where groups are counted: the documents of a hash then stay in plan order.
    order = np.argsort(hashes, kind=None if group is None else "stable")
    hashes, ranked = hashes[order], document[order].astype(np.uint32)
    starts = _starts(hashes)
    kept = accepted[ranked]
    if group is None:
        sizes = np.diff(np.append(starts, len(hashes)))
    else:
        other = np.zeros(len(hashes), bool)
        other[_starts(hashes, group[ranked])] = True
        sizes = _sums(other, starts)
    ranked[~kept] += _DROPPED
    first = np.minimum.reduceat(ranked, starts) if len(starts) else ranked
    return [hashes[starts], _sums(kept, starts), sizes, first & ~_DROPPED]


def _starts(*keys: NDArray) -> NDArray[np.int64]:
    """Where a new key begins in sorted columns."""
    if len(keys[0]) == 0:
        return np.empty(0, np.int64)
    changed = np.zeros(len(keys[0]), bool)
    changed[0] = True
    for key in keys:
        changed[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(changed)


def _sums(values: NDArray, starts: NDArray[np.int64]) -> NDArray:
    return np.add.reduceat(values, starts, dtype=np.uint32) if len(starts) else values


def _assemble(groups: list[list[NDArray]], rate: float) -> Delta:
    types = (np.uint8, np.uint8, np.uint64, np.uint32, np.uint32, np.uint32)
    columns = zip(*groups, strict=True) if groups else ((),) * len(types)
    joined: list[NDArray] = [
        np.concatenate([np.empty(0, kind), *parts]).astype(kind, copy=False)
        for kind, parts in zip(types, columns, strict=True)
    ]
    return Delta(*joined, rate=rate)
