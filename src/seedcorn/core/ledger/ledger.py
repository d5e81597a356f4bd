"""What each generation added: a pure fold over the log, never a live counter.

Feed the entries in order, each with the sketch delta that it names. Invariant: equal entries and
deltas give an equal ledger, measured times aside; a figure that would need a sketch which was not
given is withheld, never guessed. An abandoned generation has books and no figures: what is in the
history cannot be taken out again, so the fold must be told of it before it meets its batches.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from itertools import pairwise

from numpy.typing import NDArray

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.forecast.prospects import ALL, Prospect, Prospects, prospects_of
from seedcorn.core.forecast.scores import ForecastScores
from seedcorn.core.ledger.accounts import ABANDONED, RUNNING, Account, open_account
from seedcorn.core.ledger.document import LedgerDocument, document
from seedcorn.core.ledger.line import line
from seedcorn.core.ledger.prices import next_hour
from seedcorn.core.ledger.rows import GenerationRow, StratumRow, generation_row, stratum_rows
from seedcorn.core.log.entries import (
    BatchCommitted,
    Body,
    Decision,
    Entry,
    GenerationAbandoned,
    GenerationFinished,
    GenerationStarted,
    Measurement,
    SeedAdded,
    Withdrawn,
)
from seedcorn.core.log.state import AUDIT, COMPANIONS, ENGINE_TIME, FORECAST, SEED_SKETCH
from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.sketch import Delta, combine, thin

SKETCH_RATE = "sketch_rate"
"""Action of the decision that lowers the sample rate; its value is `{"rate": s}`."""
Deltas = Delta | Iterable[Delta] | None


@dataclass(slots=True)
class FoldState:
    """What the fold keeps besides the arrays of history and prospects."""

    sequence: int = -1
    accounts: list[Account] = field(default_factory=list)
    scores: ForecastScores = field(default_factory=ForecastScores)
    seeds: dict[int, int] = field(default_factory=dict)
    """Sequence number of a `seed_added` entry -> generations started before it."""
    blind: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Sequence number of an entry without its sketch -> the first generation it hides, and why."""
    net_blind: str = ""


