"""Work that falls into pieces, done wherever there is room: Ray tasks, or this process.

The work is a function of what all pieces share and of its piece, and answers merge in any order, so
a piece may be done twice, anywhere. Only plain values travel.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

Shared = TypeVar("Shared")
Piece = TypeVar("Piece")
Answer = TypeVar("Answer")


class Tasks(Protocol):
    """Who does pieces of work."""

    def merged(
        self,
        work: Callable[[Shared, Piece], Answer],
        shared: Shared,
        pieces: Sequence[Piece],
        merge: Callable[[Answer, Answer], Answer],
    ) -> Answer:
        """`work(shared, piece)` of every piece, merged; blocks until all are done.

        `pieces` are at least one, `merge` is associative and commutative. Raises what the work
        raises, and Lost when a process dies on it again and again.
        """
        ...
