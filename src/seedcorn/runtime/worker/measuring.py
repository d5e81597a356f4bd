"""Measures the companions of a finished generation, against all of history.

Runs beside the line, in a task of its own. What is drawn (so many accepted documents, placebos out
of history, samples of seed and generations) is decided by hashes, and history passes once; so a
measurement can be repeated from the corpus alone, whoever does the pieces.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from seedcorn.core.companions.companions import (
    FORM_TEXTS,
    PLACEBOS,
    SEED_TEXTS,
    Before,
    Subset,
    companions,
)
from seedcorn.core.companions.draws import Draw
from seedcorn.core.identity import Permutation, uint64
from seedcorn.core.log.entries import Measurement, ObjectRef
from seedcorn.core.log.state import COMPANIONS
from seedcorn.core.teaching.taught import POOL
from seedcorn.core.text.words import TextRule
from seedcorn.runtime.tasks import Tasks
from seedcorn.runtime.worker.history import (
    HISTORY,
    OWN,
    SEED,
    MeasuringJob,
    Pass,
    Passed,
    pieces,
    take,
)
from seedcorn.runtime.worker.lessons import LessonBook
from seedcorn.storage.samples.samples import read_shard
from seedcorn.storage.seeds.seeds import Catalogue, SeedReader
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.stores.store import Store

SHARDS = 32
"""Shards that documents are drawn from: sampling rows of all of a large generation would read it
twice."""
_COLUMNS = ["sample_id", "text", "index"]
_TRIED = 80
"""Rows drawn for 64 placebos: some hold no document, or are withdrawn."""


def measure(job: MeasuringJob, tasks: Tasks) -> Measurement:
    """The measurement to append; raises SeedcornError when something cannot be read."""
    number, recipe = job.generation.generation, job.generation.recipe
    store = open_store(job.generation.corpus, recipe.store)
    drawn, population = _documents(store, job, recipe.ledger.companions)
    if not drawn:
        return Measurement(COMPANIONS, {"generation": number}, {"documents": 0})
    sample = Subset(
        documents=[text for _, text in drawn],
        position=[index for index, _ in drawn],
        since=0,
        population=population,
        placebos=_placebos(store, job),
        rule=TextRule.of(job.generation.rules),
    )
    index, lesson = sample.index(), LessonBook.of(store, job, sample.rule)
    work = Pass(
        corpus=job.generation.corpus,
        store=recipe.store,
        index=index,
        generation=number,
        draws=_draws(job, lesson.table is not None),
        withdrawn=job.generation.withdrawn,
        held=lesson.held.ordinals,
        table=lesson.table,
        counted=frozenset(lesson.known),
    )
    shards = {**job.generation.ancestors, number: job.shards}
    passed = tasks.merged(take, work, pieces(job.sources, shards), Passed.merged)
    earlier = {g: passed.draws[str(g)].texts for g in job.generation.ancestors}
    values = companions(sample, index, passed.found, Before(passed.draws[SEED].texts, earlier))
    values = lesson.added(values, passed)
    return Measurement(COMPANIONS, {"generation": number}, {**values}, counts=lesson.kept(passed))


def _draws(job: MeasuringJob, teaches: bool) -> dict[str, Draw]:
    """What is drawn from the passing rows; pools only where there is an anchor."""
    sizes = _source_rows(job)
    grown = {g: sum(ref.rows for ref in refs) for g, refs in job.generation.ancestors.items()}
    draws = {str(g): Draw.of(FORM_TEXTS, rows) for g, rows in grown.items()}
    draws[SEED] = Draw.of(SEED_TEXTS, sum(rows for role, rows in sizes if role == SEED))
    if teaches:
        before = sum(rows for _, rows in sizes) + sum(grown.values())
        draws |= {HISTORY: Draw.of(POOL, before), OWN: Draw(POOL)}
    return draws


def _source_rows(job: MeasuringJob) -> list[tuple[str, int]]:
    return [(source.role, Catalogue.from_dict(source.catalogue).rows) for source in job.sources]


def _documents(store: Store, job: MeasuringJob, budget: int) -> tuple[list[tuple[int, str]], int]:
    """(plan index, text) of the drawn documents in plan order, and how many there are to draw from.

    Sample ids are hashes, so the lowest ones are a fair draw.
    """
    ranked = sorted(job.shards, key=lambda ref: uint64("companions", ref.sha256))[:SHARDS]
    found: list[tuple[str, int, str]] = []
    for ref in ranked:
        table = read_shard(store, ref, _COLUMNS)
        columns = [table[name].to_pylist() for name in _COLUMNS]
        rows = zip(columns[0], columns[2], columns[1], strict=True)
        found += [row for row in rows if row[0] not in job.generation.withdrawn]
        found = sorted(found)[:budget]
    population = sum(ref.rows for ref in job.shards)
    return sorted((index, text) for _, index, text in found), population


def _placebos(store: Store, job: MeasuringJob) -> list[str]:
    """Documents of all that was there before the generation, drawn by number."""
    shards = [ref for _, refs in sorted(job.generation.ancestors.items()) for ref in refs]
    sizes = [rows for _, rows in _source_rows(job)] + [ref.rows for ref in shards]
    ends = list(accumulate(sizes))
    wanted: dict[int, list[int]] = {}
    for row in _spread(ends[-1] if ends else 0, _TRIED, "placebo", job.generation.generation):
        place = bisect_right(ends, row)
        wanted.setdefault(place, []).append(row - ends[place] + sizes[place])
    found = [
        text
        for place, rows in sorted(wanted.items())
        for text in (
            _seed_rows(store, job, place, rows)
            if place < len(job.sources)
            else _samples(store, job, shards[place - len(job.sources)], rows)
        )
    ]
    return sorted(found, key=lambda text: (uint64("placebo", text), text))[:PLACEBOS]


def _seed_rows(store: Store, job: MeasuringJob, place: int, rows: Sequence[int]) -> list[str]:
    catalogue = Catalogue.from_dict(job.sources[place].catalogue)
    reader = SeedReader(catalogue, store, job.generation.recipe.store)
    return [parent.text for parent in reader.read(rows) if parent.text]


def _samples(store: Store, job: MeasuringJob, ref: ObjectRef, rows: Sequence[int]) -> list[str]:
    table = read_shard(store, ref, _COLUMNS[:2]).take(list(rows))
    pairs = zip(table["sample_id"].to_pylist(), table["text"].to_pylist(), strict=True)
    return [text for name, text in pairs if name not in job.generation.withdrawn]


def _spread(rows: int, count: int, *key: str | int) -> list[int]:
    """At most `count` distinct rows by hash, in order."""
    order = Permutation(rows, uint64("measuring", *key)) if rows else None
    return sorted(order(n) for n in range(min(rows, count))) if order is not None else []
