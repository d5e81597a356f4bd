"""Whether anchor and other text share what they must not: documents to drop, copies to flag.

The anchor's 8-word shingles are looked up in seed, yardstick and generation as these are read.
Invariant: what is found in parts of a text joins to what is found in the whole, whatever the cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.text.buffers import pack
from seedcorn.core.text.shingles import shingles, shingles_of
from seedcorn.core.text.words import TextRule, Words

LENGTH = 8
MOST_KNOWN = 0.2
"""Share of an anchor document's shingles that seed and yardstick may have."""
TIMES = 3.0
"""A generation with so many times the yardstick's share of the anchor's shingles was near it."""
FEWEST = 20
"""Shared shingles below which a share is chance."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What of the anchor some text has."""

    present: NDArray[np.bool_]
    """[shingles of the anchor]"""
    shared: int
    """Shingles of the text's documents that the anchor has."""
    shingles: int

    def __add__(self, other: "Seen") -> "Seen":
        """What both texts have."""
        return Seen(
            self.present | other.present,
            self.shared + other.shared,
            self.shingles + other.shingles,
        )

    @property
    def share(self) -> float:
        """Of the text's shingles, those that the anchor has."""
        return self.shared / max(1, self.shingles)


class AnchorShingles:
    """The shingles of an anchor's documents, to be looked up in other text."""

    def __init__(self, anchor: Sequence[str], rule: TextRule) -> None:
        found = shingles(*pack([text.encode("utf-8", "replace") for text in anchor]), rule, LENGTH)
        self._keys, self._places = np.unique(found.hashes, return_inverse=True)
        self._offsets = found.offsets

    def none(self) -> Seen:
        """What no text has."""
        return Seen(np.zeros(len(self._keys), bool), 0, 0)

    def seen(self, words: Words) -> Seen:
        """What the documents have; repeats within one count once."""
        hashes = shingles_of(words, LENGTH).hashes
        if not len(self._keys):
            return Seen(np.zeros(0, bool), 0, len(hashes))
        places = np.minimum(np.searchsorted(self._keys, hashes), len(self._keys) - 1)
        hit = places[self._keys[places] == hashes]
        present = np.zeros(len(self._keys), bool)
        present[hit] = True
        return Seen(present, len(hit), len(hashes))

    def known(self, seen: Seen) -> NDArray[np.float64]:
        """[anchor documents]: share of its shingles that the text has."""
        running = np.concatenate([[0], np.cumsum(seen.present[self._places])])
        sizes = np.diff(self._offsets)
        return np.diff(running[self._offsets]) / np.maximum(sizes, 1)

    def clean(self, seen: Seen) -> NDArray[np.bool_]:
        """[anchor documents]: those to keep, `seen` being what seed and yardstick have."""
        return self.known(seen) <= MOST_KNOWN


def contaminated(generation: Seen, yardstick: Seen) -> bool:
    """Whether the generation has far more of the anchor than as much fresh text has by itself."""
    usual = max(yardstick.share, FEWEST / max(1, generation.shingles))
    return generation.share > TIMES * usual
