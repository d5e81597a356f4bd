"""The ledger's work alone: what a keeper does for it with each batch, on a simulated corpus.

Texts are the simulated engine's, made on the fly and timed nowhere; verdicts are the planted ones.
Every second is CPU time of this process, so other work on the machine is in no figure.
"""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from seedcorn.config import load_recipe
from seedcorn.core.decisions.deciding import next_due
from seedcorn.core.dedup.sealing import tally
from seedcorn.core.forecast.prospects import Prospects
from seedcorn.core.ledger.alarms import form_of, spaced
from seedcorn.core.ledger.ledger import Ledger
from seedcorn.core.log.entries import (
    BatchCommitted,
    Body,
    Entry,
    GenerationFinished,
    GenerationStarted,
    ObjectRef,
)
from seedcorn.core.log.state import CorpusState
from seedcorn.core.recipe import LedgerSpec, Recipe, resolved
from seedcorn.core.simulation.simulation import Kind, Simulated, simulate
from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.sketch import LENGTHS, Delta, batch_delta, limit
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.shingles import Shingles, below, shingles_many
from seedcorn.core.text.words import NEWEST
from seedcorn.storage.log.sketches import write_delta
from seedcorn.storage.stores.store import Store
from tests.bench.line import SIMULATED

UNIT, UNITS = 256, 16
BATCH = UNIT * UNITS
OUTCOMES = {
    Kind.DUPLICATE: "duplicate",
    Kind.NEAR_DUPLICATE: "duplicate",
    Kind.REJECTED: "rejected",
    Kind.FAILED: "failed",
}
REASONS = {"duplicate": "near:same", "rejected": "refusal", "failed": "engine", "accepted": ""}
PARTS = (
    (History, "add", "history"),
    (History, "thin", "history"),
    (Prospects, "add", "prospects"),
)
"""What the ledger calls itself, timed apart."""


class Stopwatch:
    """CPU seconds by name; what runs inside of another name counts for itself alone."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inner = [0.0]

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        self._inner.append(0.0)
        start = time.process_time()
        yield
        spent = time.process_time() - start
        self.seconds[name] += spent - self._inner.pop()
        self._inner[-1] += spent

    @property
    def total(self) -> float:
        return sum(self.seconds.values())

    def around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.of(name):
                return function(*args, **kwargs)

        return timed


@contextmanager
def split(watch: Stopwatch) -> Iterator[None]:
    """Time the parts of a fold that the ledger calls itself."""
    parts = [
        (History, "add", "history"),
        (History, "thin", "history"),
        (Prospects, "add", "prospects"),
    ]
    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in parts]
    for owner, name, part in parts:
        setattr(owner, name, watch.around(part, getattr(owner, name)))
    try:
        yield
    finally:
        for owner, name, function in kept:
            setattr(owner, name, function)


@dataclass(frozen=True, slots=True)
class Documents:
    """One batch as a sealer holds it: texts, outcomes and strata in plan order."""

    first: int
    texts: list[str]
    outcomes: list[str]
    strata: list[str]


class DocumentSet:
    """The simulated engine's documents with the verdicts that were planted."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe, self._told = recipe, set()
        self._names = [prompt.name for prompt in recipe.prompts]

    def batch(self, generation: int, first: int, size: int) -> Documents:
        """Samples from plan index `first` on; strata take turns."""
        last = min(first + size, self._recipe.samples)
        spec = self._recipe.engine.simulated
        found = [simulate("scale", generation, i, spec, "") for i in range(first, last)]
        return Documents(
            first,
            [one.text for one in found],
            [self._outcome(one) for one in found],
            [self._names[i % len(self._names)] for i in range(first, last)],
        )

    def _outcome(self, one: Simulated) -> str:
        if one.instance is None:
            return OUTCOMES.get(one.kind, "accepted")
        known = one.instance in self._told
        self._told.add(one.instance)
        return "duplicate" if known else "accepted"


