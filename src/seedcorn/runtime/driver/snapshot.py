"""What the live view shows: a value, made once a second, never an account."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from seedcorn.core.ledger.rows import GenerationRow
from seedcorn.runtime.job import WorkerProgress


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One look at a running generation."""

    generation: int
    planned: int
    generated: int
    """Samples with an outcome before dedup: committed, staged, and finished on workers."""
    tokens_per_s: float
    """Completion tokens per second over the last seconds, all workers."""
    workers: int
    """Workers ready now."""
    in_flight: int
    restarts: int
    quarantined: int
    open_batches: int
    indexing: tuple[int, int]
    """(rows indexed, rows to index); equal when done."""
    rows: tuple[GenerationRow, ...] = ()
    """The ledger's rows as of the last commit."""
    progress: Mapping[int, WorkerProgress] = field(default_factory=dict)
    """What each ready worker last said, by slot."""
    units: Mapping[str, int] = field(default_factory=dict)
    """Units of the open batches: open, leased, staged in full."""
    tokens: int = 0
    """Completion tokens that this run has generated."""
    draining: bool = False


class Rate:
    """Tokens per second over a sliding window, from a counter that may reset with its worker."""

    WINDOW_S = 10.0

    def __init__(self) -> None:
        """Empty."""
        self._marks: list[tuple[float, float]] = []
        self.total = 0.0
        """Of all counters since the first."""
        self._last: dict[int, float] = {}

    def update(self, worker: int, counter: float) -> None:
        """A worker's counter; lower than before means a fresh worker."""
        last = self._last.get(worker, 0.0)
        self.total += counter - last if counter >= last else counter
        self._last[worker] = counter

    def per_second(self, now: float) -> float:
        """Rate at `now`, monotonic seconds."""
        self._marks.append((now, self.total))
        while len(self._marks) > 2 and now - self._marks[0][0] > self.WINDOW_S:
            self._marks.pop(0)
        (start, before), (end, after) = self._marks[0], self._marks[-1]
        return (after - before) / (end - start) if end > start else 0.0
