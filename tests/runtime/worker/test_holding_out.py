"""What is held back of a seed is decided once, is drawn by no generation, and survives crashes."""

import itertools
import json
import shutil
from collections import Counter
from dataclasses import replace

import pytest

from seedcorn.config import recipe_from_dict
from seedcorn.core.errors import SeedError
from seedcorn.core.holdout.roles import ROLES
from seedcorn.core.log.entries import BatchCommitted, GenerationStarted, Measurement, WriterOpened
from seedcorn.core.log.rules import rules_of
from seedcorn.core.log.state import HOLDOUT, CorpusState
from seedcorn.core.recipe import (
    HoldoutSpec,
    LedgerSpec,
    PromptSpec,
    SimulatedSpec,
    SourceSpec,
    StoreSpec,
)
from seedcorn.core.simulation.simulation import simulate
from seedcorn.core.text.words import TextRule
from seedcorn.runtime.driver.sources import Catalogues
from seedcorn.runtime.worker.holding_out import held_back, read_seed
from seedcorn.storage.log.log import START, open_writer, read_log
from seedcorn.storage.log.reading import read_state
from seedcorn.storage.samples.samples import read_shard
from seedcorn.storage.seeds.catalogue import Catalogue
from seedcorn.storage.seeds.held_out import held_of, held_texts
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.verify.verification import verify
from tests.corpora.growing import grow_in_process
from tests.storage.sound_corpus import RECIPE

NUMBERS = itertools.count()
BOOKS = 60


def recipe(share=0.1, group="book", **changes):
    """A recipe whose writer often copies what it was given."""
    copying = replace(
        RECIPE.engine, simulated=SimulatedSpec(words=40, seed_copy_rate=0.6, concurrency=24)
    )
    return replace(
        RECIPE,
        samples=160,
        seed=[SourceSpec(path="inbox/*.jsonl", name="docs", grows=True)],
        prompts=[PromptSpec(name="tell", template="{{ parent }}")],
        engine=copying,
        ledger=LedgerSpec(companions=0, holdout=HoldoutSpec(share, group)),
        **changes,
    )


