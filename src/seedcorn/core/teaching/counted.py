"""One text, counted once: all of it, its blocks at two sizes, and the points of its curve.

`Plan` says in which of these each document counts; whoever reads the documents hands its groups to
`AnchorTable.count_groups`, piece by piece, and adds. Invariant: what is drawn depends on words and
clusters of the documents and on nothing else, so any cut of the reading gives the same counts.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.teaching.blocks import BLOCKS, QUARTER, Blocks, curve_sizes, draw, prefix
from seedcorn.core.teaching.table import AnchorTable, Counts
from seedcorn.core.text.words import Words


@dataclass(frozen=True, eq=False)
class Counted:
    """Counts of a text and of parts of it."""

    whole: Counts
    blocks: Sequence[Counts]
    """At n*; empty where there is nothing to compare with."""
    quarters: Sequence[Counts]
    """At n*/4."""
    curve: Sequence[Counts]
    """Growing parts, the whole not among them."""
    share: float
    """Words of a block over words of all."""

    @property
    def quarter_share(self) -> float:
        """The same of the smaller blocks."""
        return self.share / QUARTER


@dataclass(frozen=True, eq=False)
class Plan:
    """In which counts each of d documents belongs."""

    groups: Sequence[Sequence[int]]
    """[d]"""
    sizes: tuple[int, int, int]
    """How many blocks, quarter blocks and points there are; group 0 is the whole."""
    share: float

    @classmethod
    def of(
        cls,
        words: NDArray[np.int64],
        clusters: Sequence[Hashable],
        size: int,
        points: Sequence[int] | None = None,
    ) -> "Plan":
        """For documents of so many words. `size`: n*, 0 for no blocks. `points`: words after which
        the curve is told; None: halves of all; those beyond all there is are left out."""
        half = BLOCKS // 2
        large, small = Blocks((), 0.0), Blocks((), 0.0)
        if size >= QUARTER:
            large = draw(words, clusters, size)
            small = draw(words, clusters, size // QUARTER, half)
        total = int(words.sum())
        wanted = curve_sizes(total) if points is None else points
        order = draw(words, clusters, total, 1).documents[0] if total else np.zeros(0, np.int64)
        curve = [prefix(order, words, point) for point in wanted if point < total]
        parts = (large.documents, small.documents, curve)
        groups: list[list[int]] = [[0] for _ in range(len(words))]
        for number, documents in enumerate((one for part in parts for one in part), 1):
            for document in documents.tolist():
                groups[document].append(number)
        return cls(groups, (len(parts[0]), len(parts[1]), len(parts[2])), large.share)

    @property
    def most(self) -> int:
        """Number of groups."""
        return 1 + sum(self.sizes)

    def counted(self, counts: Sequence[Counts]) -> Counted:
        """What the sums over all documents are, in the order of the groups."""
        ends = accumulate(self.sizes, initial=1)
        blocks, quarters, curve = (counts[a:b] for a, b in pairwise(ends))
        return Counted(counts[0], blocks, quarters, curve, self.share)


def count(table: AnchorTable, words: Words, plan: Plan) -> Counted:
    """All documents of a plan at once, where they fit in memory."""
    return plan.counted(table.count_groups(words, plan.groups, plan.most))
