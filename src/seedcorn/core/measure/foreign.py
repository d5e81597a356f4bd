"""The ledger of text that other tools made: the same fold, over entries that no log holds.

Every readable document counts as accepted and every word as a token; a row that holds no document
is a failed sample with its reason. Invariant: the figures are those of a corpus whose batches held
these texts in this order; nothing is written anywhere, and memory is bounded by the history.
"""

from collections import Counter
from dataclasses import dataclass, replace
from math import ceil, log2

from seedcorn.core.decisions.deciding import next_due
from seedcorn.core.ledger.ledger import SEED_SKETCH, Ledger
from seedcorn.core.log.entries import (
    GENESIS,
    Body,
    Entry,
    GenerationFinished,
    GenerationStarted,
    Measurement,
    SeedAdded,
)
from seedcorn.core.log.rules import KNOWN
from seedcorn.core.log.state import COMPANIONS, CorpusState
from seedcorn.core.measure.foreign_batch import Batch, Place, RowBlock
from seedcorn.core.measure.foreign_subset import DocumentDraw
from seedcorn.core.measure.second_reading import HeldOut, SecondReading
from seedcorn.core.recipe import LedgerSpec, PromptSpec, Recipe, StopSpec, UnitsSpec, resolved
from seedcorn.core.rule_numbers import LEDGER_UNIT
from seedcorn.core.sketch.shingle_table import LOAD, ROW
from seedcorn.core.sketch.sketch import LENGTHS, Delta
from seedcorn.core.sketch.unique_tokens import first_held

BATCH = 4096
"""Rows that count as one batch at most: as many as in a grown corpus."""
BATCH_WORDS = 500_000
"""Words of a batch, about: what it adds before the sample rate can be lowered again."""
RULES = {LEDGER_UNIT: KNOWN[LEDGER_UNIT][-1]}
"""What such a ledger counts: unique tokens, which are words."""
FEWEST = 16
NOTHING_HELD_OUT = HeldOut()
SLACK = 8
"""A batch adds at most one part in so many to a full history."""


@dataclass(frozen=True, slots=True)
class DocumentSet:
    """One named set of documents. `number` 0: seed, else its generation."""

    number: int
    name: str
    rows: int
    batch: int = BATCH
    """Rows per batch."""


