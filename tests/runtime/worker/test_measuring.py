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
from seedcorn.runtime.local.tasks import LocalTasks
from seedcorn.runtime.worker.history import MeasuringJob
from seedcorn.runtime.worker.history import pieces as cut
from seedcorn.runtime.worker.measuring import measure
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


def job_of(grown, number, counts=None, sequence=None, **changes):
    """The measuring job of a generation."""
    recipe, folder, store = grown
    state = read_state(store)
    sources = Catalogues(recipe, str(folder), store, state)
    job = generation_job(store, state, number, recipe, sources)
    held = state.generations[number]
    anchor, yardstick = (
        [catalogue.to_dict() for catalogue in some] for some in (sources.anchor, sources.yardstick)
    )
    history = sources.history(state, number)
    counts, sequence = counts or {}, state.sequence if sequence is None else sequence
    return MeasuringJob(
        replace(job, **changes), held.shards, history, anchor, yardstick, counts, sequence
    )


def test_measure_again_gives_what_the_log_holds(grown):
    for number, entry in measured(grown[2]).items():
        assert measure(job_of(grown, number), LocalTasks()) == entry
        assert entry.values["documents"] == 40


def test_measure_passes_over_all_of_history_and_over_the_generation_itself(grown):
    one, two = measured(grown[2]).values()

    accepted = [g.accepted for g in read_state(grown[2]).generations.values()]
    assert one.values["history_documents"] == 60
    assert two.values["history_documents"] == 60 + accepted[0]
    assert (one.values["placebo"]["documents"], two.values["placebo"]["documents"]) == (60, 64)
    for entry in (one, two):
        assert entry.values["placebo"]["novel_share"] < 0.06


@pytest.mark.parametrize("rows", [1, 30, 100])
def test_measure_gives_the_same_whatever_the_pieces_and_their_order(grown, rows, monkeypatch):
    monkeypatch.setattr("seedcorn.runtime.worker.measuring.pieces", lambda *of: cut(*of, rows))

    class Backwards(LocalTasks):
        def merged(self, work, shared, some, merge):
            return super().merged(work, shared, some[::-1], lambda a, b: merge(b, a))

    assert measure(job_of(grown, 2), Backwards()) == measured(grown[2])[2]


def test_measure_leaves_withdrawn_samples_out(grown):
    everything = job_of(grown, 2)
    store = grown[2]
    ids = [
        i
        for ref in everything.shards
        for i in read_shard(store, ref, ["sample_id"])["sample_id"].to_pylist()
    ]
    kept = set(sorted(ids)[-5:])
    left = measure(job_of(grown, 2, withdrawn=frozenset(ids) - kept), LocalTasks())

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
