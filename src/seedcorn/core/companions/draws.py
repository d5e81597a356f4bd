"""A fair draw of documents out of rows that stream past, in any chunks and any order.

Invariant: which rows are drawn follows from their source and number alone, so draws of parts merge
into the draw of the whole; memory is the draw.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.identity import splitmix64_words, uint64

CHARS = 20_000
"""Characters of a document that a draw keeps: what it is for costs time per character."""


@dataclass(frozen=True, slots=True)
class Draw:
    """At most `most` documents, those of the lowest hash."""

    most: int
    limit: int = 2**64
    """Hashes below it are looked at: no more of a large source is held than is likely to stay."""
    rows: tuple[tuple[int, str], ...] = ()
    """(hash, text), ascending."""

    @classmethod
    def of(cls, most: int, rows: int) -> "Draw":
        """An empty draw out of so many rows."""
        share = most * (1 + 4 / math.sqrt(most)) / max(1, rows)
        return cls(most, min(2**64, int(share * 2**64)))

    @property
    def texts(self) -> list[str]:
        """The documents."""
        return [text for _, text in self.rows]

    def with_rows(self, source: str, rows: NDArray[np.int64], text: Callable[[int], str]) -> "Draw":
        """With these rows of a source; `text(i)` is that of `rows[i]`."""
        ranks = splitmix64_words(rows.astype(np.uint64) + np.uint64(uint64("draw", source)))
        return self.with_ranks(ranks, text)

    def with_ranks(self, ranks: NDArray[np.uint64], text: Callable[[int], str]) -> "Draw":
        """With documents of these hashes; those of an equal one are drawn together."""
        full = len(self.rows) >= self.most
        limit = min(self.limit, self.rows[-1][0] if full else 2**64) - 1
        below = np.flatnonzero(ranks <= np.uint64(max(0, limit)))
        best = below[np.argsort(ranks[below], kind="stable")[: self.most]]
        found = tuple((int(ranks[i]), text(int(i))[:CHARS]) for i in best)
        return self.merged(Draw(self.most, self.limit, found))

    def merged(self, other: "Draw") -> "Draw":
        """Of both."""
        return replace(self, rows=tuple(sorted({*self.rows, *other.rows})[: self.most]))
