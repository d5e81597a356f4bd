"""Texts in, word hashes out: the one compiled pass over the bytes of a text buffer.

Every fingerprint and every ledger shingle is made from these hashes, so a text is read once. What a
word is has two rules (`rule_1`, `rule_2`); a corpus keeps the one that its first generation set.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seedcorn.core.rule_numbers import TEXT, number_of
from seedcorn.core.text import rule_1, rule_2
from seedcorn.core.text.buffers import checked


class TextRule(IntEnum):
    """What a word is, and what the same text is."""

    ONE = 1
    TWO = 2

    @classmethod
    def of(cls, rules: Mapping[str, int]) -> "TextRule":
        """The one among rules as they are stored; raises ValueError for one that is unknown."""
        return cls(number_of(rules, TEXT))


SHORT = 1 << 16
"""Bytes of a text that is read in less time (half a millisecond) than threads take turns in."""
NEWEST = TextRule.TWO
"""The rule of what is read without a corpus, and of new corpora."""


@dataclass(frozen=True)
class Words:
    """Word hashes of n documents. Document i owns `hashes[starts[i]:starts[i] + counts[i]]`."""

    hashes: NDArray[np.uint64]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    unspaced: NDArray[np.bool_]
    """True: the document is mostly of a script without spaces, and its words are characters."""
    exact: NDArray[np.uint64]
    """[n]: hash of the exact text; under rule 1, where equal words make an equal text, [0]."""
    rule: TextRule

    def rows(self, which: slice) -> "Words":
        """Those of some of the documents."""
        exact = self.exact[which] if len(self.exact) else self.exact
        part = self.starts[which], self.counts[which], self.unspaced[which]
        return Words(self.hashes, *part, exact, self.rule)


def read_words(data: NDArray[np.uint8], offsets: NDArray[Any], rule: TextRule) -> Words:
    """Word hashes of the documents `data[offsets[i]:offsets[i + 1]]`, UTF-8.

    data: uint8[:], an Arrow text buffer as it is; offsets: int32 or int64 [n + 1], non-decreasing,
    not necessarily from 0. Raises ValueError for offsets that do not fit the buffer.
    """
    data, offsets = checked(data, offsets)
    if rule == TextRule.ONE:
        return Words(*rule_1.read(data, offsets), np.zeros(0, np.uint64), rule)
    return Words(*rule_2.read(data, offsets, rule_2.tables()), rule)


@njit(cache=True)
def _read_held(data: NDArray[Any], offsets: NDArray[Any], known: Any) -> Any:
    """Rule 2 without giving up the GIL, which is dearer than a short text where threads wait."""
    return rule_2.read(data, offsets, known)


def hashes_of(text: str, rule: TextRule) -> NDArray[np.uint64]:
    """Word hashes of one text, in order; for an event loop, where texts come one by one."""
    data = np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
    offsets = np.array([0, data.size], np.int64)
    if rule == TextRule.ONE:
        return read_words(data, offsets, rule).hashes
    read = rule_2.read if data.size > SHORT else _read_held
    return read(data, offsets, rule_2.tables())[0]
