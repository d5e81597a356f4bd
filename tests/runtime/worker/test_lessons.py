"""What generations teach, measured night by night: only what is new is counted, and the sums are
those of one pass over everything."""

import json
from copy import deepcopy
from dataclasses import replace

import pytest

from seedcorn.core.holdout.held import shortfall
from seedcorn.core.log.state import COMPANIONS
from seedcorn.core.recipe import (
    EngineSpec,
    HoldoutSpec,
    LedgerSpec,
    ParentsSpec,
    PromptSpec,
    Recipe,
    SimulatedSpec,
    SourceSpec,
    StopSpec,
    UnitsSpec,
)
from seedcorn.runtime.local.tasks import LocalTasks
from seedcorn.runtime.worker.history import Passed, take
from seedcorn.runtime.worker.history import pieces as cut
from seedcorn.runtime.worker.measuring import measure
from seedcorn.storage.log.reading import read_state
from seedcorn.storage.samples.samples import read_shard
from seedcorn.storage.stores.opening import open_store
from tests.core.teaching import sources
from tests.corpora.growing import grow_in_process
from tests.runtime.worker.test_measuring import job_of, measured


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """Three generations on a seed, with anchor and yardstick of its kind."""
    folder = tmp_path_factory.mktemp("taught")
    texts = sources.documents(1700, 5)
    held = {"seed": texts[:600], "anchor": texts[600:900], "yardstick": texts[900:]}
    for name, part in held.items():
        lines = "\n".join(json.dumps({"text": text}) for text in part)
        (folder / f"{name}.jsonl").write_text(lines + "\n", encoding="utf-8")
    recipe = Recipe(
        name="taught",
        samples=80,
        generations=3,
        seed=[SourceSpec("seed.jsonl", "seed")],
        parents=ParentsSpec(seed=1, previous=1),
        prompts=[PromptSpec("tell", "{{ parent }}")],
        engine=EngineSpec(kind="simulated", simulated=SimulatedSpec(style="sentences", words=90)),
        units=UnitsSpec(unit=20, batch=2),
        stop=StopSpec(anchor=False),  # It would end after two: what is simulated teaches nothing.
        ledger=LedgerSpec(
            companions=40,
            anchor=[SourceSpec("anchor.jsonl", "anchor")],
            yardstick=[SourceSpec("yardstick.jsonl", "yardstick")],
        ),
    )
    grow_in_process(recipe, str(folder / "corpus"), str(folder))
    return recipe, folder, open_store(str(folder / "corpus"), recipe.store)


def ids_of(grown, number):
    state = read_state(grown[2])
    return [
        name
        for ref in state.generations[number].shards
        for name in read_shard(grown[2], ref, ["sample_id"])["sample_id"].to_pylist()
    ]


def test_each_night_counts_what_is_new_and_no_more(grown):
    [first, second, third] = measured(grown[2]).values()

    seed = next(name for name in first.counts if name.startswith("entry"))
    assert set(first.counts) == {seed, "generation 1"}
    assert set(second.counts) == {"generation 2"}
    assert set(third.counts) == {"generation 3"}
    assert first.counts[seed].rows == 600
    for entry in (first, second, third):
        assert grown[2].get(entry.counts[f"generation {entry.subject['generation']}"].key)


def test_sums_of_nights_say_what_one_pass_over_everything_says(grown):
    for number, entry in measured(grown[2]).items():
        at_once = measure(
            job_of(grown, number, {}, entry.values["anchor"]["sequence"]), LocalTasks()
        )
        assert at_once.values == entry.values
        assert entry.values["worth"]["words"] > 2000
    assert len(at_once.counts) == 4


def test_what_is_withdrawn_is_taken_from_what_was_counted(grown):
    counts = {k: r for entry in measured(grown[2]).values() for k, r in entry.counts.items()}
    gone = frozenset(ids_of(grown, 1)[::2])

    held = measure(job_of(grown, 3, {**counts}, 9, withdrawn=gone), LocalTasks())

    assert held.counts == {}
    assert held.values == measure(job_of(grown, 3, {}, 9, withdrawn=gone), LocalTasks()).values
    whole = measure(job_of(grown, 3, {**counts}, 9), LocalTasks()).values
    assert held.values["history_documents"] < whole["history_documents"]
    assert held.values["teaching"] != whole["teaching"]


def test_counts_of_another_anchor_are_made_anew(grown):
    recipe, folder, store = grown
    other = [json.dumps({"text": text}) for text in sources.documents(320, 8)]
    (folder / "other.jsonl").write_text("\n".join(other), encoding="utf-8")
    ledger = replace(recipe.ledger, anchor=[SourceSpec("other.jsonl", "other")])
    counts = {k: r for entry in measured(store).values() for k, r in entry.counts.items()}

    found = measure(
        job_of((replace(recipe, ledger=ledger), folder, store), 2, counts), LocalTasks()
    )

    assert len(found.counts) == 3
    before = measured(store)[2].values["anchor"]["fingerprint"]
    assert found.values["anchor"]["fingerprint"] != before


