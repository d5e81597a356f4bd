"""A fair draw of one source's documents, taken while they stream past.

Invariant: which rows are drawn follows from the source's place, name and number of rows alone, so
that a measurement can be repeated; memory is the draw.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.companions.draws import CHARS
from seedcorn.core.identity import Permutation, uint64


class DocumentDraw:
    """At most `most` documents of a source of `rows` rows."""

    def __init__(self, number: int, name: str, rows: int, most: int) -> None:
        self.number, self.rows = number, rows
        order = Permutation(rows, uint64("measured", number, name)) if rows else None
        draws = [order(place) for place in range(min(rows, most))] if order is not None else []
        self._rank = {row: rank for rank, row in enumerate(draws)}
        self._rows = np.sort(np.array(draws, np.int64))
        self._texts: dict[int, str] = {}
        self._seen = 0
        self.population = 0
        """Documents so far, drawn or not."""
        self.cut = 0
        """Drawn documents that were longer than `CHARS`."""

    def look(self, usable: NDArray[np.bool_], text: Callable[[int], str]) -> None:
        """The next rows: which are documents, and the text of one."""
        low, high = np.searchsorted(self._rows, (self._seen, self._seen + len(usable)))
        for row in self._rows[low:high].tolist():
            if usable[row - self._seen]:
                whole = text(row - self._seen)
                self._texts[row] = whole[:CHARS]
                self.cut += len(whole) > CHARS
        self._seen += len(usable)
        self.population += int(usable.sum())

    @property
    def drawn(self) -> list[int]:
        """Rows of the drawn documents, ascending."""
        return sorted(self._texts)

    @property
    def texts(self) -> list[str]:
        """The drawn documents in order."""
        return [self._texts[row] for row in self.drawn]

    def first(self, count: int) -> list[str]:
        """A smaller draw of the same source: the `count` texts that were drawn first."""
        chosen = sorted(self._texts, key=lambda row: self._rank[row])[:count]
        return [self._texts[row] for row in sorted(chosen)]
