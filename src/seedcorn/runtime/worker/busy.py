"""Engine time: wall seconds during which an engine had work, shared out among its requests.

While k requests are in flight, each of them uses one k-th of the engine, as in processor sharing
(Kleinrock 1967). Invariant: the shares of all requests add up to the busy time, however they overlap,
so a sample carries what it cost from the engine to the log, and nothing is paid for twice or never.
"""

from collections.abc import Callable


class BusyClock:
    """Counts time while at least one request is in flight. Each call costs O(1)."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` is a monotonic clock in seconds."""
        self._now, self._active, self._last = now, 0, now()
        self._total = self._share = 0.0
        """Busy seconds; and what one request that was always in flight would have used of them."""

    def enter(self) -> float:
        """A request was submitted; returns the mark that `leave` wants back."""
        self._advance()
        self._active += 1
        return self._share

    def leave(self, mark: float) -> float:
        """The request came back; returns its share of the engine's time in seconds."""
        self._advance()
        self._active -= 1
        return self._share - mark

    @property
    def active(self) -> int:
        """Requests in flight."""
        return self._active

    def total(self) -> float:
        """Busy seconds so far, those of requests in flight included."""
        self._advance()
        return self._total

    def _advance(self) -> None:
        now = self._now()
        if self._active:
            self._total += now - self._last
            self._share += (now - self._last) / self._active
        self._last = now


class SlotClock:
    """For how long each request held a slot of its engine.

    A worker keeps more requests in flight than its engine runs at once, so that none of its slots is
    ever empty; the others wait in the order they came. Time in that queue is nobody's cost: behind
    slow requests it is as long for fast ones. Each call costs O(1).
    """

    def __init__(self, now: Callable[[], float], slots: int) -> None:
        """`now` is a monotonic clock in seconds; `slots` is what the engine runs at once."""
        self._now, self._free = now, max(1, slots)
        self._waiting: dict[int, None] = {}
        self._began: dict[int, float] = {}
        self._count = 0

    def enter(self) -> int:
        """A request was submitted; returns the number that `leave` wants back."""
        self._count += 1
        self._waiting[self._count] = None
        self._admit()
        return self._count

    def leave(self, number: int) -> float:
        """The request came back; returns for how many seconds it held a slot."""
        began = self._began.pop(number, None)
        if began is None:
            del self._waiting[number]
            return 0.0
        self._free += 1
        self._admit()
        return self._now() - began

    def _admit(self) -> None:
        while self._free and self._waiting:
            number = next(iter(self._waiting))
            del self._waiting[number]
            self._began[number] = self._now()
            self._free -= 1
