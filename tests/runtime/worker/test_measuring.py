"""Companions measured on committed shards: a function of the corpus, in the real task's code."""

import json
from dataclasses import replace

import pytest

from seedcorn.core.log.state import COMPANIONS
from seedcorn.core.recipe import (
    EngineSpec,
    LedgerSpec,
    ParentsSpec,
    PromptSpec,
    Recipe,
    SimulatedSpec,
    SourceSpec,
    UnitsSpec,
)
from seedcorn.runtime.driver.grow import generation_job
from seedcorn.runtime.driver.sources import Catalogues
from seedcorn.runtime.worker.measuring import MeasuringJob, measure
from seedcorn.storage.log.log import read_log
from seedcorn.storage.log.reading import read_state
from seedcorn.storage.samples.samples import read_shard
from seedcorn.storage.stores.opening import open_store
from tests.bench.real_text import parts
from tests.corpora.growing import grow_in_process


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A corpus of simulated sentences on a real seed, with real anchor text of the seed's kind."""
    folder = tmp_path_factory.mktemp("measured")
    seed, anchor = parts("docstrings", 60, 30)
    for name, texts in (("seed", seed), ("anchor", anchor)):
        lines = "\n".join(json.dumps({"text": text}) for text in texts)
        (folder / f"{name}.jsonl").write_text(lines + "\n", encoding="utf-8")
    recipe = Recipe(
        name="measured",
        samples=80,
        generations=2,
        seed=[SourceSpec("seed.jsonl", "seed")],
        parents=ParentsSpec(seed=1, previous=1),
        prompts=[PromptSpec("tell", "{{ parent }}")],
        engine=EngineSpec(kind="simulated", simulated=SimulatedSpec(style="sentences")),
        units=UnitsSpec(unit=20, batch=2),
        ledger=LedgerSpec(companions=40, anchor=[SourceSpec("anchor.jsonl", "anchor")]),
    )
    grow_in_process(recipe, str(folder / "corpus"), str(folder))
    return recipe, folder, open_store(str(folder / "corpus"), recipe.store)


def measured(store):
    """The companions in the log, by generation."""
    bodies = [entry.body for entry in read_log(store)]
    return {
        body.subject["generation"]: body
        for body in bodies
        if getattr(body, "name", "") == COMPANIONS
    }


def job_of(grown, number, **changes):
    """The measuring job of a generation."""
    recipe, folder, store = grown
    state = read_state(store)
    sources = Catalogues(recipe, str(folder), store, state)
    job = generation_job(store, state, number, recipe, sources)
    held = state.generations[number]
    anchor = [catalogue.to_dict() for catalogue in sources.anchor]
    return MeasuringJob(replace(job, **changes), held.shards, held.mixes, anchor)


def test_measure_again_gives_what_the_log_holds(grown):
    for number, entry in measured(grown[2]).items():
        assert measure(job_of(grown, number)) == entry
        assert entry.values["documents"] == 40


def test_measure_with_an_anchor_says_what_invented_words_teach_about_it_nothing(grown):
    for entry in measured(grown[2]).values():
        assert entry.values["anchor_gain"]["low"] < 0.005
        assert entry.values["order_gap"]["low"] > 0.1


def test_measure_leaves_withdrawn_samples_out(grown):
    everything = job_of(grown, 2)
    store = grown[2]
    ids = [
        i
        for ref in everything.shards
        for i in read_shard(store, ref, ["sample_id"])["sample_id"].to_pylist()
    ]
    kept = set(sorted(ids)[-5:])
    left = measure(job_of(grown, 2, withdrawn=frozenset(ids) - kept))

    assert left.values["documents"] == 5


def test_measure_of_a_generation_that_repeats_its_parents_finds_them_explained(grown, tmp_path):
    recipe, folder, _ = grown
    copying = replace(
        recipe,
        generations=1,
        engine=EngineSpec(kind="simulated", simulated=SimulatedSpec(seed_copy_rate=1.0)),
        dedup=replace(recipe.dedup, seed=False),
    )
    grow_in_process(copying, str(tmp_path / "copies"), str(folder))
    [entry] = measured(open_store(str(tmp_path / "copies"), recipe.store)).values()

    assert entry.values["novel_share"]["mean"]["high"] < 0.2