def test_counts_do_not_depend_on_the_cut(grown):
    state = read_state(grown[2])
    works, answers = [], []

    class Keeping(LocalTasks):
        def merged(self, work, shared, some, merge):
            works.append(shared)
            return super().merged(work, shared, some, merge)

    job = job_of(grown, 2, {})
    measure(job, Keeping())
    shards = {n: g.shards for n, g in state.generations.items() if n < 3}
    for rows in (1, 70, 10**6):
        found = [take(deepcopy(works[0]), piece) for piece in cut(job.sources, shards, rows)]
        whole = found[0]
        for part in found[1:][::-1]:
            whole = Passed.merged(part, whole)
        answers.append({name: counts.to_bytes() for name, counts in whole.counts.items()})
    assert answers[0] == answers[1] == answers[2]
    assert len(answers[0]) == 3


def test_what_is_held_out_of_the_seed_is_the_anchor_and_no_part_of_history(grown, tmp_path):
    texts = sources.documents(9900, 6)
    lines = [json.dumps({"text": text}) for text in texts]
    (tmp_path / "seed.jsonl").write_text("\n".join(lines), encoding="utf-8")
    ledger = LedgerSpec(companions=20, holdout=HoldoutSpec(0.1))
    recipe = replace(grown[0], generations=1, samples=40, ledger=ledger)
    grow_in_process(recipe, str(tmp_path / "corpus"), str(tmp_path))

    store = open_store(str(tmp_path / "corpus"), recipe.store)
    [held] = read_state(store).held
    [entry] = measured(store).values()
    [learnt] = [ref.rows for name, ref in entry.counts.items() if name.startswith("entry")]
    assert held.values["documents"]["anchor"] >= 300
    assert learnt == 9900 - sum(held.values["documents"].values())
    assert entry.values["history_documents"] == 9900
    assert entry.values["anchor_gain"] is not None
    assert "50,000 are needed" in entry.values["withheld"]["worth"]


def test_too_small_an_anchor_and_a_missing_yardstick_are_said(grown):
    recipe, folder, store = grown
    (folder / "few.jsonl").write_text('{"text": "a few words"}\n' * 7, encoding="utf-8")
    few = replace(recipe.ledger, anchor=[SourceSpec("few.jsonl", "few")])
    bare = replace(recipe.ledger, yardstick=[])

    small, alone = (
        measure(job_of((replace(recipe, ledger=ledger), folder, store), 1, {}), LocalTasks()).values
        for ledger in (few, bare)
    )

    assert small["anchor_gain"] is small["worth"] is small["teaching"] is None
    assert "has 7 documents with text" in small["withheld"]["anchor_gain"]
    assert alone["worth"] is None
    assert "no yardstick" in alone["withheld"]["worth"]
    assert alone["anchor_gain"] is not None
    assert set(alone["teaching"]["yardstick"]) == {None}


def test_measurement_is_named_in_the_log_by_its_counts(grown):
    state = read_state(grown[2])
    newest = state.generations[3].measured[COMPANIONS, ""]
    assert list(newest.counts) == ["generation 3"]


@pytest.fixture(scope="module")
def held_out(tmp_path_factory):
    """A generation on a seed of which a tenth is held back, by books of ten documents."""
    folder = tmp_path_factory.mktemp("held")
    rows = enumerate(sources.documents(20_000, 6))
    lines = (json.dumps({"text": text, "book": f"b{n % 2000}"}) for n, text in rows)
    (folder / "seed.jsonl").write_text("\n".join(lines), encoding="utf-8")
    recipe = Recipe(
        name="held",
        samples=80,
        generations=1,
        seed=[SourceSpec("seed.jsonl", "seed")],
        prompts=[PromptSpec("tell", "{{ parent }}")],
        engine=EngineSpec(kind="simulated", simulated=SimulatedSpec(style="sentences", words=90)),
        units=UnitsSpec(unit=20, batch=2),
        ledger=LedgerSpec(companions=40, holdout=HoldoutSpec(0.1, "book")),
    )
    grow_in_process(recipe, str(folder / "corpus"), str(folder))
    return recipe, folder, open_store(str(folder / "corpus"), recipe.store)


def test_anchor_and_yardstick_are_what_is_held_back_and_nothing_is_learnt_from_it(held_out):
    (entry,) = measured(held_out[2]).values()
    (body,) = read_state(held_out[2]).held

    assert shortfall([body.values]) == ""
    assert entry.values["anchor_gain"] is not None
    assert entry.values["worth"]["words"] > 2000
    seed = next(ref for name, ref in entry.counts.items() if name.startswith("entry"))
    assert seed.rows == 20_000 - sum(body.values["documents"].values())


def test_text_that_the_recipe_names_goes_before_what_is_held_back(held_out):
    recipe, folder, store = held_out
    (folder / "few.jsonl").write_text('{"text": "a few words"}\n' * 7, encoding="utf-8")
    few = replace(recipe.ledger, anchor=[SourceSpec("few.jsonl", "few")])
    found = measure(job_of((replace(recipe, ledger=few), folder, store), 1, {}), LocalTasks())
    assert "has 7 documents with text" in found.values["withheld"]["anchor_gain"]
