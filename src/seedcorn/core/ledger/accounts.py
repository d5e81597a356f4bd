"""One generation's books: what its entries say happened to every planned sample.

Invariant (conservation, promise P3): each planned sample has exactly one outcome; totals, strata,
reasons and the rows of the objects an entry names agree. An entry that contradicts itself, or the
entries before it, raises CorruptCorpus with the entry's sequence number.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from seedcorn.core.checks import CHECKS
from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.intervals import Interval
from seedcorn.core.ledger.alarms import AlarmWatch
from seedcorn.core.ledger.first_held import FirstHeldBooks
from seedcorn.core.ledger.verdict.verdict import TAUGHT, Limits
from seedcorn.core.log.entries import (
    BatchCommitted,
    Decision,
    GenerationAbandoned,
    GenerationFinished,
    GenerationStarted,
    Measurement,
    ObjectRef,
)
from seedcorn.core.log.state import STOP
from seedcorn.core.rule_numbers import LEDGER_UNIT, counts_tokens, group_size, number_of
from seedcorn.core.sample import OUTCOMES, Outcome
from seedcorn.core.scheduling.goodput import Goodput, SlotTime, devices_of
from seedcorn.core.sketch.latents import Constructed

RUNNING, FINISHED, ABANDONED = "running", "finished", "abandoned"
ACCEPTED_TOKENS, VERIFIED_TOKENS = "uat", "uvt"
"""Units of U: unique accepted tokens; unique verified ones where a check judges the content."""
_ACCEPTED, _DUPLICATE = Outcome.ACCEPTED.value, Outcome.DUPLICATE.value
_EXPLAINED = tuple(outcome for outcome in OUTCOMES if outcome != _ACCEPTED)
"""Outcomes that always carry a reason."""


@dataclass(frozen=True, slots=True)
class Tick:
    """The generation's sums after one batch: a point of its curve."""

    samples: int
    generated: int
    """Tokens."""
    accepted: int
    """Tokens."""
    counts: dict[str, int]
    engine_seconds: float
    """Measured."""
    unique: Interval | None = None
    """Unique tokens."""


