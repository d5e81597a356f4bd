"""Normalisation form C over code points, compiled, from the shipped Unicode version.

Source: Unicode Standard Annex 15 and, for Hangul, chapter 3.12 of the Unicode Standard.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seedcorn.core.text.unicode_data import UnicodeData, unicode_data

MAPPED = 0x30000
"""Code points from here on have no mapping and no combining class (but tags, which have none)."""
_S, _L, _V, _T = 0xAC00, 0x1100, 0x1161, 0x11A7
_L_COUNT, _V_COUNT, _T_COUNT = 19, 21, 28
_N_COUNT = _V_COUNT * _T_COUNT
_S_COUNT = _L_COUNT * _N_COUNT
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_PAIR_BITS = 12
"""The pair table has 4096 slots for 940 pairs."""


class Composition(NamedTuple):
    """What the kernel looks up."""

    starts: NDArray[np.int32]
    """[MAPPED + 1]: code point c decomposes, in full, into `pool[starts[c]:starts[c + 1]]`."""
    pool: NDArray[np.int32]
    order: NDArray[np.uint8]
    """[MAPPED]: canonical combining class."""
    pairs: NDArray[np.uint64]
    """[4096]: first << 32 | second of a composing pair, open addressing; 0 is free."""
    composed: NDArray[np.int32]
    """[4096]: what the pair composes to."""


@cache
def composition() -> Composition:
    """The tables, built once."""
    data = unicode_data()
    full = {code: _decomposed(data, code) for code in (*data.compose, *data.decompose)}
    starts = np.zeros(MAPPED + 1, np.int32)
    starts[1:] = np.cumsum([len(full.get(code, ())) for code in range(MAPPED)])
    pool = [point for code in sorted(full) for point in full[code]]
    order = np.zeros(MAPPED, np.uint8)
    for first, last, value in data.orders:
        order[first : last + 1] = value
    pairs, composed = np.zeros(1 << _PAIR_BITS, np.uint64), np.zeros(1 << _PAIR_BITS, np.int32)
    for code, (first, second) in data.compose.items():
        slot = int(_slot(pairs, first, second))
        pairs[slot], composed[slot] = np.uint64(first << 32 | second), code
    return Composition(starts, np.array(pool, np.int32), order, pairs, composed)


def _decomposed(data: UnicodeData, code: int) -> list[int]:
    parts = data.compose.get(code) or data.decompose.get(code)
    return [code] if parts is None else [p for part in parts for p in _decomposed(data, part)]


@njit(nogil=True, cache=True)
def compose(points: NDArray[Any], tables: Any) -> NDArray[Any]:
    """int32[n] code points → int32[m], their form C. Linear but for sorting runs of marks."""
    buffer = _decompose(points, tables)
    _reorder(buffer, tables.order)
    starter, last, size = -1, 0, 0
    for at in range(buffer.size):
        point = buffer[at]
        order = _order(point, tables.order)
        if starter >= 0 and (size == starter + 1 or 0 < last < order):
            whole = _pair(buffer[starter], point, tables)
            if whole:
                buffer[starter] = whole
                continue
        if order == 0:
            starter = size
        last = order
        buffer[size] = point
        size += 1
    return buffer[:size]


@njit(nogil=True, cache=True)
def _decompose(points: NDArray[Any], tables: Any) -> NDArray[Any]:
    size = 0
    for point in points:
        size += 3 if point >= MAPPED else max(3, tables.starts[point + 1] - tables.starts[point])
    out = np.empty(size, np.int32)
    size = 0
    for point in points:
        if _S <= point < _S + _S_COUNT:
            size = _put_syllable(point - _S, out, size)
        elif point < MAPPED and tables.starts[point] < tables.starts[point + 1]:
            for source in range(tables.starts[point], tables.starts[point + 1]):
                out[size] = tables.pool[source]
                size += 1
        else:
            out[size] = point
            size += 1
    return out[:size]


@njit(nogil=True, cache=True)
def _put_syllable(index: Any, out: NDArray[Any], size: int) -> int:
    """The two or three parts of a Hangul syllable."""
    out[size] = _L + index // _N_COUNT
    out[size + 1] = _V + index % _N_COUNT // _T_COUNT
    if index % _T_COUNT == 0:
        return size + 2
    out[size + 2] = _T + index % _T_COUNT
    return size + 3


@njit(nogil=True, cache=True)
def _order(point: Any, order: NDArray[Any]) -> Any:
    return np.int64(order[point]) if point < MAPPED else np.int64(0)


@njit(nogil=True, cache=True)
def _reorder(buffer: NDArray[Any], order: NDArray[Any]) -> None:
    """Sort every run of combining marks by class, equal ones as they stand."""
    start = 0
    while start < buffer.size:
        end = start
        while end < buffer.size and _order(buffer[end], order):
            end += 1
        if end > start + 1:
            run = buffer[start:end].copy()
            keys = np.empty(run.size, np.int64)
            for k in range(run.size):
                keys[k] = _order(run[k], order)
            places = np.argsort(keys, kind="mergesort")
            for k in range(run.size):
                buffer[start + k] = run[places[k]]
        start = max(end, start + 1)


@njit(nogil=True, cache=True)
def _pair(first: Any, second: Any, tables: Any) -> Any:
    """What two code points compose to; 0 for nothing."""
    if _L <= first < _L + _L_COUNT and _V <= second < _V + _V_COUNT:
        return np.int32(_S + ((first - _L) * _V_COUNT + second - _V) * _T_COUNT)
    if _S <= first < _S + _S_COUNT and (first - _S) % _T_COUNT == 0 and _T < second < _T + _T_COUNT:
        return np.int32(first + second - _T)
    return tables.composed[_slot(tables.pairs, first, second)]


@njit(nogil=True, cache=True)
def _slot(pairs: NDArray[Any], first: Any, second: Any) -> Any:
    """Where the pair is, or the free slot where it would be."""
    pair = (np.uint64(first) << np.uint64(32)) | np.uint64(second)
    slot = (pair * _MULTIPLIER) >> np.uint64(64 - _PAIR_BITS)
    while pairs[slot] and pairs[slot] != pair:
        slot = (slot + np.uint64(1)) & np.uint64((1 << _PAIR_BITS) - 1)
    return slot
