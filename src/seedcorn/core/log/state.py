"""What a corpus is, as a fold over its log: sources, generations, shards, ordinals.

Every reader and writer starts from this fold; none trusts a directory listing.
"""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from seedcorn.core.errors import CorruptCorpus, RecipeError
from seedcorn.core.log.entries import (
    BatchCommitted,
    Decision,
    Entry,
    GenerationAbandoned,
    GenerationFinished,
    GenerationStarted,
    Measurement,
    ObjectRef,
    SeedAdded,
    Withdrawn,
    WriterOpened,
)
from seedcorn.core.recipe import Recipe, differences, document

SEED_SKETCH = "seed_sketch"
"""Name of the measurement that carries the shingles of a `seed_added` entry."""
FORECAST = "forecast"
"""Name of the measurement that says, after every batch, what later ones would add."""
COMPANIONS = "companions"
"""Name of the measurement of a finished generation's companions."""
HOLDOUT = "holdout"
"""Name of the measurement that says which rows of the seed are held back, before any can be drawn."""
AUDIT = "audit"
"""Name of the measurement that holds the verdicts on audited samples."""
STOP = "stop"
"""Action of the decision that a plan ends after `{"samples": n}` samples."""
DROP_STRATUM, MOVE_BUDGET = "drop_stratum", "move_budget"
ENGINE_TIME = "engine_time"
"""Name of the measurement that holds what engines did since the last batch of a run."""
HELD = ("starting", "busy", "idle")
"""Keys under which a batch and that measurement say for how long engines were held."""
MIXING = (DROP_STRATUM, MOVE_BUDGET)
"""Actions of decisions that change the strata's `weights` from their batch on."""


@dataclass(frozen=True, slots=True)
class Source:
    """Documents that entered through `seed_added`, and the index ordinals they own."""

    role: str
    name: str
    ordinal: int
    rows: int
    catalogue: dict[str, Any]
    sequence: int


@dataclass(slots=True)
class GenerationState:
    """One generation as the log tells it."""

    number: int
    recipe: dict[str, Any]
    fingerprint: str
    """As stored: ids, seeds and plan derive from it, whatever this code makes of the recipe."""
    sequence: int
    rules: dict[str, int] = field(default_factory=dict)
    """See `core.log.rules`."""
    batches: int = 0
    """Batches committed; they commit in order, so this is also the next one."""
    units: int = 0
    """Units committed; the next batch starts here."""
    accepted: int = 0
    shards: list[ObjectRef] = field(default_factory=list)
    dropped: list[ObjectRef] = field(default_factory=list)
    tokens: int = 0
    """Completion tokens generated."""
    engine_seconds: float = 0.0
    """Measured."""
    held_seconds: float = 0.0
    """Measured: for which engines were held, idle and starting as well."""
    slot_seconds: dict[str, float] = field(default_factory=dict)
    """Measured: by stratum, as batches say."""
    samples: int = 0
    """Planned samples, as far as decisions left them in the plan."""
    opened: int = -1
    """The last batch that is known to have been open when the newest batch landed: nothing may be
    decided on it any more, even where `units.ahead` has become smaller since."""
    mixes: dict[int, dict[str, float]] = field(default_factory=dict)
    """Decided weights: batch -> stratum -> weight, from that batch on."""
    decisions: list[Decision] = field(default_factory=list)
    prospects: list[Measurement] = field(default_factory=list)
    """Forecasts in log order, one after each batch."""
    measured: dict[tuple[str, str], Measurement] = field(default_factory=dict)
    """The newest measurement of each other name and stratum (empty: of all strata)."""
    finished: str = ""
    abandoned: int = 0
    """Sequence number of the entry that abandoned it; 0: it stands."""
    why_abandoned: str = ""
    ordinals: list[tuple[int, int]] = field(default_factory=list)
    """(first index ordinal, rows) of every batch."""
    unique: dict[str, dict[str, float]] = field(default_factory=dict)
    """By stratum: sums of `BatchCommitted.unique`."""
    withdrawn: float = 0.0
    """Unique tokens that withdrawn samples had brought."""

    def first_held(self) -> dict[str, float]:
        """Sums over all strata."""
        total: dict[str, float] = {}
        for sums in self.unique.values():
            _add(total, sums)
        return total

    @property
    def unique_tokens(self) -> float:
        """Those that samples brought which were not withdrawn."""
        return self.first_held().get("tokens", 0.0) - self.withdrawn


