"""Evaluation items too short for n-gram tables: found whole inside a text, or only as all of it.

An item of 5 to 12 words (12 in scripts without spaces, where a word is a character) is found where
all its words stand in a row. A shorter one says nothing inside a longer text ("yes", "in 1914"), so
only a text that is the item and nothing else counts; how many those are is told at the start.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seedcorn.core.text.hashing import most_shingles, shingle_hashes
from seedcorn.core.text.words import Words

LONGEST = 12
"""Words; longer items are found by shared n-grams."""
SHORTEST = 5
"""Words of an item that is looked for inside longer texts; `LONGEST` where a word is a character."""
_FILTER = 1 << 14
_BITS = np.uint64(_FILTER - 1)


@dataclass(frozen=True, slots=True)
class ShortItems:
    """The short items of one evaluation set."""

    heads: NDArray[np.uint64]
    """[k]: hashes of the first 5 words of items that are looked for inside texts, ascending."""
    wholes: NDArray[np.uint64]
    """[k]: hashes of all their words."""
    lengths: NDArray[np.int64]
    """[k]: how many words."""
    alone: NDArray[np.uint64]
    """Hashes of all words of the items that only count as a whole text, ascending."""
    items: int
    """Usable items of the set, of any length."""
    too_short: int
    """Those that only count as a whole text, or have no word at all."""


def short_items(documents: Iterable[tuple[Words, NDArray[np.bool_]]]) -> ShortItems:
    """Those of a set whose documents have these words; the flags say which can be used."""
    inside: set[tuple[int, int, int]] = set()
    alone: set[int] = set()
    items = too_short = 0
    for words, usable in documents:
        for number in np.flatnonzero(usable):
            count = int(words.counts[number])
            own = words.hashes[words.starts[number] :][:count]
            items += 1
            if count > LONGEST:
                continue
            if count >= (LONGEST if words.unspaced[number] else SHORTEST):
                inside.add((_hash(own[:SHORTEST]), _hash(own), count))
                continue
            too_short += 1
            if count:
                alone.add(_hash(own))
    columns = list(zip(*sorted(inside), strict=True)) or [(), (), ()]
    heads, wholes = (np.array(column, np.uint64) for column in columns[:2])
    lengths = np.array(columns[2], np.int64)
    return ShortItems(heads, wholes, lengths, np.array(sorted(alone), np.uint64), items, too_short)


def found_items(short: ShortItems, words: Words) -> NDArray[np.int64]:
    """int64[n]: words of an item that each document holds; 0 where it holds none."""
    known = np.zeros(_FILTER, np.bool_)
    known[short.heads & _BITS] = True
    items = (short.heads, short.wholes, short.lengths)
    return _found(words.hashes, words.starts, words.counts, items, short.alone, known)


def too_short_line(name: str, short: int, items: int) -> str:
    """What is said of a set's items that only count as a whole text."""
    return (
        f"evaluation set {name}: {short} of {items} items have fewer than {SHORTEST} words "
        f"({LONGEST} characters in scripts without spaces); they are only found where they are a "
        "sample's whole text"
    )


def _hash(words: NDArray[np.uint64]) -> int:
    out = np.empty(1, np.uint64)
    shingle_hashes(np.ascontiguousarray(words), len(words), out)
    return int(out[0])


@njit(nogil=True, cache=True)
def _found(
    hashes: NDArray[Any],
    starts: NDArray[Any],
    counts: NDArray[Any],
    items: Any,
    alone: NDArray[Any],
    known: NDArray[Any],
) -> NDArray[Any]:
    out = np.zeros(starts.size, np.int64)
    run = np.empty(most_shingles(counts), np.uint64)
    for i in range(starts.size):
        words = hashes[starts[i] : starts[i] + counts[i]]
        if 0 < words.size <= LONGEST and _is_alone(words, alone):
            out[i] = words.size
        elif words.size >= SHORTEST and known.any():
            out[i] = _inside(words, items, known, run)
    return out


@njit(nogil=True, cache=True)
def _is_alone(words: NDArray[Any], alone: NDArray[Any]) -> bool:
    """Whether these are all the words of an item."""
    one = np.empty(1, np.uint64)
    shingle_hashes(words, words.size, one)
    at = np.searchsorted(alone, one[0])
    return at < alone.size and alone[at] == one[0]


@njit(nogil=True, cache=True)
def _inside(words: NDArray[Any], items: Any, known: NDArray[Any], run: NDArray[Any]) -> Any:
    """Words of the first item that stands among these; 0 for none."""
    for first in range(shingle_hashes(words, SHORTEST, run)):
        if known[run[first] & _BITS]:
            found = _item_at(words[first:], run[first], items)
            if found:
                return found
    return np.int64(0)


@njit(nogil=True, cache=True)
def _item_at(words: NDArray[Any], head: Any, items: Any) -> Any:
    """Words of an item that stands at the beginning of these; 0 for none."""
    heads, wholes, lengths = items
    one = np.empty(1, np.uint64)
    at = np.searchsorted(heads, head)
    while at < heads.size and heads[at] == head:
        if lengths[at] <= words.size:
            shingle_hashes(words[: lengths[at]], lengths[at], one)
            if one[0] == wholes[at]:
                return lengths[at]
        at += 1
    return np.int64(0)