class Fold:
    """What a keeper does for the ledger with each batch, and nothing else."""

    def __init__(self, recipe: Recipe, store: Store | None = None) -> None:
        """`store` takes the sketch files; without one they are not written."""
        self.recipe, self._store = recipe, store
        self.watch = Stopwatch()
        self.state, self.ledger = CorpusState(), Ledger(recipe.ledger.fingerprints)
        self._names = [prompt.name for prompt in recipe.prompts]

    def append(self, body: Body | None, delta: Delta | None = None) -> None:
        """Fold an entry and whatever is due after it, as `Keeper.committed` does."""
        while body is not None:
            entry = Entry(self.state.sequence, "bench", "", 0.0, body)
            with self.watch.of("books"):
                self.state.apply(entry)
                self.ledger.apply(entry, delta)
                self.ledger.rows()
            with self.watch.of("forecast"):
                body, delta = next_due(self.state, self.ledger, self.recipe), None

    def seal(self, generation: int, batch: int, of: Documents) -> tuple[BatchCommitted, Delta]:
        """The entry and the sketch of a batch; texts are bytes already, as in the line."""
        packed = pack([text.encode() for text in of.texts])
        with self.watch.of("shingles"):
            found = shingles_many(*packed, NEWEST, LENGTHS)
        with self.watch.of("delta"):
            delta = self._delta(found, of)
        with self.watch.of("form"):
            form = _forms(of)
        if self._store is not None:
            with self.watch.of("file"):
                write_delta(self._store, delta, delta.rate)
        return _entry(self, generation, batch, of, delta, form), delta

    def _delta(self, found: Mapping[int, Shingles], of: Documents) -> Delta:
        rate, outcomes = self.ledger.history.rate, np.array(of.outcomes)
        accepted = outcomes == "accepted"
        numbers = np.array([self._names.index(stratum) for stratum in of.strata], np.uint8)
        thinned = {n: below(one, limit(rate)) for n, one in found.items()}
        return batch_delta(thinned, accepted, accepted | (outcomes == "duplicate"), numbers, rate)


@dataclass(frozen=True, slots=True)
class Grown:
    """One generation folded: CPU seconds of each batch and of each part."""

    generation: int
    batches: list[float]
    parts: Mapping[str, float]
    memory: int
    """Resident bytes at its end."""


def grow(fold: Fold, generations: int, source: DocumentSet) -> Iterator[Grown]:
    """Fold generation after generation of the recipe."""
    recipe = fold.recipe
    size = recipe.units.unit * recipe.units.batch
    for generation in range(1, generations + 1):
        fold.append(GenerationStarted(generation, resolved(recipe), "bench", "bench", {}))
        before, batches = dict(fold.watch.seconds), []
        for batch, first in enumerate(range(0, recipe.samples, size)):
            documents = source.batch(generation, first, size)
            start = fold.watch.total
            fold.append(*fold.seal(generation, batch, documents))
            batches.append(fold.watch.total - start)
        fold.append(GenerationFinished(generation, "exhausted"))
        parts = {n: s - before.get(n, 0.0) for n, s in fold.watch.seconds.items()}
        yield Grown(generation, batches, parts, resident())


def simulated(samples: int) -> Recipe:
    """The simulated recipe with generations of so many samples, cut as a large run is."""
    overrides = (f"samples={samples}", f"units.unit={UNIT}", f"units.batch={UNITS}")
    return load_recipe(SIMULATED, overrides).recipe


def warm_up(recipe: Recipe) -> None:
    """Compile every kernel outside of what is timed."""
    few = replace(recipe, samples=4 * recipe.units.unit, ledger=LedgerSpec(fingerprints=1000))
    for _ in grow(Fold(few), 2, DocumentSet(few)):
        pass


def resident() -> int:
    """Resident bytes of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _forms(of: Documents) -> dict[str, dict[str, float]]:
    forms = {}
    for stratum in sorted(set(of.strata)):
        rows = [n for n, o in enumerate(of.outcomes) if o in ("accepted", "duplicate")]
        rows = [n for n in rows if of.strata[n] == stratum]
        forms[stratum] = form_of([of.texts[n] for n in spaced(rows)], len(rows), 0, NEWEST)
    return forms


def _entry(
    fold: Fold,
    generation: int,
    batch: int,
    of: Documents,
    delta: Delta,
    form: dict[str, dict[str, float]],
) -> BatchCommitted:
    tokens = [text.count(" ") + 1 if text else 0 for text in of.texts]
    reasons = [REASONS[outcome] for outcome in of.outcomes]
    counts, named, strata = tally(of.outcomes, reasons, of.strata, tokens)
    accepted, unit, last = counts["accepted"], fold.recipe.units.unit, of.first + len(of.texts) - 1
    file = ObjectRef("bench.parquet", 1, "0" * 64)
    return BatchCommitted(
        generation=generation,
        batch=batch,
        first_unit=of.first // unit,
        last_unit=last // unit,
        first_index=of.first,
        last_index=last,
        ordinal=fold.state.next_ordinal,
        counts=counts,
        reasons=named,
        strata=strata,
        tokens={
            "accepted": sum(row["tokens"] for row in strata.values()),
            "generated": sum(tokens),
            "prompt": 0,
        },
        data=[replace(file, rows=accepted)],
        dropped=[replace(file, rows=len(of.texts) - accepted)],
        sketch=replace(file, rows=len(delta)),
        sketch_rate=delta.rate,
        engine_seconds=1.0,
        form=form,
    )
