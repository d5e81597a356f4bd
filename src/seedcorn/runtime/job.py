"""What actors are told and what they answer: plain values that travel between processes.

No client, key or text is among them: actors open the store themselves, and texts stay in
segments and shards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seedcorn.core.ledger.alarms import Alarm
from seedcorn.core.ledger.rows import GenerationRow
from seedcorn.core.log.entries import Body, Measurement, ObjectRef
from seedcorn.core.recipe import Recipe


@dataclass(frozen=True, slots=True)
class GenerationJob:
    """One generation as a worker needs it."""

    recipe: Recipe
    fingerprint: str
    generation: int
    corpus: str
    catalogues: list[dict[str, Any]]
    """Seed catalogues in ordinal order."""
    ancestors: Mapping[int, list[ObjectRef]]
    """Accepted shards of the generations before it that stand, in order."""
    withdrawn: frozenset[str] = frozenset()
    rules: Mapping[str, int] = field(default_factory=dict)
    """As `generation_started` stored them, see `core.rule_numbers`."""
    abandoned: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    """Abandoned generations: the sequence numbers of their first and last entry."""
    ordinals: Sequence[int] = ()
    """The log's ordinal of each catalogue's first row."""
    held: Sequence[ObjectRef] = ()
    """What of all rows is held back, by those ordinals."""


@dataclass(frozen=True, slots=True)
class UnitReport:
    """What became of a lease. `covered` indices are durable in `segments`.

    `died`: the engine is gone; `in_flight` are the indices it took with it, `cause` its last words.
    """

    unit: int
    covered: tuple[int, ...]
    segments: tuple[str, ...]
    died: bool = False
    in_flight: tuple[int, ...] = ()
    cause: str = ""


@dataclass(frozen=True, slots=True)
class WorkerProgress:
    """A worker's counters since it started; shown, never trusted for accounting."""

    outcomes: Mapping[str, int] = field(default_factory=dict)
    tokens: int = 0
    in_flight: int = 0
    engine: Mapping[str, float] = field(default_factory=dict)
    """The engine's own figures."""
    busy_s: float = 0.0
    """Seconds with work in flight since it began on this generation."""
    up_s: float = 0.0
    """Seconds since it began on this generation."""
    lags: tuple[float, ...] = ()
    """Of every segment staged since the last look: seconds from its first sample to durable."""
    units: Mapping[int, int] = field(default_factory=dict)
    """Units it holds, and how many samples of each have an outcome."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """The keeper is in step with the log. `measured` are to be appended before the next batch."""

    covered: int
    """Entries that a checkpoint covered."""
    measured: list[Measurement]
    rows: list[GenerationRow]
    due: Body | None
    """As in `Folded`: an entry that a writer did not live to append is still due."""
    too_short: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Evaluation set -> (items that are only found as a whole text, all its items)."""


@dataclass(frozen=True, slots=True)
class Folded:
    """The ledger after an entry. `due`: the forecast or decision to append before the next batch
    opens; None once everything is said. `alarms`: those of the open generation so far."""

    rows: list[GenerationRow]
    due: Body | None
    alarms: Sequence[Alarm] = ()
