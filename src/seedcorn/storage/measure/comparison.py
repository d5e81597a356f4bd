"""Two corpora read for a comparison: their logs, and the sketches that those name, once each.

Invariant: both sides see the seeds of both corpora before any sample. A sketch that is not there
is an error: a comparison that silently lacked a part would still look like one.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from seedcorn.core.errors import FormatError, ObjectMissing, SeedcornError
from seedcorn.core.ledger.ledger import SEED_SKETCH
from seedcorn.core.log.entries import (
    BatchCommitted,
    Entry,
    GenerationAbandoned,
    GenerationStarted,
    Measurement,
    ObjectRef,
    SeedAdded,
    Withdrawn,
)
from seedcorn.core.measure.comparison import Holdings
from seedcorn.core.rule_numbers import TEXT, number_of
from seedcorn.core.sketch.sketch import Delta
from seedcorn.storage.log.log import Head, LogReader
from seedcorn.storage.log.sketches import read_delta
from seedcorn.storage.stores.store import Store

Advance = Callable[[int], None]


@dataclass(slots=True)
class Outline:
    """What a log tells before any sketch is read."""

    store: Store
    head: Head = field(default_factory=Head)
    recipes: list[str] = field(default_factory=list)
    """Names of its recipes, each once."""
    models: list[str] = field(default_factory=list)
    """Models that wrote, each once: they decide what a token is."""
    seeds: list[Measurement] = field(default_factory=list)
    batches: Counter[int] = field(default_factory=Counter)
    """By generation; abandoned ones are not among them."""
    abandoned: set[int] = field(default_factory=set)
    rule: int | None = None
    """The text rule that its first generation set."""

    @property
    def sketches(self) -> int:
        """Sketch files to be read."""
        return self.batches.total() + sum(len(seed.objects) for seed in self.seeds)


def outline(store: Store) -> Outline:
    """Read a log; raises ObjectMissing where there is none, SeedcornError where a seed has no
    sketch yet."""
    found, reader = Outline(store), LogReader(store)
    waiting: dict[int, str] = {}
    for entry in reader:
        _note(found, entry, waiting)
    if not reader.head.sequence:
        raise ObjectMissing(f"{store.uri} holds no corpus: there is no log under it")
    if waiting:
        sequence, source = next(iter(waiting.items()))
        raise SeedcornError(
            f"{store.uri}: log entry {sequence} added {source}, and no entry has its sketch yet; "
            "run seedcorn grow first, which reads it"
        )
    found.head = reader.head
    return found


def require_one_rule(a: Outline, b: Outline) -> None:
    """Raise FormatError where two corpora were read by different text rules: what one counts is
    nothing that the other could hold."""
    if None not in (a.rule, b.rule) and a.rule != b.rule:
        raise FormatError(
            f"{a.store.uri} is grown under text rule {a.rule}, {b.store.uri} under {b.rule}: their "
            "counts cannot be compared; export the texts and use seedcorn measure, which reads "
            "both by one rule"
        )


def holdings(one: Outline, other: Outline, fingerprints: int, advance: Advance) -> Holdings:
    """What the corpus of `one` holds, with the seeds of both as its history.

    `advance` is told how many more sketches are read.
    """
    folded = Holdings(fingerprints)
    for corpus in (one, other):
        for ref in (ref for seed in corpus.seeds for ref in seed.objects):
            folded.add_seed(read_delta(corpus.store, ref))
            advance(1)
    reader = LogReader(one.store)
    for entry in reader:
        if getattr(entry.body, "generation", None) not in one.abandoned:
            _add(folded, one.store, entry, advance)
        if reader.head == one.head:
            break
    return folded


def _note(found: Outline, entry: Entry, waiting: dict[int, str]) -> None:
    match entry.body:
        case SeedAdded() as body if body.role != "evaluation":
            waiting[entry.sequence] = f"{body.role} {body.source}"
        case Measurement() as body if body.name == SEED_SKETCH:
            waiting.pop(int(body.subject["sequence"]), None)
            found.seeds.append(body)
        case GenerationStarted() as body:
            _once(found.recipes, str(body.recipe.get("name", "")))
            engine = body.recipe.get("engine") or {}
            _once(found.models, str(engine.get("model") or engine.get("kind") or "unknown"))
            if found.rule is None:
                found.rule = number_of(body.rules, TEXT)
        case GenerationAbandoned() as body:
            found.abandoned.add(body.generation)
            found.batches.pop(body.generation, None)
        case BatchCommitted() as body:
            found.batches[body.generation] += 1


def _add(folded: Holdings, store: Store, entry: Entry, advance: Advance) -> None:
    body = entry.body
    if isinstance(body, BatchCommitted):
        tokens = body.tokens.get("accepted", 0)
        accepted, sketch = body.counts.get("accepted", 0), _sketch(store, entry, body.sketch)
        folded.add(sketch, accepted, tokens, body.unique)
        advance(1)
    elif isinstance(body, Withdrawn):
        counts = body.counts.values()
        samples, tokens = (sum(c.get(key, 0) for c in counts) for key in ("samples", "tokens"))
        folded.withdraw(_sketch(store, entry, body.sketch), samples, tokens)


def _sketch(store: Store, entry: Entry, ref: ObjectRef | None) -> Delta:
    if ref is None:
        raise SeedcornError(
            f"{store.uri}: log entry {entry.sequence} ({entry.kind}) names no sketch; what it "
            "changed is unknown"
        )
    return read_delta(store, ref)


def _once(names: list[str], name: str) -> None:
    if name not in names:
        names.append(name)