@dataclass(slots=True)
class Account:
    """Sums over one generation's entries. Tokens are the engine's completion tokens."""

    generation: int
    recipe: str
    planned: int
    names: tuple[str, ...]
    """Strata by number: the recipe's prompt branches in order."""
    unit: str = ACCEPTED_TOKENS
    constructed: bool = False
    """Whether a check knows latent instances."""
    ledger_unit: int = 1
    """Number of the rule that says what is counted."""
    group: int = 1
    """Neighbouring samples that are counted as one document."""
    limits: Limits = field(default_factory=Limits)
    """Of its verdict."""
    status: str = RUNNING
    reason: str = ""
    detail: str = ""
    batches: int = 0
    units: int = 0
    samples: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    strata: dict[str, Counter[str]] = field(default_factory=dict)
    withdrawn: Counter[str] = field(default_factory=Counter)
    containment: dict[str, float] = field(default_factory=dict)
    marked: Counter[str] = field(default_factory=Counter)
    engine_seconds: float = 0.0
    goodput: Goodput = field(default_factory=Goodput)
    """Measured."""
    slots: SlotTime = field(default_factory=SlotTime)
    """Measured."""
    beaten_tokens: int = 0
    """Of rows that another row of the same sample beat. Measured, as the next."""
    spent_tokens: int = 0
    """That engines finished, whatever came of them."""
    devices: float = 1.0
    """That one engine occupies, by the recipe it was started with."""
    watch: AlarmWatch = field(default_factory=AlarmWatch)
    ticks: list[Tick] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    companions: dict[str, Any] | None = None
    audits: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Newest audit by stratum; "" for all."""
    form: dict[str, dict[str, float]] = field(default_factory=dict)
    """Newest form by stratum."""
    first_held: FirstHeldBooks | None = None
    """What its unique tokens rest on; None where they are not the ledger's unit."""

    @property
    def duplicates(self) -> dict[str, int]:
        """Duplicates by kind, `<exact|near>:<of>`."""
        prefix = f"{_DUPLICATE}:"
        found = {k.removeprefix(prefix): n for k, n in self.reasons.items() if k.startswith(prefix)}
        return dict(sorted(found.items()))

    def commit(self, sequence: int, batch: BatchCommitted) -> None:
        """Add a batch; raises CorruptCorpus unless it balances and follows the one before it."""
        self._check_order(sequence, batch)
        _check_totals(sequence, batch)
        _check_strata(sequence, batch, self.names)
        self.batches += 1
        self.units, self.samples = batch.last_unit + 1, batch.last_index + 1
        self.counts.update(batch.counts)
        self.reasons.update(batch.reasons)
        self.tokens.update(batch.tokens)
        for name, row in batch.strata.items():
            self.strata.setdefault(name, Counter()).update(row)
        for name, value in batch.containment.items():
            self.containment[name] = self.containment.get(name, 0.0) + value
        self.marked.update(batch.marked)
        self.engine_seconds += batch.engine_seconds
        self.goodput.add(sequence, batch.goodput)
        self.slots.add(batch.slot_seconds, batch.engine_seconds)
        self.beaten_tokens += batch.regenerated.get("generated", 0)
        self.spent_tokens += batch.spent_tokens.get("generated", 0)
        self.watch.apply(batch)
        self.form |= batch.form
        if self.first_held is not None:
            self.first_held.commit(sequence, batch)
        self.ticks.append(self._tick())

    def decide(self, decision: Decision) -> None:
        """Note a decision; one that ends the plan early shortens what is planned."""
        self.decisions.append(decision)
        if decision.action == STOP:
            self.planned = min(self.planned, int(decision.value["samples"]))

    def withdraw(
        self, sequence: int, counts: Mapping[str, int], unique: Mapping[str, float]
    ) -> None:
        """Count withdrawn samples and tokens, never more than were accepted, and what they had
        brought by stratum."""
        if self.first_held is not None:
            self.first_held.withdraw(unique)
        self.withdrawn.update({key: counts.get(key, 0) for key in ("samples", "tokens")})
        pairs = (("samples", self.counts[_ACCEPTED]), ("tokens", self.tokens[_ACCEPTED]))
        for what, accepted in pairs:
            if self.withdrawn[what] > accepted:
                raise CorruptCorpus(
                    f"log entry {sequence} (withdrawn) brings generation {self.generation} to "
                    f"{self.withdrawn[what]} withdrawn {what}, but only {accepted} were accepted"
                )

    def measure(self, sequence: int, engine_time: Measurement) -> None:
        """Add what engines did since the last batch of a run."""
        self.goodput.add(sequence, engine_time.values)
        self.spent_tokens += engine_time.spent_tokens.get("generated", 0)

    @property
    def regenerated_tokens(self) -> int:
        """Tokens of work that counts for nothing: what another row of the same sample beat, and once
        the generation is finished whatever engines wrote beyond what was committed. A driver that is
        killed takes the tokens since its last entry with it. Measured."""
        surplus = self.spent_tokens - self.tokens["generated"]
        return max(self.beaten_tokens, surplus if self.status == FINISHED else 0)

    @property
    def engine_time(self) -> dict[str, float]:
        """Seconds that its engines were alive, by what they went into. Measured."""
        return self.goodput.account(self.status == FINISHED)

    def finish(self, sequence: int, entry: GenerationFinished) -> None:
        """Close the books; an exhausted generation must have committed its whole plan."""
        if self.status == FINISHED:
            raise CorruptCorpus(
                f"log entry {sequence} finishes generation {self.generation} for a second time"
            )
        if entry.reason == "exhausted" and self.samples != self.planned:
            raise CorruptCorpus(
                f"log entry {sequence} calls generation {self.generation} exhausted after "
                f"{self.samples} of {self.planned} planned samples"
            )
        self.status, self.reason, self.detail = FINISHED, entry.reason, entry.detail

    def abandon(self, sequence: int, entry: GenerationAbandoned) -> None:
        """Close the books of a generation that counts for nothing."""
        if self.status != RUNNING:
            raise CorruptCorpus(
                f"log entry {sequence} abandons generation {self.generation}, which is {self.status}"
            )
        self.status, self.reason = ABANDONED, entry.reason

    def _tick(self) -> Tick:
        return Tick(
            self.samples,
            self.tokens["generated"],
            self.tokens["accepted"],
            {outcome: self.counts[outcome] for outcome in OUTCOMES},
            self.engine_seconds,
            self.first_held.unique() if self.first_held is not None else None,
        )

    def _check_order(self, sequence: int, batch: BatchCommitted) -> None:
        _agree(
            sequence,
            f"of generation {self.generation} does not continue it",
            {
                "status": (self.status, RUNNING),
                "batch": (batch.batch, self.batches),
                "first_unit": (batch.first_unit, self.units),
                "first_index": (batch.first_index, self.samples),
            },
        )
        if batch.last_unit < batch.first_unit or not (
            batch.first_index <= batch.last_index < self.planned
        ):
            raise CorruptCorpus(
                f"log entry {sequence} (batch_committed) covers units {batch.first_unit} to "
                f"{batch.last_unit}, samples {batch.first_index} to {batch.last_index} of a "
                f"generation of {self.planned}"
            )