class Ledger:
    """The fold. `history`, `prospects` and `covered` resume it: what a checkpoint held, and the
    sequence number up to which it covers the log; entries up to there need no delta. `abandoned`
    are the generations whose abandonment stands further on (`core.log.state.abandoned_in`)."""

    def __init__(
        self,
        fingerprints: int = 10_000_000,
        history: History | None = None,
        covered: int = -1,
        prospects: Mapping[str, NDArray] | None = None,
        abandoned: Set[int] = frozenset(),
    ) -> None:
        self.history = History(fingerprints) if history is None else history
        self.prospects = Prospects()
        """Those of the generation started last."""
        self.scores = ForecastScores()
        self._snapshot = prospects
        self.sequence = -1
        """Sequence number of the last entry folded."""
        self._covered, self._abandoned = covered, abandoned
        self._accounts: list[Account] = []
        self._seeds: dict[int, int] = {}
        self._blind: dict[int, tuple[int, str]] = {}
        self._net_blind = ""

    @classmethod
    def resumed(
        cls,
        fold_state: FoldState,
        history: History,
        prospects: Mapping[str, NDArray],
        fingerprints: int = 10_000_000,
        abandoned: Set[int] = frozenset(),
    ) -> "Ledger":
        """The ledger as a checkpoint held it: `fold_state` and the arrays belong together."""
        ledger = cls(fingerprints, history, fold_state.sequence, prospects, abandoned)
        ledger.sequence, ledger.scores = fold_state.sequence, fold_state.scores
        ledger._accounts, ledger._seeds = fold_state.accounts, fold_state.seeds
        ledger._blind, ledger._net_blind = fold_state.blind, fold_state.net_blind
        if ledger.accounts:
            ledger._open_prospects(ledger.accounts[-1])
        return ledger

    @property
    def fold_state(self) -> FoldState:
        """All but history and prospects; not a copy."""
        return FoldState(
            self.sequence, self._accounts, self.scores, self._seeds, self._blind, self._net_blind
        )

    def apply(self, entry: Entry, deltas: Deltas = None) -> None:
        """Fold one entry, with the delta (or deltas) of the sketches that it names.

        Raises CorruptCorpus naming the entry when it contradicts itself or the log so far; the
        ledger is not usable afterwards.
        """
        if entry.sequence != self.sequence + 1:
            raise CorruptCorpus(
                f"log entry {entry.sequence} follows entry {self.sequence}; one in between is "
                "missing, or one was read twice"
            )
        self.sequence = entry.sequence
        self._fold(entry.body, () if entry.sequence <= self._covered else deltas)

    def _fold(self, entry: Body, deltas: Deltas) -> None:
        match entry:
            case SeedAdded() as body:
                self._seed_added(body)
            case GenerationStarted() as body:
                self._started(body)
            case BatchCommitted() as body:
                self._committed(body, deltas)
            case Withdrawn() as body:
                self._withdrawn(body, deltas)
            case Measurement() as body:
                self._measured(body, deltas)
            case Decision() as body:
                self._decided(body)
            case GenerationFinished() | GenerationAbandoned() as body:
                self._ended(body)

    def rows(self) -> list[GenerationRow]:
        """One row per generation that stands, in order."""
        rows = [
            generation_row(
                account,
                self.history,
                *self._unknown(account.generation),
                self._prospect(account.generation),
                before,
            )
            for before, account in pairwise([None, *self.accounts])
            if account is not None
        ]
        return [self._with_next_hour(*pair) for pair in zip(rows, self.accounts, strict=True)]

    def strata(self) -> list[StratumRow]:
        """One row per generation that stands and stratum of its recipe, in the recipe's order."""
        return [
            row
            for account in self.accounts
            for row in stratum_rows(account, self.history, *self._unknown(account.generation))
        ]

    def rate_needed(self) -> float:
        """The sample rate to decide on next: the present one unless the history is too large."""
        return self.history.rate_needed()

    @property
    def accounts(self) -> list[Account]:
        """The books of every generation that stands, in order."""
        return [account for account in self._accounts if account.status != ABANDONED]

    @property
    def abandoned(self) -> list[Account]:
        """The books of every generation that was abandoned."""
        return [account for account in self._accounts if account.status == ABANDONED]

    @property
    def seen(self) -> bool:
        """Whether the newest generation's U is known: every sketch it needs was read."""
        standing = self.accounts
        return bool(standing) and not self._unknown(standing[-1].generation)[0]

    def _prospect(self, generation: int) -> Prospect | None:
        return prospects_of(self.scores.last(generation)).get(ALL)

    def _with_next_hour(self, row: GenerationRow, account: Account) -> GenerationRow:
        if not self.seen:
            return row
        found = next_hour(account, self.prospects, self.history, self.scores)
        return replace(row, next_hour=found[0], next_hour_tokens=found[1])

    def _unknown(self, generation: int) -> tuple[str, str]:
        """Why U, and why the net U, of this generation cannot be told; empty where they can."""
        reasons = [why for since, why in self._blind.values() if since <= generation]
        gross = reasons[0] if reasons else ""
        return gross, gross or self._net_blind

    def _seed_added(self, body: SeedAdded) -> None:
        if body.role == "evaluation":
            return
        generation = len(self._accounts)
        self._seeds[self.sequence] = generation
        # Seed rows are history from the next generation on, so only that one waits for the sketch.
        why = f"log entry {self.sequence} ({body.role} {body.source}) has no {SEED_SKETCH} yet"
        self._blind[self.sequence] = (generation + 1, why)

    def _seed_sketch(self, body: Measurement, deltas: Deltas) -> None:
        seed = body.subject.get("sequence")
        if seed not in self._seeds:
            raise CorruptCorpus(
                f"log entry {self.sequence} is the {SEED_SKETCH} of entry {seed}, which added no "
                "seed or reference documents"
            )
        if deltas is None:
            return
        self._blind.pop(seed, None)
        for delta in _each(deltas):
            rate = float(body.values.get("rate", delta.rate))
            self.history.add(thin(delta, rate), self._seeds[seed], seed=True)

    def _started(self, body: GenerationStarted) -> None:
        previous = self._accounts[-1] if self._accounts else None
        if body.generation != len(self._accounts) + 1 or (
            previous is not None and previous.status == RUNNING
        ):
            state = "none" if previous is None else f"{previous.generation} ({previous.status})"
            raise CorruptCorpus(
                f"log entry {self.sequence} starts generation {body.generation}; the last one is "
                f"{state}"
            )
        account = open_account(self.sequence, body)
        self._accounts.append(account)
        if body.generation not in self._abandoned:
            self._open_prospects(account)

    def _ended(self, body: GenerationFinished | GenerationAbandoned) -> None:
        account = self._account(body.generation)
        if isinstance(body, GenerationFinished):
            account.finish(self.sequence, body)
            return
        account.abandon(self.sequence, body)
        if account.batches and body.generation not in self._abandoned:
            why = f"generation {body.generation} was abandoned while its samples were being counted"
            self._blind[self.sequence] = (body.generation, f"{why}; read the log again")

    def _open_prospects(self, account: Account) -> None:
        self.prospects = Prospects(
            account.generation, account.names, account.group, account.ledger_unit
        )
        snapshot = self._snapshot
        if snapshot is not None and int(snapshot["generation"][0]) == account.generation:
            self.prospects.restore(snapshot)

    def _committed(self, body: BatchCommitted, deltas: Deltas) -> None:
        account = self._account(body.generation)
        account.commit(self.sequence, body)
        if body.generation in self._abandoned:
            return
        if deltas is None and (body.sketch is not None or body.counts.get("accepted", 0)):
            why = f"the sketch of log entry {self.sequence} was not read"
            self._blind[self.sequence] = (body.generation, why)
        read = [thin(delta, body.sketch_rate) for delta in _each(deltas)]
        for delta in read:
            self._check_strata(delta, account)
            self.history.add(delta, body.generation)
        if self.sequence > self._covered:
            delta = thin(read[0] if len(read) == 1 else combine(read), self.history.rate)
            self.prospects.add(body, delta, self.history)

    def _measured(self, body: Measurement, deltas: Deltas) -> None:
        if body.name == SEED_SKETCH:
            self._seed_sketch(body, deltas)
        elif body.name == FORECAST:
            if body.subject["generation"] not in self._abandoned:
                self.scores.apply(body)
        elif body.name == COMPANIONS:
            self._account(int(body.subject["generation"])).companions = body.values
        elif body.name == AUDIT:
            account = self._account(int(body.subject["generation"]))
            account.audits[body.subject.get("stratum", "")] = body.values
        elif body.name == ENGINE_TIME:
            generation = int(body.subject["generation"])
            self._account(generation).measure(self.sequence, body)

    def _decided(self, body: Decision) -> None:
        if body.action == SKETCH_RATE:
            self.history.thin(float(body.value["rate"]))
        # A generation that was decided not to start has no books.
        if 1 <= body.generation <= len(self._accounts):
            self._account(body.generation).decide(body)

    def _withdrawn(self, body: Withdrawn, deltas: Deltas) -> None:
        for generation, counts in body.counts.items():
            gone = body.unique.get(generation, {})
            self._account(int(generation)).withdraw(self.sequence, counts, gone)
        given_up = {number for number in body.counts if int(number) in self._abandoned}
        if given_up:
            if given_up != body.counts.keys():
                self._net_blind = (
                    f"log entry {self.sequence} withdraws samples of abandoned generations and "
                    "others in one sketch"
                )
            return
        if deltas is None:
            self._net_blind = f"the sketch of log entry {self.sequence} was not read"
        for delta in _each(deltas):
            overdrawn = self.history.withdraw(delta)
            if overdrawn:
                raise CorruptCorpus(
                    f"log entry {self.sequence} withdraws {overdrawn} shingles from more documents "
                    "than were accepted; its sketch belongs to another corpus or was counted twice"
                )

    def _check_strata(self, delta: Delta, account: Account) -> None:
        highest = int(delta.stratum.max(initial=0))
        if highest >= len(account.names):
            raise CorruptCorpus(
                f"the sketch of log entry {self.sequence} counts stratum {highest}; the recipe of "
                f"generation {account.generation} has {len(account.names)}"
            )

    def _account(self, generation: int) -> Account:
        if not 1 <= generation <= len(self._accounts):
            raise CorruptCorpus(
                f"log entry {self.sequence} is about generation {generation}, which has not started"
            )
        return self._accounts[generation - 1]


def to_json(ledger: Ledger) -> LedgerDocument:
    """The ledger document, see core.ledger.document."""
    return document(ledger)


def lines(ledger: Ledger) -> list[str]:
    """One line per generation, for a person."""
    return [line(row) for row in ledger.rows()]


def _each(deltas: Deltas) -> Iterable[Delta]:
    if deltas is None:
        return ()
    return (deltas,) if isinstance(deltas, Delta) else deltas
