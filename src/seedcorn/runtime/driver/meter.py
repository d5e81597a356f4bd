"""What a run exports of itself: from what the driver knows anyway, never per token or per sample.

The driver exports for all its workers, once a second from a snapshot, once a batch from the entry
that was committed. Counters of processes that died would stay in an exporter for ever; so no worker
has any. What is exported is to look at: the log is the account.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from seedcorn.core.log.entries import BatchCommitted
from seedcorn.core.ops import metrics as known
from seedcorn.core.ops.metrics import Metric
from seedcorn.core.sketch.sketch import HEADLINE
from seedcorn.runtime.driver.ports import Instruments
from seedcorn.runtime.driver.snapshot import Snapshot
from seedcorn.runtime.job import WorkerProgress


class Unexported:
    """The `Instruments` of a place from which nothing is exported."""

    def record(self, metric: Metric, value: float, *tags: str) -> None:
        """See `Instruments`."""


@dataclass(slots=True)
class Growth:
    """U as of the last batch, and when that was: what the next one is compared with."""

    generation: int = 0
    committed: int = 0
    unique: float = 0.0
    at: float = 0.0


class Meter:
    """What a run exports. One per run: it remembers what the counters already hold."""

    def __init__(self, out: Instruments, now: Callable[[], float] = time.monotonic) -> None:
        """`out` takes the figures of one corpus; `now` is a monotonic clock in seconds."""
        self._out, self._now = out, now
        self._workers: dict[int, WorkerProgress] = {}
        self._restarts: dict[int, int] = {}
        self._growth = Growth()

    def committed(self, body: BatchCommitted, seal_s: float, commit_s: float) -> None:
        """A batch is in the log: what it holds, and what its sealing and its entry took."""
        for outcome in known.TAG_VALUES[known.OUTCOME]:
            self._out.record(known.SAMPLES, body.counts.get(outcome, 0), outcome)
        for kind in known.TAG_VALUES[known.KIND]:
            self._out.record(known.TOKENS, body.tokens.get(kind, 0), kind)
        self.engine_time(body.goodput)
        self._out.record(known.SEAL, seal_s)
        self._out.record(known.COMMIT, commit_s)

    def engine_time(self, seconds: Mapping[str, float]) -> None:
        """Seconds by use, of an entry."""
        for use, value in seconds.items():
            self._out.record(known.ENGINE_SECONDS, value, use)

    def look(self, look: Snapshot) -> None:
        """Where the run stands."""
        out = self._out
        out.record(known.GENERATION, look.generation)
        out.record(known.PLANNED, look.planned)
        out.record(known.GENERATED, look.generated)
        for state in known.TAG_VALUES[known.STATE]:
            out.record(known.UNITS, look.units.get(state, 0), state)
        out.record(known.OPEN_BATCHES, look.open_batches)
        out.record(known.WORKERS, look.workers)
        out.record(known.QUARANTINED, look.quarantined)
        done, rows = look.indexing
        out.record(known.INDEXING, done / rows if rows else 1.0)
        self._restarts[look.generation] = look.restarts
        out.record(known.RESTARTS, sum(self._restarts.values()))
        self._unique(look)
        self._all_workers(look.progress)

    def _unique(self, look: Snapshot) -> None:
        row = next((row for row in look.rows if row.generation == look.generation), None)
        if row is None or not row.unique:
            return
        counted = row.unique_tokens or row.unique[HEADLINE]
        unique, now, before = counted.estimate, self._now(), self._growth
        self._out.record(known.UNIQUE, unique)
        fresh = before.generation != look.generation
        if fresh or row.committed != before.committed:
            grown = 0.0 if fresh else (unique - before.unique) / max(now - before.at, 1e-3)
            self._out.record(known.UNIQUE_RATE, max(0.0, grown))
            self._growth = Growth(look.generation, row.committed, unique, now)

    def _all_workers(self, progress: Mapping[int, WorkerProgress]) -> None:
        for slot, report in progress.items():
            before = self._workers.get(slot, WorkerProgress())
            if report is not before:  # One that did not answer is told twice, and counts once.
                self._worker(str(slot), before, report)
        for slot in self._workers.keys() - progress.keys():
            self._gone(str(slot), self._workers[slot])
        self._workers = dict(progress)

    def _worker(self, slot: str, before: WorkerProgress, report: WorkerProgress) -> None:
        out = self._out
        if report.up_s < before.up_s:  # Another engine, or another generation: it counts anew.
            before = WorkerProgress()
        out.record(known.WORKER_TOKENS, report.tokens - before.tokens, slot)
        up, busy = report.up_s - before.up_s, report.busy_s - before.busy_s
        out.record(known.BUSY_SHARE, min(1.0, busy / up) if up else 0.0, slot)
        out.record(known.IN_FLIGHT, report.in_flight, slot)
        for name, metric in known.FROM_ENGINE.items():
            if name in report.engine:
                out.record(metric, report.engine[name], slot)
        for lag in report.lags:
            out.record(known.STAGING_LAG, lag)

    def _gone(self, slot: str, last: WorkerProgress) -> None:
        """A gauge keeps its last value for ever; that of an engine that is gone is nought."""
        shown = [metric for name, metric in known.FROM_ENGINE.items() if name in last.engine]
        for metric in (known.BUSY_SHARE, known.IN_FLIGHT, *shown):
            self._out.record(metric, 0.0, slot)
