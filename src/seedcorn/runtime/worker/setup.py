"""Builds what an engine worker needs from a job: engine, store, seeds, plan, line."""

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.engine import Engine, EngineInfo
from seedcorn.core.generate.plan import Plan, Pool
from seedcorn.core.generate.prompts import template_hash
from seedcorn.core.pipeline import make_line, use_of
from seedcorn.engines.opening import open_engine
from seedcorn.runtime.job import GenerationJob
from seedcorn.runtime.worker.unit_writer import UnitWriter
from seedcorn.storage.samples.parents import ParentReader
from seedcorn.storage.samples.samples import Lineage
from seedcorn.storage.seeds.held_out import read_held
from seedcorn.storage.seeds.seeds import Catalogue, SeedSet
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.stores.store import Store


def make_engine(job: GenerationJob) -> Engine:
    """The recipe's engine, not started; raises EngineUnavailable."""
    return open_engine(job.recipe.engine, use_of(job.recipe, job.rules))


def make_plan(job: GenerationJob, seeds: SeedSet, store: Store) -> Plan:
    """The generation's plan over seed row groups and earlier generations' shards."""
    earlier = [
        Pool(generation, [ref.rows for ref in refs])
        for generation, refs in sorted(job.ancestors.items())
    ]
    seed = Pool(0, seeds.group_sizes(), _held_rows(job, seeds, store))
    return Plan(job.recipe, job.generation, seed, earlier, job.fingerprint)


def _held_rows(job: GenerationJob, seeds: SeedSet, store: Store) -> NDArray[np.int64]:
    """Rows of the seed that are held back, counted as the plan counts them."""
    held, rows, start = read_held(store, job.held), [np.zeros(0, np.int64)], 0
    for ordinal, catalogue in zip(job.ordinals, seeds.catalogues, strict=True):
        rows.append(held.within(ordinal, catalogue.rows).ordinals + start)
        start += catalogue.rows
    return np.concatenate(rows)


async def make_writer(job: GenerationJob, engine: Engine, info: EngineInfo) -> UnitWriter:
    """A `UnitWriter` that takes leases."""
    recipe = job.recipe
    store = open_store(job.corpus, recipe.store)
    catalogues = [Catalogue.from_dict(catalogue) for catalogue in job.catalogues]
    seeds = SeedSet(catalogues, store, recipe.store, job.rules)
    parents = ParentReader(store, seeds, job.ancestors, job.withdrawn)
    plan = make_plan(job, seeds, store)
    writer = UnitWriter(engine, store, parents, plan, recipe.run.stage_interval_s)
    templates = {prompt.name: template_hash(prompt) for prompt in recipe.prompts}
    lineage = Lineage(job.generation, job.fingerprint, info, templates)
    line = make_line(recipe, job.generation, info, job.fingerprint, job.rules)
    await writer.start(line, lineage, info)
    return writer
