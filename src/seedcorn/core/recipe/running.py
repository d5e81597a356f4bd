"""The recipe's part about a run: how work is cut, what is kept of it, when it stops, where it lives.

All of it is operational, since texts and verdicts do not depend on it; but what is held out of the
seed is not drawn, so that is a part of the fingerprint.
"""

from dataclasses import dataclass, field, replace
from math import ceil

from seedcorn.core.recipe.fields import operational, semantic
from seedcorn.core.recipe.texts import SourceSpec

WITHOUT_RAY = "none"
SMALLEST_UNIT, LARGEST_UNIT = 4, 256
"""Samples of a unit, unless the recipe says otherwise: each is a segment on the store."""
UNITS_OF_A_BATCH = 16
"""Units of a batch, hence at most 4096 samples, unless the recipe or an engine's window asks for more."""
IN_FLIGHT_FACTOR = 1.1
"""Requests kept in flight per sequence an engine runs; deeper queues cost more than they give
(Ray's own vLLM stage settled on the same figure, see the reference notes)."""


@dataclass(frozen=True)
class UnitsSpec:
    """How work is cut. Texts and verdicts do not depend on any of it; a generation goes on as it was
    cut when it started."""

    unit: int = operational(0, at_least=0)
    """Samples an engine worker leases at once; 0: a sixteenth of `samples`, from 4 to 256, in
    whole groups of `samples_per_prompt`."""
    batch: int = operational(0, at_least=0)
    """Units that are deduplicated and committed as one; 0: 16, or as many as keep one engine busy."""
    ahead: int = operational(2, at_least=1)
    """Batches open beyond the one that commits next."""

    def resolved(self, samples: int, group: int, capacity: int) -> "UnitsSpec":
        """Without zeros, for so many samples in groups of `group` and an engine that runs `capacity`
        sequences. How many engines there are changes nothing: it may change during a generation."""
        group = max(1, group)
        wanted = max(SMALLEST_UNIT, min(LARGEST_UNIT, ceil(samples / UNITS_OF_A_BATCH)))
        unit = self.unit or max(group, wanted // group * group)
        batch = UNITS_OF_A_BATCH
        if not self.unit:  # Groups of more than 256 samples.
            batch = max(1, min(batch, LARGEST_UNIT * UNITS_OF_A_BATCH // unit))
        if samples > batch * unit:
            batch = max(batch, ceil(2 * in_flight(capacity) / (unit * max(1, self.ahead))))
        return replace(self, unit=unit, batch=self.batch or batch)


def in_flight(capacity: int) -> int:
    """Requests a worker keeps in flight for an engine that runs `capacity` sequences."""
    return ceil(IN_FLIGHT_FACTOR * capacity)


@dataclass(frozen=True)
class HoldoutSpec:
    """What of the seed is kept back, so that it can be measured what a generation teaches. Whole
    clusters of documents are: by `group`, or of near duplicates where there is none."""

    share: float = semantic(0.0, at_least=0, at_most=0.1)
    """Share of the seed's documents; a third each is anchor, yardstick and test. 0: none."""
    group: str = semantic("")
    """Column or key whose equal values belong together, such as a book, a site or an author."""

    @property
    def named(self) -> str:
        """The column or key, where anything is held back."""
        return self.group if self.share else ""


@dataclass(frozen=True)
class LedgerSpec:
    """What the accounting keeps and measures."""

    fingerprints: int = operational(10_000_000, at_least=1)
    """Hashes held per shingle length before the sample rate is halved."""
    companions: int = operational(400, at_least=0, at_most=2000)
    """Documents sampled per finished generation for novel bits, order and diversity; 0: none."""
    anchor: list[SourceSpec] = operational(factory=list)
    """Held-out real text that no seed contains: what a generation teaches is measured on it."""
    yardstick: list[SourceSpec] = operational(factory=list)
    """More such text, of the same kind as the anchor: what fresh real text would teach."""
    holdout: HoldoutSpec = field(default_factory=HoldoutSpec)
    worth: float = operational(10.0, at_least=0)
    """Words of fresh text that 100 words of a generation must surely teach as much as, for it to be
    worth going on."""


@dataclass(frozen=True)
class TargetSpec:
    """What the whole corpus is grown for; 0: no target."""

    accepted: int = operational(0, at_least=0)
    """Accepted samples of all generations."""
    unique: int = operational(0, at_least=0)
    """Unique tokens (the headline U) of all generations."""


@dataclass(frozen=True)
class BudgetSpec:
    """What one generation may cost; 0: no limit."""

    samples: int = operational(0, at_least=0)
    """Planned samples; exact."""
    engine_hours: float = operational(0.0, at_least=0)
    """Measured: the one rule that two runs may decide differently."""


@dataclass(frozen=True)
class StopSpec:
    """When a generation ends before its plan does. Every decision is a log entry."""

    target: TargetSpec = field(default_factory=TargetSpec)
    budget: BudgetSpec = field(default_factory=BudgetSpec)
    min_per_sample: float = operational(0.0, at_least=0)
    """Unique tokens that the next sample of a stratum must promise, at best; 0: no rule."""
    min_per_engine_hour: float = operational(0.0, at_least=0)
    """Unique tokens that the next engine-hour of a stratum must promise, at best; 0: no rule."""
    min_precision: float = operational(0.0, at_least=0, at_most=1)
    """Lowest audited precision of unique content, at the lower end of its interval; 0: no rule."""
    patience: int = operational(2, at_least=1)
    """Batches (for the anchor: generations) in a row that must agree."""
    anchor: bool = operational(True)
    """Whether generations that teach nothing about the anchor, though their text is new, are the
    last; needs `ledger.anchor`."""
    alarms: bool = operational(True)
    """Whether an alarm stops its stratum; it is shown in any case."""
    move_budget: bool = operational(False)
    """Whether the best stratum inherits what a stopped one had left; else the plan's shares rule."""


@dataclass(frozen=True)
class StoreSpec:
    """How the corpus store is reached. Credentials come from the environment, never from here."""

    endpoint: str = operational("")
    region: str = operational("")
    deadline_s: float = operational(60.0, above=0)
    """How long one operation is tried, however often it has to be sent again."""
    answer_s: float = operational(20.0, above=0)
    """Silence after which the answer to one request counts as unknown, and it is sent again."""
    single_writer: bool = operational(False)
    """Accept a store that ignores put-if-absent; the operator vouches for a single writer."""


@dataclass(frozen=True)
class RunSpec:
    """How a run behaves while it lives."""

    stage_interval_s: float = operational(60.0, above=0)
    heartbeat_s: float = operational(5.0, above=0)
    lease_s: float = operational(30.0, above=0)
    """How long a newcomer watches a heartbeat that does not move before it takes over."""
    hedge_factor: float = operational(3.0, at_least=1)
    """A unit open this many times longer than the median one is given to a second worker."""
    lease_deadline_s: float = operational(1800.0, at_least=0)
    """A worker that holds work and has finished no sample for so long hangs and is replaced, and so
    is a keeper that has not answered; 0: never. Raise it where a single sample may take longer."""
    max_restarts: int = operational(20, at_least=0)
    """Engine replacements per worker slot without a finished unit in between; nodes that go or are
    drained do not count."""
    ray_address: str = operational("")
    """Empty: $RAY_ADDRESS if set, else a private Ray on this machine. `none`: no Ray at all; workers
    and keeper live in the driver's own process, for engines that load no model: simulated, openai.
    """

    @property
    def on_ray(self) -> bool:
        """Workers and keeper are processes of Ray, not the driver's own."""
        return self.ray_address != WITHOUT_RAY
