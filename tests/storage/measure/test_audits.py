"""Draws of an audit against looking at every text by hand."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from seedcorn.cli import main
from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.log.entries import BatchCommitted
from seedcorn.core.measure.audits import AuditError
from seedcorn.core.recipe import (
    EngineSpec,
    PromptSpec,
    Recipe,
    SimulatedSpec,
    SourceSpec,
    StoreSpec,
    UnitsSpec,
)
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.shingles import shingles
from seedcorn.core.text.words import NEWEST
from seedcorn.storage.log.log import read_log
from seedcorn.storage.log.reading import read_state
from seedcorn.storage.log.sketches import read_delta
from seedcorn.storage.measure import audits
from seedcorn.storage.measure.audits import Asked, drawn_again, new_draw
from seedcorn.storage.samples.samples import read_shard
from seedcorn.storage.stores.opening import open_store
from tests.corpora.growing import grow_in_process
from tests.corpora.reading import accepted_rows

SEED = ["the first seed text has these ten words in it", "the second one has other words in it"]
RECIPE = Recipe(
    name="audited",
    generations=2,
    samples=60,
    seed=[SourceSpec(path="seed.txt", name="docs", split="line")],
    prompts=[PromptSpec(name="tell", template="{{ parent }}"), PromptSpec("ask", "?")],
    engine=EngineSpec(
        kind="simulated",
        simulated=SimulatedSpec(words=30, vocabulary=3, near_duplicate_rate=0.3, concurrency=8),
    ),
    units=UnitsSpec(unit=5, batch=3),
)


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audited")
    (folder / "seed.txt").write_text("\n".join(SEED), encoding="utf-8")
    grow_in_process(RECIPE, str(folder / "corpus"), str(folder))
    return folder / "corpus"


@pytest.fixture
def store(grown, tmp_path):
    return open_store(str(shutil.copytree(grown, tmp_path / "corpus")), StoreSpec())


def hashes(text):
    return set(shingles(*pack([text.encode()]), NEWEST, 8).hashes.tolist())


def rows_of(store):
    """(id, generation, stratum, text) of every accepted sample in commit order."""
    columns = ["sample_id", "generation", "stratum", "text"]
    return [tuple(row.values()) for row in accepted_rows(store, columns)]


def expected(rows, generation, count, stratum="", gone=()):
    """Ids by rank, from texts alone: the lowest novel hashes and who brings each first."""
    before = set().union(*map(hashes, SEED))
    before |= set().union(*(hashes(text) for _, g, _, text in rows if g < generation))
    first = {}
    for name, g, of, text in rows:
        if g == generation and stratum in ("", of) and name not in gone:
            for value in hashes(text) - before:
                first.setdefault(value, name)
    return [first[value] for value in sorted(first)[:count]]


def by_rank(questions):
    held = {rank: question.id for question in questions for rank in question.ranks}
    return [held[rank] for rank in range(len(held))]


def withdraw(store, names):
    where = [word for name in names for word in ("--where", f"id={name}")]
    assert main(["withdraw", store.uri, *where, "--reason", "test"]) == 0


@pytest.mark.parametrize("generation", [1, 2])
@pytest.mark.parametrize("stratum", ["", "tell", "ask"])
@pytest.mark.parametrize("count", [1, 40, 300])
def test_new_draw_is_the_lowest_novel_hashes_and_their_first_samples(
    store, generation, stratum, count
):
    draw, questions = new_draw(store, Asked(generation, stratum, count))
    rows = rows_of(store)
    assert by_rank(questions) == expected(rows, generation, count, stratum)
    assert (draw.generation, draw.stratum, draw.fingerprints) == (generation, stratum, count)
    texts = {name: (of, text) for name, _, of, text in rows}
    assert all((q.stratum, q.text) == texts[q.id] for q in questions)
    firsts = [question.ranks[0] for question in questions]
    assert firsts == sorted(firsts)


def test_new_draw_of_more_than_there_is_takes_all(store):
    _, questions = new_draw(store, Asked(2, "", 10**6))
    assert by_rank(questions) == expected(rows_of(store), 2, 10**6)


def test_new_draw_starting_thinner_finds_the_same(store, monkeypatch):
    expected = new_draw(store, Asked(1, "", 50))
    monkeypatch.setattr(audits, "SPARE", 0.01)
    assert new_draw(store, Asked(1, "", 50)) == expected


def test_new_draw_without_a_generation_is_of_the_last(store):
    assert new_draw(store, Asked(None, "", 5))[0].generation == 2


def test_new_draw_skips_withdrawn_samples_and_takes_the_next_that_holds_the_fingerprint(store):
    rows = rows_of(store)
    before = expected(rows, 1, 60)
    gone = set(before[:20])
    withdraw(store, gone)
    after = by_rank(new_draw(store, Asked(1, "", 60))[1])
    assert after == expected(rows, 1, 60, gone=gone)
    inherited = [name for old, name in zip(before, after, strict=True) if old in gone]
    assert inherited
    assert not gone & set(after)


def test_new_draw_agrees_with_the_sketchs_own_column_of_first_documents(store):
    _, questions = new_draw(store, Asked(1, "", 10**6))
    found = set(by_rank(questions))
    named = set()
    for entry in read_log(store):
        body = entry.body
        if isinstance(body, BatchCommitted) and body.generation == 1:
            table = read_shard(store, body.data[0], ["sample_id", "index"])
            names = dict(zip(*(table[n].to_pylist() for n in ("index", "sample_id")), strict=True))
            delta = read_delta(store, body.sketch)
            rows = delta.rows(8)
            first = delta.first[rows][delta.accepted[rows] > 0]
            named |= {names[body.first_index + offset] for offset in first.tolist()}
    assert found <= named


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (Asked(3, "", 5), "no generation 3"),
        (Asked(0, "", 5), "no generation 0"),
        (Asked(1, "sing", 5), "no stratum 'sing'; it has tell, ask"),
    ],
)
def test_new_draw_of_what_does_not_exist_is_refused(store, asked, message):
    with pytest.raises(AuditError, match=message):
        new_draw(store, asked)


def test_new_draw_of_a_stratum_whose_samples_were_all_withdrawn_is_refused(store):
    withdraw(store, {row[0] for row in rows_of(store) if row[1:3] == (2, "ask")})
    with pytest.raises(AuditError, match="stratum 'ask' of generation 2 has nothing unique"):
        new_draw(store, Asked(2, "ask", 5))


def test_drawn_again_after_the_corpus_grew_is_the_draw_of_then(grown, tmp_path):
    (tmp_path / "seed.txt").write_text("\n".join(SEED), encoding="utf-8")
    uri = str(tmp_path / "corpus")
    grow_in_process(RECIPE, uri, str(tmp_path), batches=2)
    store = open_store(uri, StoreSpec())
    draw, questions = new_draw(store, Asked(1, "", 30))
    grow_in_process(RECIPE, uri, str(tmp_path))
    assert by_rank(new_draw(store, Asked(1, "", 30))[1]) != by_rank(questions)
    assert drawn_again(store, draw, "audit.jsonl") == questions


def test_drawn_again_names_a_sample_that_was_withdrawn_since(store):
    draw, questions = new_draw(store, Asked(1, "", 30))
    withdraw(store, {questions[3].id})
    message = (
        f"audit.jsonl is stale: 1 of its samples were withdrawn since, such as {questions[3].id}"
    )
    with pytest.raises(AuditError, match=message):
        drawn_again(store, draw, "audit.jsonl")


@pytest.mark.parametrize(
    "change", [{"chain": "0" * 64}, {"entries": 3}, {"entries": 10**6}, {"generation": 7}]
)
def test_drawn_again_of_another_corpus_is_refused(store, change):
    draw, _ = new_draw(store, Asked(1, "", 30))
    with pytest.raises(AuditError, match=r"another corpus|no generation 7"):
        drawn_again(store, replace(draw, **change), "audit.jsonl")


def test_new_draw_where_shards_lack_what_the_sketch_counts_is_refused(store):
    bodies = [e.body for e in read_log(store) if isinstance(e.body, BatchCommitted)]
    mine, other = bodies[0], bodies[1]
    draw, _ = new_draw(store, Asked(1, "", 9))
    search = audits._Search(store, draw, ["tell", "ask"], read_state(store))
    delta = read_delta(store, mine.sketch)
    held = np.unique(delta.hash[delta.rows(8)][delta.accepted[delta.rows(8)] > 0])
    assert len(search._in_batch(mine, held)) == len(held)
    with pytest.raises(CorruptCorpus, match="lack shingles that its sketch counts"):
        search._in_batch(replace(mine, data=other.data), held)
