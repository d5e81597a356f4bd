"""Which documents of a batch are kept: exact sequential greedy by rank, whatever the batch size.

A document meets, for each of its 17 keys, at most one witness: the lowest-ranked kept document
that has the key. It is dropped if one of its witnesses is a duplicate of it, else it is kept and
becomes the witness for every key that has none yet. Dropped documents leave no trace in the index,
so every drop names a document that is in the corpus.

Invariant: the verdicts on a stream of documents are those of one pass in rank order with a plain
map, for any division into batches and any number of index parts, and asking again after the answers
were inserted changes nothing: answers with an ordinal of this batch or later are passed over, and
inside the batch keys are compared as the index compares them, by their top 52 bits.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from seedcorn.core.text.buffers import read_only
from seedcorn.core.text.fingerprint import estimate

COLUMNS = 17
"""Keys per document: 16 band keys, then the exact-text key."""
EXACT = 16
"""Column of the exact-text key."""

_REDUCED_SHIFT = np.uint64(12)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_MIX_SHIFT = np.uint64(24)
_Scalar = Any  # int64 or float32 inside the kernels


@dataclass(frozen=True, slots=True)
class DedupResult:
    """One batch decided, row by row; n documents in plan order."""

    kept: np.ndarray
    """bool[n]."""
    witness: np.ndarray
    """int64[n]: ordinal of the kept document that a dropped one repeats; -1 where kept."""
    similarity: np.ndarray
    """float32[n]: 1 for exact duplicates, else the estimated Jaccard; 0 where kept."""
    exact: np.ndarray
    """bool[n]: dropped as an exact duplicate."""


def resolve(
    keys: np.ndarray,
    signatures: np.ndarray,
    witness: np.ndarray,
    known: tuple[np.ndarray, np.ndarray],
    first_ordinal: int,
    threshold: float,
) -> DedupResult:
    """Decide one batch, rows in plan order.

    keys: uint64[n,17] and signatures: uint8[n,64] are the batch's fingerprints; witness: int64[n,17]
    is what the index answered (-1: none); known: (ascending ordinals int64[u], signatures
    uint8[u,64]) of all answers below `first_ordinal`, the ordinal that the first kept row gets.
    An exact duplicate has the exact-text key and the signature of its witness. A near duplicate is
    one of the lowest-ranked witness whose estimated Jaccard reaches `threshold`, both as float32,
    because the default lies on one of the 129 values an estimate can take.
    Raises ValueError for shapes that do not fit and for answers missing from `known`.
    """
    _check(keys, signatures, witness, known, first_ordinal)
    return DedupResult(
        *_resolve(
            read_only(keys, np.uint64),
            read_only(signatures, np.uint8),
            read_only(witness, np.int64),
            (read_only(known[0], np.int64), read_only(known[1], np.uint8)),
            np.int64(first_ordinal),
            np.float32(threshold),
        )
    )


def insertions(
    keys: np.ndarray, verdicts: DedupResult, first_ordinal: int
) -> tuple[np.ndarray, np.ndarray]:
    """What the batch adds to the index: (keys uint64[17k], ordinals int64[17k]) of its k kept rows."""
    kept = keys[verdicts.kept]
    ordinals = np.arange(first_ordinal, first_ordinal + len(kept), dtype=np.int64)
    return kept.ravel(), np.repeat(ordinals, COLUMNS)


def _check(
    keys: np.ndarray,
    signatures: np.ndarray,
    witness: np.ndarray,
    known: tuple[np.ndarray, np.ndarray],
    first_ordinal: int,
) -> None:
    n = len(keys)
    if keys.shape != (n, COLUMNS) or witness.shape != keys.shape or signatures.shape != (n, 64):
        raise ValueError(
            f"a batch is keys [n,17], signatures [n,64] and witness [n,17], not {keys.shape}, "
            f"{signatures.shape}, {witness.shape}"
        )
    asked = witness[(witness >= 0) & (witness < first_ordinal)]
    ordinals = known[0]
    at = np.searchsorted(ordinals, asked)
    there = at < ordinals.size
    there[there] = ordinals[at[there]] == asked[there]
    if not there.all():
        raise ValueError(f"the signature of witness {asked[np.argmin(there)]} was not given")


@njit(cache=True, nogil=True)
def _slot(slots: np.ndarray, keys: np.ndarray, row: _Scalar, column: _Scalar) -> _Scalar:
    """Slot of the batch's own map that holds the key's first kept row, or where it belongs."""
    key = keys[row, column] >> _REDUCED_SHIFT
    mask = slots.size - 1
    at = np.int64((key * _MIX) >> _MIX_SHIFT) & mask
    while slots[at] >= 0:
        owner = slots[at]
        if keys[owner // COLUMNS, owner % COLUMNS] >> _REDUCED_SHIFT == key:
            break
        at = (at + 1) & mask
    return at


@njit(cache=True, nogil=True)
def _meet(
    batch: tuple, slots: np.ndarray, ordinals: np.ndarray, first: _Scalar, row: _Scalar
) -> np.ndarray:
    """Per key the ordinal of its lowest-ranked kept document, or -1: index first, then batch."""
    keys, witness = batch
    owners = np.empty(COLUMNS, np.int64)
    for column in range(COLUMNS):
        owners[column] = witness[row, column]
        if owners[column] < 0 or owners[column] >= first:
            local = slots[_slot(slots, keys, row, column)]
            owners[column] = ordinals[local // COLUMNS] if local >= 0 else -1
    return owners


@njit(cache=True, nogil=True)
def _claim(slots: np.ndarray, keys: np.ndarray, row: _Scalar) -> None:
    for column in range(COLUMNS):
        at = _slot(slots, keys, row, column)
        if slots[at] < 0:
            slots[at] = row * COLUMNS + column


@njit(cache=True, nogil=True)
def _distinct(owners: np.ndarray, out: np.ndarray) -> _Scalar:
    """Write the distinct owners, ascending, to `out`; returns how many."""
    count = 0
    for owner in owners:
        at = count
        while at > 0 and out[at - 1] > owner:
            at -= 1
        if owner < 0 or (at > 0 and out[at - 1] == owner):
            continue
        for later in range(count, at, -1):
            out[later] = out[later - 1]
        out[at] = owner
        count += 1
    return count


@njit(cache=True, nogil=True)
def _signature(ordinal: _Scalar, known: tuple, batch: tuple) -> np.ndarray:
    signatures, rows, first = batch
    if ordinal >= first:
        return signatures[rows[ordinal - first]]
    return known[1][np.searchsorted(known[0], ordinal)]


@njit(cache=True, nogil=True)
def _judge(
    owners: np.ndarray, known: tuple, batch: tuple, row: _Scalar, threshold: _Scalar
) -> tuple:
    """(witness or -1, similarity, exact) of one row that meets these owners."""
    mine = batch[0][row]
    copied = owners[EXACT]
    if copied >= 0 and np.array_equal(_signature(copied, known, batch), mine):
        return copied, np.float32(1), True
    candidates = np.empty(COLUMNS, np.int64)
    for candidate in candidates[: _distinct(owners, candidates)]:
        similarity = np.float32(estimate(_signature(candidate, known, batch), mine))
        if similarity >= threshold:
            return candidate, similarity, False
    return np.int64(-1), np.float32(0), False


@njit(cache=True, nogil=True)
def _resolve(
    keys: np.ndarray,
    signatures: np.ndarray,
    witness: np.ndarray,
    known: tuple,
    first: _Scalar,
    threshold: _Scalar,
) -> tuple:
    n = keys.shape[0]
    size = 64
    while size < 2 * n * COLUMNS:
        size *= 2
    slots = np.full(size, -1, np.int64)
    ordinals, rows = np.full(n, -1, np.int64), np.empty(n, np.int64)
    chosen, similarity = np.empty(n, np.int64), np.empty(n, np.float32)
    exact = np.empty(n, np.bool_)
    count = 0
    for row in range(n):
        owners = _meet((keys, witness), slots, ordinals, first, row)
        verdict = _judge(owners, known, (signatures, rows, first), row, threshold)
        chosen[row], similarity[row], exact[row] = verdict
        if chosen[row] < 0:
            ordinals[row], rows[count] = first + count, row
            count += 1
            _claim(slots, keys, row)
    return chosen < 0, chosen, similarity, exact
