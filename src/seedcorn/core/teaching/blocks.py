"""Which documents are compared at which size: random blocks of whole clusters, and prefixes of them.

Worth is told at one size for all: half of what the smaller side has, so that blocks differ. What is
drawn is decided by hashes of cluster names, so a measurement can be repeated.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.identity import uint64

BLOCKS = 8
"""Blocks of each side."""
QUARTER = 4
"""Worth is told at a quarter of the size as well: where it falls with size, the text is used up."""
CURVE = 6
"""Points of the curve of teaching; each has twice the words of the one before."""


@dataclass(frozen=True)
class Blocks:
    """Documents of every block, in the order they were drawn."""

    documents: Sequence[NDArray[np.int64]]
    share: float
    """Words of a block over words of all."""

    def groups(self, first: int = 0) -> dict[int, list[int]]:
        """Document -> numbers of its blocks, from `first` on: for `AnchorTable.count_groups`."""
        found: dict[int, list[int]] = {}
        for number, block in enumerate(self.documents, first):
            for document in block.tolist():
                found.setdefault(document, []).append(number)
        return found


def matched_size(*words: int) -> int:
    """n*: words of a block where the sides have so many words."""
    return min(words) // 2


def draw(
    words: NDArray[np.int64], clusters: Sequence[Hashable], size: int, blocks: int = BLOCKS
) -> Blocks:
    """So many blocks of about `size` words, each of whole clusters in an order of its own.

    words, clusters: [d]. The last cluster of a block is cut after the document with which the block
    comes closest to its size. Raises ValueError for a size beyond what there is.
    """
    total = int(words.sum())
    if not 0 < size <= total:
        raise ValueError(f"blocks of {size} words out of {total}")
    names = [str(name) for name in clusters]
    found: list[NDArray[np.int64]] = []
    for number in range(blocks):
        keys = {name: uint64("block", number, name) for name in dict.fromkeys(names)}
        ranks = np.array([keys[name] for name in names], np.uint64)
        order = np.lexsort((np.arange(len(names)), ranks))
        found.append(prefix(order, words, size))
    return Blocks(found, size / total)


def prefix(order: NDArray[np.int64], words: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """The first documents in this order whose words come closest to the size; at least one."""
    running = np.cumsum(words[order])
    return order[: 1 + int(np.argmin(np.abs(running - size)))]


def curve_sizes(words: int) -> list[int]:
    """Words after which ΔA is told: halves of all, the smallest first."""
    sizes = {words >> step for step in range(CURVE)}
    return sorted(size for size in sizes if size)
