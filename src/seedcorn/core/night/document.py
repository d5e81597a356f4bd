"""The night's report as one JSON document: what is stored beside the corpus, and sent to a webhook.

Invariant: measured times stand under `measured` alone, and a figure that nobody knows is null, never
zero.
"""

from typing import Final, Literal, NotRequired, TypedDict

from seedcorn.core.intervals import Bounds
from seedcorn.core.ledger.course import AlarmNote, DecisionNote
from seedcorn.core.ledger.rows import Tokens
from seedcorn.core.ledger.verdict.verdict import VerdictNote

FORMAT = 1
"""Version of the JSON."""
GROWN: Final = "grown"
UNFINISHED: Final = "unfinished"
SKIPPED: Final = "skipped"


class DriftNote(TypedDict):
    """A figure against the nights before, see core.night.drift."""

    value: float
    mean: float | None
    low: float | None
    high: float | None
    nights: int
    verdict: str


class StratumNight(TypedDict):
    """A stratum's content, per sample: a moved budget must not look like richer text."""

    stratum: str
    samples: int
    unique: Bounds | None
    unique_tokens: Bounds | None
    per_sample: DriftNote | None


class Expected(Bounds):
    """What the nights before led one to expect of so many samples, and whether it came so."""

    samples: int
    held: bool


class NextNight(Bounds):
    """What so many samples of the next night would add."""

    samples: int
    basis: str
    """trend | continuation"""
    nights: int


class SeedRows(TypedDict):
    """Documents that joined the corpus' history."""

    role: str
    source: str
    rows: int


class SkippedNight(TypedDict):
    """A night that grew nothing, and why."""

    night: str
    text: str


class WritingNote(TypedDict):
    """A driver that committed batches, from which one on, and when it came."""

    host: str
    pid: int
    batch: int
    at: float


class NightTimes(TypedDict):
    """What rests on clocks."""

    engine_hours: float | None
    unique_per_engine_hour: float | None
    rate_drift: DriftNote | None
    engine_time: dict[str, float]
    started: float
    finished: float | None
    writings: list[WritingNote]


class NoTimes(TypedDict):
    """Nothing was measured."""


class Around(TypedDict):
    """What came with the night besides text."""

    seeds: list[SeedRows]
    before: str
    """The night before that grew something; empty for the first."""
    missed: list[str]
    skipped: list[SkippedNight]
    taken_over: list[int]
    """Batches from which on another driver wrote."""


class GrownNight(Around):
    """The report on a night's generation."""

    format: int
    night: str
    status: Literal["grown", "unfinished"]
    generation: int
    reason: str
    deadline: bool
    """Whether the deadline ended it."""
    detail: str
    verdict: NotRequired[VerdictNote]
    """Absent in reports of older versions."""
    unit: str
    planned: int
    committed: int
    counts: dict[str, int]
    tokens: Tokens
    unique: Bounds | None
    unique_tokens: Bounds | None
    """What the night added where the ledger's unit is the unique token: `drift`, `strata`, `expected`
    and `next` are in it then, else in shingles."""
    unknown: str
    total: float | None
    """U of the whole corpus."""
    total_tokens: float | None
    """Unique tokens of the whole corpus."""
    yield_per_token: float | None
    drift: dict[str, DriftNote | None]
    strata: list[StratumNight]
    expected: Expected | None
    next: NextNight | None
    alarms: list[AlarmNote]
    decisions: list[DecisionNote]
    measured: NightTimes


class NightWithout(Around):
    """The report on a night that grew nothing."""

    format: int
    night: str
    status: Literal["skipped"]
    generation: None
    reason: str
    detail: str
    total: float | None
    measured: NoTimes


NightReport = GrownNight | NightWithout
