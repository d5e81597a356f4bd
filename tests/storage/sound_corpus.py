"""A small sound corpus for the tests of verification, and what damaged copies of it answer."""

import itertools

from seedcorn.config import recipe_from_dict
from seedcorn.core.recipe import (
    EngineSpec,
    PromptSpec,
    Recipe,
    SimulatedSpec,
    SourceSpec,
    StoreSpec,
    UnitsSpec,
)
from seedcorn.core.simulation.simulation import simulate
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.verify.verification import verify
from tests.corpora.damaging import batches
from tests.corpora.growing import grow_in_process

RECIPE = Recipe(
    name="verified",
    generations=2,
    samples=100,
    seed=[SourceSpec(path="seed.txt", name="docs", split="line")],
    prompts=[
        PromptSpec(name="tell", template="{{ parent }}"),
        PromptSpec(name="ask", template="?"),
    ],
    engine=EngineSpec(
        kind="simulated",
        simulated=SimulatedSpec(
            words=60,
            duplicate_rate=0.1,
            near_duplicate_rate=0.1,
            seed_copy_rate=0.05,
            rejection_rate=0.05,
            failure_rate=0.05,
            concurrency=24,
        ),
    ),
    checks=[{"refusal": {}}],
    units=UnitsSpec(unit=8, batch=5),
)
NUMBERS = itertools.count()


def grown(folder, recipe, **limits):
    """A fresh memory store with the recipe's corpus in it."""
    lines = [simulate("seed", 0, i, SimulatedSpec(words=50), "").text for i in range(12)]
    (folder / "seed.txt").write_text("\n".join(lines), encoding="utf-8")
    uri = f"memory:verification-{next(NUMBERS)}"
    grow_in_process(recipe, uri, str(folder), **limits)
    return open_store(uri, StoreSpec())


def broken(store):
    """What is wrong first: (promise, message)."""
    report = verify(store, recipe_from_dict)
    assert report.broken is not None, report
    assert (report.ok, report.digest) == (False, "")
    return report.broken.promise, report.broken.text


def shard_keys(store, role="data"):
    return [ref.key for _, body in batches(store) for ref in getattr(body, role)]
