"""Measures the companions of a finished generation, from its committed shards.

Runs beside the line, in a task of its own, with a fixed budget: so many accepted documents, as many
of what was there before them, and so many of the anchor. Which ones is decided by hashes, so a
measurement can be repeated from the corpus alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seedcorn.core.companions.companions import Subset, companions
from seedcorn.core.identity import Permutation, uint64
from seedcorn.core.log.entries import Measurement, ObjectRef
from seedcorn.core.log.state import COMPANIONS
from seedcorn.core.sample import Parent
from seedcorn.core.text.words import TextRule
from seedcorn.runtime.job import GenerationJob
from seedcorn.runtime.worker.setup import make_plan
from seedcorn.storage.samples.parents import ParentReader
from seedcorn.storage.samples.samples import read_shard
from seedcorn.storage.seeds.seeds import Catalogue, SeedSet
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.stores.store import Store

SHARDS = 32
"""Shards read at most: sampling rows of all of a large generation would read it whole."""
_COLUMNS = ["sample_id", "text", "index"]


@dataclass(frozen=True, slots=True)
class MeasuringJob:
    """What a measurement needs to know."""

    generation: GenerationJob
    shards: Sequence[ObjectRef]
    """Accepted shards of the generation, in commit order."""
    mixes: Mapping[int, Mapping[str, float]]
    anchor: Sequence[dict[str, Any]]
    """Catalogues of the anchor's sources."""


def measure(job: MeasuringJob) -> Measurement:
    """The measurement to append; raises SeedcornError when something cannot be read."""
    recipe, number = job.generation.recipe, job.generation.generation
    store = open_store(job.generation.corpus, recipe.store)
    budget = recipe.ledger.companions
    seeds = _seeds(job.generation.catalogues, store, job)
    readers = ParentReader(store, seeds, job.generation.ancestors, job.generation.withdrawn)
    drawn, population = _documents(store, job, budget)
    plan = make_plan(job.generation, seeds, store)
    plan.decide(job.mixes)
    parents = [plan.draw(index).parents for index, _ in drawn]
    texts = readers.read([address for addresses in parents for address in addresses])
    sample = Subset(
        documents=[text for _, text in drawn],
        own=[_texts(texts[address] for address in addresses) for addresses in parents],
        history=_history(readers, seeds, job, budget),
        population=population,
        rule=TextRule.of(job.generation.rules),
    )
    anchor = _rows(_seeds(job.anchor, store, job), "anchor", budget) if job.anchor else []
    values = companions(sample, anchor) if drawn else {"documents": 0}
    return Measurement(COMPANIONS, {"generation": number}, {**values})


def _documents(store: Store, job: MeasuringJob, budget: int) -> tuple[list[tuple[int, str]], int]:
    """(plan index, text) of the drawn documents in plan order, and how many there are to draw from.

    Sample ids are hashes, so the lowest ones are a fair draw.
    """
    ranked = sorted(job.shards, key=lambda ref: uint64("companions", ref.sha256))[:SHARDS]
    found: list[tuple[str, int, str]] = []
    for ref in ranked:
        columns = [read_shard(store, ref, _COLUMNS)[name].to_pylist() for name in _COLUMNS]
        rows = zip(columns[0], columns[2], columns[1], strict=True)
        found += [row for row in rows if row[0] not in job.generation.withdrawn]
        found = sorted(found)[:budget]
    population = sum(ref.rows for ref in job.shards)
    return sorted((index, text) for _, index, text in found), population


def _history(readers: ParentReader, seeds: SeedSet, job: MeasuringJob, budget: int) -> list[str]:
    """Documents from before the generation: seed rows and earlier samples, by their numbers.

    Half of them are real ones where there are so many: a history that has itself collapsed would
    hide the next collapse.
    """
    grown = {g: sum(ref.rows for ref in refs) for g, refs in job.generation.ancestors.items()}
    real = min(seeds.rows, max(budget // 2, budget - sum(grown.values())))
    wanted = [(0, row) for row in _spread(seeds.rows, real, 0)]
    left, total = budget - real, sum(grown.values())
    for generation, rows in sorted(grown.items()):
        share = min(rows, -(-left * rows // total)) if total else 0
        wanted += [(generation, row) for row in _spread(rows, share, generation)]
    found = readers.read(wanted)
    return _texts(found[address] for address in wanted)


def _rows(seeds: SeedSet, name: str, budget: int) -> list[str]:
    return _texts(seeds.read(_spread(seeds.rows, min(seeds.rows, budget), name)))


def _spread(rows: int, count: int, *key: str | int) -> list[int]:
    """`count` distinct rows by hash, in order."""
    order = Permutation(rows, uint64("measuring", *key)) if rows else None
    return sorted(order(number) for number in range(count)) if order is not None else []


def _texts(parents: Iterable[Parent]) -> list[str]:
    """Texts of the parents that have one."""
    return [parent.text for parent in parents if parent.text]


def _seeds(catalogues: Sequence[dict[str, Any]], store: Store, job: MeasuringJob) -> SeedSet:
    opened = [Catalogue.from_dict(catalogue) for catalogue in catalogues]
    return SeedSet(opened, store, job.generation.recipe.store, job.generation.rules)
