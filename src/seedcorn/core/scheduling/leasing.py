"""Which unit is leased next, which batch may be sealed: a state machine without clocks or Ray.

Units are leased in plan order inside a window of `ahead + 1` open batches. Batches seal and commit
in order. A unit is complete when staged segments cover every index in it, whoever staged them. The
window moves only when it is told to: what was decided on a batch is durable before that batch opens.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import ceil

from seedcorn.core.errors import RecipeError
from seedcorn.core.recipe import EngineSpec, UnitsSpec, in_flight

REMEMBERED = 101
"""Latest unit durations of which the median tells a straggler; bounded, as every idle poll sorts."""


@dataclass(frozen=True, slots=True)
class Cut:
    """How one generation is cut: samples into units, units into batches."""

    samples: int
    unit: int
    batch: int

    @property
    def units(self) -> int:
        """Units of the generation; the last may be short."""
        return ceil(self.samples / self.unit)

    @property
    def batches(self) -> int:
        """Batches of the generation; the last may be short."""
        return ceil(self.units / self.batch)

    def indices(self, unit: int) -> range:
        """Plan indices of a unit."""
        return range(unit * self.unit, min((unit + 1) * self.unit, self.samples))

    def units_of(self, batch: int) -> range:
        """Units of a batch."""
        return range(batch * self.batch, min((batch + 1) * self.batch, self.units))


@dataclass(slots=True)
class UnitState:
    """An open unit: who works on it since when, and what is staged of it."""

    holders: dict[int, float] = field(default_factory=dict)
    covered: set[int] = field(default_factory=set)
    segments: list[str] = field(default_factory=list)
    head_start: bool = False
    """Some of it was staged or held back when it was leased: how long it took tells nothing."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What a worker is asked to write: these indices of this unit, except what `segments` hold.

    `failed` indices are recorded as failed without asking the engine: index -> (reason, detail).
    """

    generation: int
    unit: int
    indices: tuple[int, ...]
    segments: tuple[str, ...] = ()
    failed: dict[int, tuple[str, str]] = field(default_factory=dict)
    mixes: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    """Decided weights of the strata, see `Plan.decide`."""


class Leases:
    """The open window of one generation."""

    def __init__(self, generation: int, cut: Cut, ahead: int, committed: int) -> None:
        """`committed` batches already exist; their units are never leased again.

        The batch that the last of them has a say in stays closed until `advance`.
        """
        self.generation, self.cut, self.ahead = generation, cut, ahead
        self.committed = self.sealed = committed
        self.mixes: Mapping[int, Mapping[str, float]] = {}
        """Decided weights of the strata; they go out with every lease."""
        self.held_back: set[int] = set()
        """Indices that wait in quarantine and are not leased normally."""
        self._open: dict[int, UnitState] = {}
        self._staged_ahead: dict[int, list[str]] = {}
        self._durations: deque[float] = deque(maxlen=REMEMBERED)
        self._extend(ahead if committed else ahead + 1)

    @property
    def done(self) -> bool:
        """Every batch is committed."""
        return self.committed >= self.cut.batches

    @property
    def open_batches(self) -> int:
        """Batches that are open now, as far as the plan goes."""
        return min(self.ahead + 1, self.cut.batches - self.committed)

    def resume(self, segments: Iterable[tuple[int, str]]) -> None:
        """Segments an earlier process staged: (unit, key). Their coverage is read by the worker.

        Those beyond the window are kept for when it gets there: `ahead` may have been larger.
        """
        first = self.committed * self.cut.batch
        for unit, key in segments:
            if unit in self._open:
                _add(self._open[unit].segments, [key])
            elif unit >= first:
                _add(self._staged_ahead.setdefault(unit, []), [key])

    def lease(self, worker: int, now: float, hedge_factor: float) -> Lease | None:
        """The next unit for `worker`: the first nobody holds, else a straggler held elsewhere."""
        for unit, state in self._open.items():
            if not state.holders and self._wanted(unit):
                return self._grant(unit, worker, now)
        for unit, state in self._open.items():
            if self._straggles(state, worker, now, hedge_factor) and self._wanted(unit):
                return self._grant(unit, worker, now)
        return None

    def staged(self, unit: int, indices: Iterable[int], segments: Iterable[str]) -> None:
        """Segments that cover `indices` of `unit` are durable."""
        state = self._open.get(unit)
        if state is None:
            return
        # An index of another unit must not make this one look complete.
        state.covered.update(set(indices).intersection(self.cut.indices(unit)))
        _add(state.segments, segments)

    def returned(self, unit: int, worker: int, now: float) -> None:
        """The worker no longer holds the unit, finished or not."""
        state = self._open.get(unit)
        since = state.holders.pop(worker, None) if state else None
        if state and since is not None and self._complete(unit) and not state.head_start:
            self._durations.append(now - since)

    def lost(self, worker: int) -> dict[int, tuple[int, ...]]:
        """The worker died: its units, each with the indices not known to be staged."""
        unfinished: dict[int, tuple[int, ...]] = {}
        for unit, state in self._open.items():
            if state.holders.pop(worker, None) is not None:
                unfinished[unit] = tuple(
                    i for i in self.cut.indices(unit) if i not in state.covered
                )
        return unfinished

    def patience(self, deadline_s: float, factor: float) -> float:
        """Seconds without a finished sample after which a worker that holds units hangs; 0: never.

        Where units are known to take long, twice the time after which they are hedged.
        """
        if not deadline_s or len(self._durations) < 3:
            return deadline_s
        return max(deadline_s, 2 * factor * self._median())

    def sealable(self) -> int | None:
        """The next batch in order, once all its units are complete."""
        if self.sealed >= self.cut.batches:
            return None
        complete = all(self._complete(unit) for unit in self.cut.units_of(self.sealed))
        return self.sealed if complete else None

    def segments_of(self, batch: int) -> list[str]:
        """Keys of every known segment of a batch, in a canonical order."""
        return sorted(k for u in self.cut.units_of(batch) for k in self._open[u].segments)

    def segments_of_unit(self, unit: int) -> tuple[str, ...]:
        """Keys of every known segment of an open unit."""
        return tuple(self._open[unit].segments) if unit in self._open else ()

    def commit(self, batch: int) -> None:
        """The batch's log entry is durable: its units close. `advance` opens the next ones.

        Raises ValueError for any batch but the next: skipped units would never be written.
        """
        if batch != self.committed:
            raise ValueError(f"batch {batch} committed while {self.committed} is the next one")
        for unit in self.cut.units_of(batch):
            self._open.pop(unit, None)
        self.committed = self.sealed = batch + 1

    def advance(self, samples: int, mixes: Mapping[int, Mapping[str, float]]) -> None:
        """What the committed batches decide is durable: the plan ends after `samples`, strata have
        these weights, and the window moves on."""
        self.cut = replace(self.cut, samples=samples)
        self.mixes = mixes
        self._extend(self.ahead + 1)

    def states(self) -> dict[str, int]:
        """Units of the open batches: all, those somebody holds, those staged in full."""
        return {
            "open": len(self._open),
            "leased": sum(bool(state.holders) for state in self._open.values()),
            "staged": sum(self._complete(unit) for unit in self._open),
        }

    def finished_samples(self, held: Mapping[int, int]) -> int:
        """Samples of open units that have an outcome; `held`: as many as workers say of a unit."""
        units = self._open.items()
        return sum(max(len(state.covered), held.get(unit, 0)) for unit, state in units)

    def _extend(self, batches: int) -> None:
        for batch in range(self.committed, min(self.committed + batches, self.cut.batches)):
            for unit in self.cut.units_of(batch):
                if unit not in self._open:
                    segments = self._staged_ahead.pop(unit, [])
                    self._open[unit] = UnitState(segments=segments)

    def _wanted(self, unit: int) -> bool:
        covered = self._open[unit].covered
        return any(i not in covered and i not in self.held_back for i in self.cut.indices(unit))

    def _complete(self, unit: int) -> bool:
        return len(self._open[unit].covered) == len(self.cut.indices(unit))

    def _grant(self, unit: int, worker: int, now: float) -> Lease:
        state = self._open[unit]
        state.holders[worker] = now
        wanted = tuple(
            i for i in self.cut.indices(unit) if i not in state.covered and i not in self.held_back
        )
        whole = len(wanted) == len(self.cut.indices(unit))
        state.head_start |= bool(state.segments) or not whole
        return Lease(self.generation, unit, wanted, tuple(state.segments), mixes=self.mixes)

    def _straggles(self, state: UnitState, worker: int, now: float, factor: float) -> bool:
        if len(state.holders) != 1 or worker in state.holders or len(self._durations) < 3:
            return False
        return now - min(state.holders.values()) > factor * self._median()

    def _median(self) -> float:
        return sorted(self._durations)[len(self._durations) // 2]


def _add(segments: list[str], more: Iterable[str]) -> None:
    """Every key once: a segment counted twice would be paid for twice."""
    for key in more:
        if key not in segments:
            segments.append(key)


def most_workers(engine: EngineSpec, units: UnitsSpec, samples: int) -> int:
    """Workers that the window keeps busy in a plan of `samples`; `workers: auto` starts no more."""
    each, window = in_flight(engine.settings.capacity), _window(units)
    busy = ceil(samples / each) if samples <= window else window // (2 * each)
    return max(1, busy)


def require_window(engine: EngineSpec, units: UnitsSpec, samples: int) -> None:
    """Refuse a window so small that engines would idle while a batch waits for its straggler."""
    sequences, workers = engine.settings.capacity, engine.least_workers
    window = _window(units)
    needed = 2 * in_flight(sequences) * workers
    if window < needed and samples > window:
        raise RecipeError(
            f"units.unit x units.batch x units.ahead is {window} samples, but {workers} workers "
            f"with {sequences} sequences each need at least {needed} to stay busy; raise "
            "units.batch or units.ahead, or lower the engine's concurrency"
        )


def _window(units: UnitsSpec) -> int:
    return units.unit * units.batch * units.ahead
