"""Pieces of work one after the other, in the thread that asks."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import TypeVar

Shared = TypeVar("Shared")
Piece = TypeVar("Piece")
Answer = TypeVar("Answer")


class LocalTasks:
    """`Tasks` in this process: memory is one piece's and the answer's."""

    def merged(
        self,
        work: Callable[[Shared, Piece], Answer],
        shared: Shared,
        pieces: Sequence[Piece],
        merge: Callable[[Answer, Answer], Answer],
    ) -> Answer:
        """See `Tasks`."""
        return reduce(merge, (work(shared, piece) for piece in pieces))
