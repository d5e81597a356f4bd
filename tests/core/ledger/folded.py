"""A log in memory: the state and the ledger folded from it, batches made of numbered shingles."""

from dataclasses import replace

from seedcorn.core.decisions.deciding import next_due
from seedcorn.core.ledger.ledger import Ledger
from seedcorn.core.log.entries import (
    BatchCommitted,
    Entry,
    GenerationFinished,
    GenerationStarted,
    ObjectRef,
)
from seedcorn.core.log.state import CorpusState
from seedcorn.core.recipe import LedgerSpec, PromptSpec, Recipe, StopSpec, UnitsSpec, resolved
from tests.core.forecast.shingled import HASHES, Document, delta_of

SIZE = 8
"""Samples of a batch: two units of four."""
POOL = len(HASHES)


def recipe(samples=20 * SIZE, weights=None, ahead=1, fingerprints=10_000_000, **stop):
    weights = weights or {"a": 1.0, "b": 1.0}
    return Recipe(
        name="folded",
        samples=samples,
        prompts=[PromptSpec(name, "t", weight=weight) for name, weight in weights.items()],
        units=UnitsSpec(unit=4, batch=2, ahead=ahead),
        ledger=LedgerSpec(fingerprints=fingerprints),
        stop=StopSpec(**stop),
    )


class Folded:
    """Append bodies, or documents as a batch; `entries` is the log."""

    def __init__(self, recipe):
        self.recipe = recipe
        self.state, self.ledger = CorpusState(), Ledger(recipe.ledger.fingerprints)
        self.entries = []

    def append(self, body, delta=None):
        entry = Entry(len(self.entries), "w", "", 0.0, body)
        self.state.apply(entry)
        self.ledger.apply(entry, delta)
        self.entries.append((entry, delta))
        return self

    def start(self, recipe=None):
        self.recipe = recipe or self.recipe
        number = len(self.state.generations) + 1
        fingerprint = self.recipe.fingerprint
        return self.append(GenerationStarted(number, resolved(self.recipe), fingerprint, "", {}))

    def finish(self, reason="exhausted"):
        return self.append(GenerationFinished(len(self.state.generations), reason))

    def batch(self, documents, form=None, seconds=0.0, sketch=True):
        """Commit documents; those of no stratum of the recipe are an error."""
        names = [prompt.name for prompt in self.recipe.prompts]
        held = self.state.unfinished
        delta = delta_of(documents, self.ledger.history.rate)
        body = _committed(held, documents, names, self.state.next_ordinal)
        body = replace(body, form=form or {}, engine_seconds=seconds, sketch_rate=delta.rate)
        return self.append(body, delta if sketch else None)

    def due(self):
        return next_due(self.state, self.ledger, self.recipe)

    def settle(self):
        """Append what is due until nothing is."""
        said = []
        while (body := self.due()) is not None:
            assert len(said) < 20, said
            said.append(body)
            self.append(body)
        return said

    def again(self):
        """The same log folded by another process."""
        other = Folded(self.recipe)
        for entry, delta in self.entries:
            other.append(entry.body, delta)
        return other


def fresh(number, size=SIZE, strata=(0, 1), words=3):
    """Documents of the strata in turn, with `words` shingles of their own each, from a pool of
    100; the pool wraps around, so later ones repeat the first."""
    start = number * size * words
    return [
        Document(
            frozenset((start + n * words + k) % POOL for k in range(words)), strata[n % len(strata)]
        )
        for n in range(size)
    ]


def _committed(held, documents, names, ordinal):
    outcomes = [document.outcome for document in documents]
    strata = {}
    for document in documents:
        row = strata.setdefault(names[document.stratum], {"tokens": 0, "generated": 0})
        row[document.outcome] = row.get(document.outcome, 0) + 1
        row["generated"] += 10
        row["tokens"] += 10 * (document.outcome == "accepted")
    accepted = outcomes.count("accepted")
    dropped = len(documents) - accepted
    first = held.units * 4
    last = first + len(documents) - 1
    reasons = {f"{o}:x": outcomes.count(o) for o in ("duplicate", "rejected") if o in outcomes}
    return BatchCommitted(
        generation=held.number,
        batch=held.batches,
        first_unit=held.units,
        last_unit=last // 4,
        first_index=first,
        last_index=last,
        ordinal=ordinal,
        counts={o: outcomes.count(o) for o in ("accepted", "duplicate", "rejected")},
        reasons=reasons,
        strata=strata,
        tokens={"accepted": 10 * accepted, "generated": 10 * len(documents), "prompt": 0},
        data=[ObjectRef("d", 1, "", accepted)] if accepted else [],
        dropped=[ObjectRef("e", 1, "", dropped)] if dropped else [],
        sketch=None,
        sketch_rate=1.0,
        engine_seconds=0.0,
    )
