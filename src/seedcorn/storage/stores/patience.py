"""The one level of retries, and what "unknown" means for a conditional write.

A refused condition, a conflict, a time-out and a reset all say the same thing: the object may or
may not be there, and may or may not be mine. So nothing is concluded from the answer: the object
is read back. The invariant is that only identical bytes are ever sent again.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

from seedcorn.core.errors import ObjectMissing, StoreError

T = TypeVar("T")

FIRST_PAUSE_S = 0.1
"""Doubled after each attempt, up to LONGEST_PAUSE_S, and cut by jitter."""
LONGEST_PAUSE_S = 5.0


class Unanswered(StoreError):
    """One request whose outcome is unknown: it may have happened. Inside a store only."""


def _jitter() -> float:
    return random.uniform(0.5, 1.0)


@dataclass(frozen=True)
class Patience:
    """How long unanswered requests are repeated. Clock, sleep and jitter are injectable."""

    deadline_s: float = 60.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = _jitter

    def keep_trying(self, attempt: Callable[[], T]) -> T:
        """Call `attempt` until it answers; raises StoreError past the deadline.

        Only Unanswered is tried again; every other error is an answer.
        """
        end = self.clock() + self.deadline_s
        for tries in count(1):
            try:
                return attempt()
            except Unanswered as error:
                pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(tries - 1, 10))
                pause *= self.jitter()
                if self.clock() + pause >= end:
                    raise StoreError(
                        f"{error}; gave up after {tries} attempts in {self.deadline_s:g} s"
                        " (store.deadline_s)"
                    ) from error
            self.sleep(pause)
        raise AssertionError("count() ended")

    def settle(self, create: Callable[[], None], read: Callable[[], bytes], data: bytes) -> bytes:
        """The bytes that stand after creating `data` if absent; raises StoreError past the deadline.

        `create` sends exactly `data` under a condition and raises Unanswered for anything but an
        acknowledgement or a definite refusal; `read` raises ObjectMissing when nothing stands.
        """

        def attempt() -> bytes:
            try:
                create()
            except Unanswered as unknown:
                try:
                    return read()
                except ObjectMissing:
                    raise unknown from None
            return data

        return self.keep_trying(attempt)
