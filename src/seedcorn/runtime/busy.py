"""Engine time: wall seconds during which an engine had work, handed out once."""

from collections.abc import Callable


class BusyClock:
    """Counts time while at least one request is in flight.

    `take` returns what has accrued and forgets it, so that the sum over staged segments is the
    engine time of the run, whatever the number of units that shared the engine.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` is a monotonic clock in seconds."""
        self._now, self._active, self._since, self._accrued = now, 0, 0.0, 0.0

    def enter(self) -> None:
        """A request was submitted."""
        if self._active == 0:
            self._since = self._now()
        self._active += 1

    def leave(self) -> None:
        """A request came back."""
        self._active -= 1
        if self._active == 0:
            self._accrued += self._now() - self._since

    @property
    def active(self) -> int:
        """Requests in flight."""
        return self._active

    def take(self) -> float:
        """Seconds accrued since the last call."""
        if self._active:
            now = self._now()
            self._accrued, self._since = self._accrued + now - self._since, now
        accrued, self._accrued = self._accrued, 0.0
        return accrued

    def refund(self, seconds: float) -> None:
        """Take back seconds whose segment could not be staged; a later one accounts for them."""
        self._accrued += seconds