@dataclass(slots=True)
class CorpusState:
    """The fold. `apply` takes entries in log order."""

    sources: list[Source] = field(default_factory=list)
    generations: dict[int, GenerationState] = field(default_factory=dict)
    withdrawn: list[Withdrawn] = field(default_factory=list)
    sketched: list[int] = field(default_factory=list)
    """Sequence numbers of the `seed_added` entries whose sketch is in the log."""
    held: list[Measurement] = field(default_factory=list)
    """What is held back of the seed, in log order."""
    writer: WriterOpened | None = None
    nonce: str = ""
    next_ordinal: int = 0
    sequence: int = 0
    """Entries folded so far; the number of the next one."""

    def apply(self, entry: Entry) -> None:
        """Fold one entry; raises CorruptCorpus when it contradicts those before it."""
        if entry.sequence != self.sequence:
            raise CorruptCorpus(f"log entry {entry.sequence} follows entry {self.sequence - 1}")
        match entry.body:
            case WriterOpened():
                self.writer, self.nonce = entry.body, entry.writer
            case SeedAdded():
                self._add_source(entry.body, entry.sequence)
            case GenerationStarted():
                self._start(entry.body, entry.sequence)
            case BatchCommitted():
                self._commit(entry.body, entry.sequence)
            case GenerationFinished() | GenerationAbandoned():
                self._end(entry.body, entry.sequence)
            case Withdrawn() | Decision() | Measurement():
                self._note(entry.body)
        self.sequence = entry.sequence + 1

    @property
    def unfinished(self) -> GenerationState | None:
        """The generation that still grows, if any."""
        last = self.generations.get(len(self.generations))
        return last if last is not None and not (last.finished or last.abandoned) else None

    @property
    def standing(self) -> dict[int, GenerationState]:
        """The generations that were not abandoned, in order: what the corpus consists of."""
        return {n: one for n, one in self.generations.items() if not one.abandoned}

    @property
    def abandoned(self) -> dict[int, GenerationState]:
        """The generations that were."""
        return {n: one for n, one in self.generations.items() if one.abandoned}

    def sources_of(self, role: str) -> list[Source]:
        """Sources of one role, in log order."""
        return [source for source in self.sources if source.role == role]

    def _add_source(self, body: SeedAdded, sequence: int) -> None:
        if body.role != "evaluation":
            if body.ordinal != self.next_ordinal:
                raise CorruptCorpus(
                    f"log entry {sequence}: source {body.source} claims ordinal {body.ordinal}, "
                    f"the next free one is {self.next_ordinal}"
                )
            self.next_ordinal += body.rows
        self.sources.append(
            Source(body.role, body.source, body.ordinal, body.rows, body.catalogue, sequence)
        )

    def _start(self, body: GenerationStarted, sequence: int) -> None:
        if self.unfinished is not None or body.generation != len(self.generations) + 1:
            raise CorruptCorpus(
                f"log entry {sequence} starts generation {body.generation} while "
                f"{len(self.generations)} exist and {'one' if self.unfinished else 'none'} is open"
            )
        self.generations[body.generation] = GenerationState(
            body.generation,
            body.recipe,
            body.fingerprint,
            sequence,
            body.rules,
            samples=int(body.recipe.get("samples", 0)),
            opened=int(body.recipe.get("units", {}).get("ahead", -1)),
        )

    def _end(self, body: GenerationFinished | GenerationAbandoned, sequence: int) -> None:
        generation = self._generation(body.generation, sequence)
        if isinstance(body, GenerationFinished):
            generation.finished = body.reason
        else:
            generation.abandoned, generation.why_abandoned = sequence, body.reason

    def _commit(self, body: BatchCommitted, sequence: int) -> None:
        generation = self._generation(body.generation, sequence)
        expected = (generation.batches, generation.units, self.next_ordinal)
        if (body.batch, body.first_unit, body.ordinal) != expected:
            raise CorruptCorpus(
                f"log entry {sequence} commits batch {body.batch} from unit {body.first_unit} at "
                f"ordinal {body.ordinal}; the log so far demands {expected}"
            )
        if body.last_unit < body.first_unit:
            raise CorruptCorpus(
                f"log entry {sequence} commits batch {body.batch} with units {body.first_unit} to "
                f"{body.last_unit}, which is no range"
            )
        accepted = body.counts.get("accepted", 0)
        generation.ordinals.append((self.next_ordinal, accepted))
        generation.batches += 1
        generation.units = body.last_unit + 1
        generation.accepted += accepted
        generation.tokens += body.tokens.get("generated", 0)
        generation.engine_seconds += body.engine_seconds
        generation.held_seconds += _held(body.goodput)
        _add(generation.slot_seconds, body.slot_seconds)
        generation.shards += body.data
        generation.dropped += body.dropped
        for stratum, sums in body.unique.items():
            _add(generation.unique.setdefault(stratum, {}), sums)
        self.next_ordinal += accepted

    def _note(self, body: Withdrawn | Decision | Measurement) -> None:
        """What changes no document: withdrawals, choices, figures."""
        match body:
            case Withdrawn():
                self.withdrawn.append(body)
                for number, gone in body.unique.items():
                    if (generation := self.generations.get(int(number))) is not None:
                        generation.withdrawn += sum(gone.values())
            case Decision():
                self._decide(body)
            case Measurement():
                self._measure(body)

    def _decide(self, body: Decision) -> None:
        generation = self.generations.get(body.generation)
        if generation is None:  # A generation that was decided not to start.
            return
        generation.decisions.append(body)
        if body.action == STOP:
            generation.samples = min(generation.samples, int(body.value["samples"]))
        elif body.action in MIXING:
            generation.mixes[body.batch] = dict(body.value["weights"])

    def _measure(self, body: Measurement) -> None:
        if body.name == SEED_SKETCH:
            self.sketched.append(body.subject.get("sequence", -1))
        elif body.name == HOLDOUT:
            self.held.append(body)
        generation = self.generations.get(body.subject.get("generation", 0))
        if generation is None:
            return
        if body.name == ENGINE_TIME:
            generation.held_seconds += _held(body.values)
        if body.name == FORECAST:
            if generation.prospects:
                before = int(generation.prospects[-1].subject["batch"])
                generation.opened = max(generation.opened, before)
            generation.prospects.append(body)
        else:
            generation.measured[body.name, body.subject.get("stratum", "")] = body

    def _generation(self, number: int, sequence: int) -> GenerationState:
        generation = self.generations.get(number)
        if generation is None or generation.finished or generation.abandoned:
            raise CorruptCorpus(f"log entry {sequence} adds to generation {number}, not open")
        return generation


def _held(seconds: Mapping[str, float]) -> float:
    return sum(seconds.get(name, 0.0) for name in HELD)


def _add(total: dict[str, float], sums: dict[str, float]) -> None:
    for name, value in sums.items():
        total[name] = total.get(name, 0.0) + value


def abandoned_in(entries: Iterable[Entry]) -> frozenset[int]:
    """The generations that a log abandons: folds that cannot take back what they have added must
    know before they meet the batches."""
    return frozenset(
        entry.body.generation for entry in entries if isinstance(entry.body, GenerationAbandoned)
    )


def require_same_recipe(stored: Recipe, current: Recipe) -> None:
    """An unfinished generation goes on with the recipe it started with, or not at all."""
    changes = differences(document(stored), document(current))
    if changes:
        raise RecipeError(
            "the unfinished generation was started with other values: "
            f"{'; '.join(map(str, changes))}. Restore them to finish it, or give it up with `seedcorn "
            f"abandon {shlex.quote(current.corpus)}`, after which the same command starts a new "
            "generation with the new values"
        )
