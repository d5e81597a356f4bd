"""Unique tokens once more, in the plainest way: a dict of who held what first, and fractions.

It shares with `core.sketch.unique_tokens` what a sketch is and what was held before; which
document is the first, and what that is worth, is written a second time.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.sketch.sketch import Delta

Unheld = Callable[[NDArray[np.uint64], int], NDArray[np.bool_]]
"""Which hashes of one shingle length nothing before the batch holds."""
_LONG, _SHORT = 8, 3
_GRAINS = 1 << 16
"""To the token."""


def tokens_brought(
    delta: Delta, unheld: Unheld, documents: Sequence[tuple[int, int] | None]
) -> list[float]:
    """Unique tokens of every document of a batch; (words, tokens) of each, None where it was not
    accepted. `delta` is the batch's sketch at its rate."""
    new = {length: _new(delta, unheld, length) for length in (_SHORT, _LONG)}
    rate = Fraction(delta.rate)
    return [
        0.0 if one is None else _worth(*one, new[_LONG][place], new[_SHORT][place], rate)
        for place, one in enumerate(documents)
    ]


def _new(delta: Delta, unheld: Unheld, length: int) -> Counter[int]:
    rows = delta.rows(length)
    fresh = unheld(delta.hash[rows], length) & (delta.accepted[rows] > 0)
    owners: dict[int, int] = {}
    pairs = zip(delta.hash[rows][fresh].tolist(), delta.first[rows][fresh].tolist(), strict=True)
    for key, place in pairs:
        owners[key] = min(place, owners.get(key, place))
    return Counter(owners.values())


def _worth(words: int, tokens: int, long: int, short: int, rate: Fraction) -> float:
    if words >= _LONG:
        share = Fraction(long, words - _LONG + 1) / rate
    else:
        share = Fraction(short > 0) / (1 - (1 - rate) ** max(1, words - _SHORT + 1))
    return round(tokens * share * _GRAINS) / _GRAINS