def put(folder, name, first, twins=True):
    """A file of two rows a book, and a twin of each in no book."""
    inbox = folder / "inbox"
    inbox.mkdir(exist_ok=True)
    texts = [simulate("seed", 0, first + n, SimulatedSpec(words=30), "").text for n in range(120)]
    rows = [{"text": text, "book": f"b{n % BOOKS}"} for n, text in enumerate(texts, first)]
    rows += [{"text": text} for text in texts if twins]
    lines = "\n".join(map(json.dumps, rows))
    (inbox / f"{name}.jsonl").write_text(lines, encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    put(tmp_path, "a", 0)
    return tmp_path


def grown(folder, spec, **limits):
    uri = f"memory:held-{next(NUMBERS)}"
    grow_in_process(spec, uri, str(folder), **limits)
    return open_store(uri, StoreSpec())


def proved(store):
    report = verify(store, recipe_from_dict, deep=True)
    assert report.broken is None, report.broken
    return report.digest


def held_rows(store):
    """(source, row) of all that is held back."""
    state = read_state(store)
    held = held_of(store, state.held).ordinals.tolist()
    for source in state.sources_of("seed"):
        rows = range(source.ordinal, source.ordinal + source.rows)
        yield from ((source.name, n - source.ordinal) for n in held if n in rows)


def parents(store):
    """Names of all parents of all generations."""
    for generation in read_state(store).generations.values():
        for ref in (*generation.shards, *generation.dropped):
            for names in read_shard(store, ref, ["parents"])["parents"].to_pylist():
                yield from names


def reasons(store):
    found = Counter()
    for entry in read_log(store):
        if isinstance(entry.body, BatchCommitted):
            found.update(entry.body.reasons)
    return found


def test_held_rows_are_no_parents_and_copies_of_them_are_counted_apart(folder):
    store = grown(folder, recipe())
    proved(store)
    held = {f"{source}:#{row}" for source, row in held_rows(store)}
    drawn = set(parents(store))
    assert 8 <= len(held) <= 24
    assert not held & drawn
    assert len(drawn) > 150
    assert reasons(store)["duplicate:exact:heldout"] > 0


def test_hold_out_stands_in_the_log_before_the_first_generation_and_says_what_it_holds(folder):
    store = grown(folder, recipe())
    kinds = [type(entry.body) for entry in read_log(store)]
    (at,) = (e.sequence for e in read_log(store) if is_hold_out(e.body))
    assert at < kinds.index(GenerationStarted)
    state = read_state(store)
    (body,) = state.held
    held = held_of(store, [body])
    assert body.values["share"] == 0.1
    assert body.values["group"] == "book"
    assert body.values["seed_documents"] == 240
    assert body.values["documents"] == {role: len(held.of(role).ordinals) for role in ROLES}
    texts = held_texts(store, StoreSpec(), state.sources_of("seed"), held.of("anchor"))
    assert len(texts) == body.values["documents"]["anchor"] > 0
    assert len({cluster for _, cluster in texts}) == body.values["clusters"]["anchor"]


def is_hold_out(body):
    return isinstance(body, Measurement) and body.name == HOLDOUT


@pytest.mark.parametrize("batches", [1, 3, 6])
def test_crashed_run_holds_back_the_same(folder, batches):
    whole = grown(folder, recipe())
    uri = f"memory:held-{next(NUMBERS)}"
    grow_in_process(recipe(), uri, str(folder), batches=batches)
    grow_in_process(recipe(), uri, str(folder))
    resumed = open_store(uri, StoreSpec())
    assert proved(resumed) == proved(whole)
    assert read_state(resumed).held == read_state(whole).held


def test_driver_that_died_before_it_held_anything_back_leaves_it_to_the_next(folder):
    whole, uri = grown(folder, recipe()), f"memory:held-{next(NUMBERS)}"
    spec, state = recipe(corpus=uri), CorpusState()
    store = open_store(uri, StoreSpec())
    log = open_writer(store, START, "0" * 16, WriterOpened("h", 1, "0"), lambda: 0.0, state.apply)
    sources = Catalogues(spec, str(folder), store, state)
    sources.log_new(state, log)
    # It had decided, too, but not logged it.
    decided = held_back(store, state, spec, sources.seed_sources(state))

    grow_in_process(spec, uri, str(folder))

    assert read_state(store).held == [decided] == read_state(whole).held
    assert proved(store) == proved(whole)


def test_seed_that_joins_later_is_held_back_before_it_can_be_drawn(folder):
    store = grown(folder, recipe(generations=1))
    first = set(held_rows(store))
    put(folder, "b", 120)  # The same books go on.
    grow_in_process(recipe(), store.uri, str(folder), now=lambda: 1e12)

    proved(store)
    state, held = read_state(store), set(held_rows(store))
    assert len(state.held) == 2
    assert first < held
    books = {source: {n % BOOKS for s, n in held if s == source and n < 120} for source, _ in held}
    assert books["docs"] == books["docs+1"]
    assert not {f"{source}:#{row}" for source, row in held} & set(parents(store))


def test_hold_out_in_a_corpus_that_has_grown_takes_later_seed_alone(folder):
    spec = recipe(share=0.0, group="", generations=1)
    store = grown(folder, spec)
    assert read_state(store).held == []
    later = recipe(group="", generations=2)
    grow_in_process(later, store.uri, str(folder))
    assert read_state(store).held == []
    put(folder, "b", 500, twins=False)
    grow_in_process(replace(later, generations=3), store.uri, str(folder), now=lambda: 1e12)
    proved(store)
    assert {source for source, _ in held_rows(store)} == {"docs+1"}


def test_group_named_later_is_read_from_the_files_that_the_corpus_began_with(folder):
    store = grown(folder, recipe(share=0.0, group="", generations=1))
    put(folder, "b", 120, twins=False)
    grow_in_process(recipe(), store.uri, str(folder), now=lambda: 1e12)
    assert list(held_rows(store)) == []  # Every book could be drawn before.


def test_what_is_held_stays_held_where_a_later_recipe_holds_nothing(folder):
    store = grown(folder, recipe(generations=1))
    grow_in_process(recipe(share=0.0, generations=2), store.uri, str(folder))
    proved(store)
    held = {f"{source}:#{row}" for source, row in held_rows(store)}
    assert held
    assert not held & set(parents(store))


def test_damaged_hold_out_is_found(folder):
    store = grown(folder, recipe(generations=1))
    (ref,) = read_state(store).held[0].objects
    store.put(ref.key, store.get(ref.key)[:-1] + b"\0")
    report = verify(store, recipe_from_dict)
    assert report.broken is not None
    assert ref.key in report.broken.text


def test_recipe_that_groups_by_what_no_row_has_is_refused_before_anything_grows(folder):
    with pytest.raises(SeedError, match=r"no row has a group under 'bok'.*'book'"):
        grown(folder, recipe(group="bok"))


def test_usable_rows_alone_are_read(folder):
    shutil.rmtree(folder / "inbox")
    put(folder, "a", 0, twins=False)
    with (folder / "inbox" / "a.jsonl").open("a", encoding="utf-8") as file:
        file.write('\n{"text": ""}\nno JSON\n{"text": "last", "book": "b1"}')
    store = grown(folder, recipe(generations=1))
    state = read_state(store)
    (source,) = state.sources_of("seed")
    placed, rule = [(10, Catalogue.from_dict(source.catalogue))], TextRule.of(rules_of(state))
    found = read_seed(placed, (store, StoreSpec()), rule, "")
    assert found.ordinals.tolist() == [*range(10, 130), 132]