def open_account(sequence: int, entry: GenerationStarted) -> Account:
    """Empty books under the entry's resolved recipe; raises CorruptCorpus when it has none."""
    recipe: dict[str, Any] = entry.recipe
    try:
        names = tuple(prompt["name"] for prompt in recipe["prompts"])
        checks = _checks(recipe.get("checks", ()))
        unit = VERIFIED_TOKENS if any(c.verifies for c in checks) else ACCEPTED_TOKENS
        constructed = any(issubclass(check, Constructed) for check in checks)
        return Account(
            entry.generation,
            recipe["name"],
            recipe["samples"],
            names,
            unit,
            constructed,
            ledger_unit=number_of(entry.rules, LEDGER_UNIT),
            group=group_size(entry.rules, int(recipe.get("samples_per_prompt", 1))),
            limits=_limits(recipe),
            first_held=FirstHeldBooks() if counts_tokens(entry.rules) else None,
            devices=devices_of(recipe.get("engine", {})),
        )
    except (KeyError, TypeError) as error:
        raise CorruptCorpus(
            f"log entry {sequence} (generation_started) holds no resolved recipe: {error} is missing"
        ) from error


def _limits(recipe: Mapping[str, Any]) -> Limits:
    """As the generation was started with; recipes of older versions have fewer keys."""
    stop, ledger = recipe.get("stop") or {}, recipe.get("ledger") or {}
    return Limits(
        worth=ledger.get("worth", TAUGHT),
        precision=stop.get("min_precision", 0.0),
        alarms=stop.get("alarms", True),
    )


def _checks(items: Iterable[Mapping[str, Any]]) -> list[type[Any]]:
    """The recipe's checks that this version knows; unknown ones vouch for nothing."""
    return [CHECKS[name] for item in items for name in item if name in CHECKS]


def _check_totals(sequence: int, batch: BatchCommitted) -> None:
    counts = batch.counts
    dropped = sum(counts.get(outcome, 0) for outcome in _EXPLAINED)
    pairs = {
        "outcomes (against the planned range)": (
            sum(counts.values()),
            batch.last_index - batch.first_index + 1,
        ),
        "known outcomes": (sum(counts.get(o, 0) for o in OUTCOMES), sum(counts.values())),
        "rows of data shards": (_rows(batch.data), counts.get(_ACCEPTED, 0)),
        "rows of dropped shards": (_rows(batch.dropped), dropped),
    }
    for outcome in _EXPLAINED:
        named = sum(n for key, n in batch.reasons.items() if key.startswith(f"{outcome}:"))
        pairs[f"reasons of {outcome}"] = (named, counts.get(outcome, 0))
    _agree(sequence, "does not balance", pairs)


def _check_strata(sequence: int, batch: BatchCommitted, names: tuple[str, ...]) -> None:
    pairs: dict[str, tuple[Any, Any]] = {
        "strata (against the recipe)": (sorted(set(batch.strata) - set(names)), [])
    }
    for outcome in OUTCOMES:
        total = sum(row.get(outcome, 0) for row in batch.strata.values())
        pairs[f"{outcome} over strata"] = (total, batch.counts.get(outcome, 0))
    tokens = sum(row.get("tokens", 0) for row in batch.strata.values())
    pairs["tokens over strata"] = (tokens, batch.tokens.get(_ACCEPTED, 0))
    _agree(sequence, "does not balance", pairs)


def _rows(objects: list[ObjectRef]) -> int:
    return sum(item.rows for item in objects)


def _agree(sequence: int, wrong: str, pairs: Mapping[str, tuple[Any, Any]]) -> None:
    """Each pair is (what the entry says, what it must be)."""
    for what, (recorded, expected) in pairs.items():
        if recorded != expected:
            raise CorruptCorpus(
                f"log entry {sequence} (batch_committed) {wrong}: {what} is {recorded}, "
                f"expected {expected}"
            )