def batch_rows(words: float, fingerprints: int) -> int:
    """Rows per batch for documents of so many words: few where they are long, so that one batch
    does not overflow a history of `fingerprints` hashes."""
    most = min(BATCH_WORDS, fingerprints // SLACK)
    return max(FEWEST, min(BATCH, round(most / max(1.0, words))))


class ForeignLedger:
    """Feed the seeds, then each generation in order, then all of it to the second reading; `ledger`
    tells the rest.

    Memory, however much is read: see `memory_bytes` for the history; 60 MB for forecasts; one batch
    of at most an eighth of the history (of all of it, while that is empty); `companions` texts of
    at most 20,000 characters per source.
    """

    def __init__(self, settings: LedgerSpec, held_out: HeldOut = NOTHING_HELD_OUT) -> None:
        """`held_out`: for the companions; `settings.companions` 0 measures none."""
        self.ledger = Ledger(settings.fingerprints)
        self._settings, self._held_out = settings, held_out
        self._state = CorpusState()
        self._drawn: list[DocumentDraw] = []

    def open(self, source: DocumentSet) -> None:
        """Begin a source; its rows follow through `add`, then `close`."""
        self._source, self._number, self._left = source, 0, source.rows
        self._recipe = _recipe(source, self._settings)
        most = self._settings.companions
        self._drawn.append(DocumentDraw(source.number, source.name, source.rows, most))
        if source.number:
            # No alarm ends a source, and yet the verdict on it names alarms.
            plan = resolved(replace(self._recipe, stop=StopSpec(anchor=False)))
            name = self._recipe.fingerprint
            self._append(GenerationStarted(source.number, plan, name, "", {}, RULES))
            self._settle()
        else:
            ordinal = self._state.next_ordinal
            self._append(SeedAdded("seed", source.name, {}, source.rows, ordinal, ""))
            self._seed = self.ledger.sequence
        self._batch = self._fresh()

    def add(self, piece: RowBlock) -> None:
        """The next rows of the open source; raises ValueError for more than it was opened with."""
        rows, problems = len(piece.usable), Counter(piece.problems)
        if rows > self._left:
            raise ValueError(f"{self._source.name} has more than {self._source.rows} rows")
        self._left -= rows
        self._drawn[-1].look(piece.usable, piece.text)
        start = 0
        while start < rows:
            stop = min(rows, start + self._batch.room)
            unusable = int((~piece.usable[start:stop]).sum())
            self._batch.add(piece, start, stop, _taken(problems, unusable))
            start = stop
            if not self._batch.room:
                self._commit()

    def close(self) -> DocumentDraw:
        """End the open source; raises ValueError when rows are missing. Returns what was drawn."""
        if self._left:
            raise ValueError(f"{self._source.name} lacks {self._left} of {self._source.rows} rows")
        if self._source.number:
            self._append(GenerationFinished(self._source.number, "exhausted"))
        return self._drawn[-1]

    def _fresh(self) -> Batch:
        source, most = self._source, self._settings.fingerprints
        rows = min(source.batch, max(0, source.rows - self._number * source.batch))
        used = max(self.ledger.history.sizes.values())
        # Decisions on the rate belong to generations; a seed brings a lower rate with its sketch.
        return Batch(rows, self.ledger.rate_needed(), max(most // SLACK, most - used))

    def _commit(self) -> None:
        source, delta = self._source, self._batch.delta()
        if source.number:
            first, ordinal = self._number * source.batch, self._state.next_ordinal
            place = Place(source.number, source.name, self._number, first, ordinal)
            held = first_held(delta, self.ledger.history, source.number, self._batch.texts())
            self._append(self._batch.entry(place, held), delta)
            self._settle()
        else:
            subject = {"sequence": self._seed, "role": "seed", "source": source.name}
            self._append(Measurement(SEED_SKETCH, subject, {"rate": delta.rate}), delta)
        self._number += 1
        self._batch = self._fresh()

    def _settle(self) -> None:
        """What a grown corpus would log here: a lower sample rate, a forecast."""
        while (due := next_due(self._state, self.ledger, self._recipe)) is not None:
            self._append(due)

    def second_reading(self) -> SecondReading | None:
        """What to give all rows once more, for the companions, when all sources are closed; None
        where none are wanted."""
        return SecondReading(self._drawn, self._held_out) if self._settings.companions else None

    def measured(self, reading: SecondReading) -> None:
        """Every generation's companions, after that."""
        for number, values in reading.companions().items():
            self._append(Measurement(COMPANIONS, {"generation": number}, {**values}))

    def _append(self, body: Body, delta: Delta | None = None) -> None:
        entry = Entry(self._state.sequence, "measure", GENESIS, 0.0, body)
        self._state.apply(entry)
        self.ledger.apply(entry, delta)


def memory_bytes(fingerprints: int) -> int:
    """Most that the history of a ledger takes, in bytes: a table per shingle length and, while one
    grows or is thinned, a copy of it. Tables double at their load, see core/sketch/shingle_table.py."""
    slots = 1 << ceil(log2((1 + 1 / SLACK) * fingerprints / LOAD))
    return (len(LENGTHS) + 1) * slots * ROW.itemsize


def _recipe(source: DocumentSet, settings: LedgerSpec) -> Recipe:
    """The resolved recipe of a generation that nobody grew: one stratum, no checks, no rules."""
    return Recipe(
        name=source.name,
        samples=source.rows,
        prompts=[PromptSpec(source.name, "")],
        units=UnitsSpec(unit=source.batch, batch=1, ahead=0),
        ledger=settings,
        stop=StopSpec(alarms=False, anchor=False),
    )


def _taken(problems: Counter[str], count: int) -> dict[str, int]:
    """Take `count` unusable rows out of `problems`: which reason falls on which side of a batch's
    end is not known, their sums are."""
    taken: dict[str, int] = {}
    for problem in sorted(problems):
        share = min(count, problems[problem])
        if share:
            taken[problem] = share
            problems[problem] -= share
            count -= share
    return taken
