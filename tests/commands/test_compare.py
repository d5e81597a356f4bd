"""`seedcorn compare`: two recipes on one seed, against plain sets of the texts in their shards."""

import json
import shutil

import pytest

from seedcorn.cli import main
from seedcorn.core.log.entries import BatchCommitted, WriterOpened
from seedcorn.core.log.state import CorpusState
from seedcorn.core.recipe import (
    EngineSpec,
    PromptSpec,
    Recipe,
    SimulatedSpec,
    SourceSpec,
    StoreSpec,
    UnitsSpec,
)
from seedcorn.core.sketch.sketch import LENGTHS
from seedcorn.runtime.driver.sources import Catalogues
from seedcorn.storage.log.log import LogReader, open_writer, read_log
from seedcorn.storage.stores.opening import open_store
from tests.corpora.growing import grow_in_process
from tests.corpora.reading import accepted_rows, plain_shingles

SEEDS = ["the first seed has enough words for several shingles", "a second seed has other words"]
EXTRA = "only the second corpus was given this line as a part of its seed"


def recipe(name, samples, vocabulary, seeds=1):
    sources = [
        SourceSpec(path=f"seed-{n}.txt", name=f"docs-{n}", split="line") for n in range(seeds)
    ]
    return Recipe(
        name=name,
        generations=2,
        samples=samples,
        seed=sources,
        prompts=[PromptSpec(name="tell", template="{{ parent }}")],
        engine=EngineSpec(
            kind="simulated",
            model=f"writer-{name}",
            simulated=SimulatedSpec(
                words=30, vocabulary=vocabulary, seed_copy_rate=0.2, concurrency=16
            ),
        ),
        units=UnitsSpec(unit=10, batch=2),
    )


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """Two corpora; the second one has a seed that the first does not have."""
    folder = tmp_path_factory.mktemp("compared")
    (folder / "seed-0.txt").write_text("\n".join(SEEDS), encoding="utf-8")
    (folder / "seed-1.txt").write_text(EXTRA, encoding="utf-8")
    small, large = recipe("small", 60, 2), recipe("large", 120, 3, seeds=2)
    for one in (small, large):
        grow_in_process(one, str(folder / one.name), str(folder))
    return folder


@pytest.fixture
def corpora(grown, tmp_path):
    """Copies of both, to be changed at will."""
    return [str(shutil.copytree(grown / name, tmp_path / name)) for name in ("small", "large")]


def compared(corpora, capsys, *words):
    assert main(["compare", *corpora, "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)


def check_against_sets(found, corpora, gone=()):
    for length in LENGTHS:
        seed = plain_shingles([*SEEDS, EXTRA], length)
        kept = [
            [r for r in accepted_rows(open_store(c, StoreSpec())) if r["sample_id"] not in gone]
            for c in corpora
        ]
        a, b = (plain_shingles([row["text"] for row in rows], length) - seed for rows in kept)
        key = str(length)
        assert found["a"]["unique"][key] == dict.fromkeys(("estimate", "low", "high"), len(a))
        assert found["b"]["unique"][key]["estimate"] == len(b)
        assert found["a"]["only"][key]["estimate"] == len(a - b)
        assert found["b"]["only"][key]["estimate"] == len(b - a)
        assert found["union"][key]["estimate"] == len(a | b)
        assert found["overlap"][key]["estimate"] == len(a & b)
    for side, rows in zip((found["a"], found["b"]), kept, strict=True):
        assert side["documents"] == len(rows)
        assert side["tokens"] == sum(row["completion_tokens"] for row in rows)


def test_compare_is_what_plain_sets_of_both_corpora_say(corpora, capsys):
    found = compared(corpora, capsys)
    assert found["sketch_rate"] == 1
    check_against_sets(found, corpora)
    smaller = min(found["a"]["tokens"], found["b"]["tokens"])
    assert found["equal_tokens"] == smaller == found["a"]["tokens"]
    assert found["a"]["at_equal_tokens"]["estimate"] == found["a"]["unique"]["8"]["estimate"]
    assert found["b"]["at_equal_tokens"]["estimate"] < found["b"]["unique"]["8"]["estimate"]
    assert found["overlap"]["3"]["estimate"] > 0


def test_compare_tells_unique_words_of_each_by_what_its_shingles_are_worth(corpora, capsys):
    found = compared(corpora, capsys)
    for side, corpus in zip("ab", corpora, strict=True):
        bodies = [entry.body for entry in read_log(open_store(corpus, StoreSpec()))]
        sums = [s for b in bodies if isinstance(b, BatchCommitted) for s in b.unique.values()]
        words, held = (sum(one[key] for one in sums) for key in ("words", "held"))
        told = found[side]["unique_words"]["estimate"]
        assert told == pytest.approx(found[side]["unique"]["8"]["estimate"] * words / held)
        assert words > held  # Documents of 30 words have 23 shingles.


def test_compare_credits_neither_with_the_others_seed(corpora, tmp_path, capsys):
    texts = [row["text"] for row in accepted_rows(open_store(corpora[0], StoreSpec()))]
    (tmp_path / "seed-0.txt").write_text("\n".join(texts), encoding="utf-8")
    grow_in_process(recipe("heir", 20, 4), str(tmp_path / "heir"), str(tmp_path))
    found = compared([corpora[0], str(tmp_path / "heir")], capsys)
    assert found["a"]["documents"] == len(texts)
    assert all(found["a"]["unique"][str(n)]["estimate"] == 0 for n in LENGTHS)
    assert found["b"]["unique"]["8"]["estimate"] > 0
    assert found["more_per_token"] == "b"


def test_compare_leaves_withdrawn_samples_out(corpora, capsys):
    gone = {row["sample_id"] for row in accepted_rows(open_store(corpora[1], StoreSpec()))[::3]}
    where = [word for name in gone for word in ("--where", f"id={name}")]
    assert main(["withdraw", corpora[1], *where, "--reason", "test"]) == 0
    capsys.readouterr()
    check_against_sets(compared(corpora, capsys), corpora, gone)


def test_compare_a_corpus_with_itself_shares_everything(corpora, capsys):
    found = compared([corpora[0], corpora[0]], capsys)
    assert found["overlap"] == found["union"] == found["a"]["unique"]
    assert found["a"]["only"]["8"] == {"estimate": 0, "low": 0, "high": 0}
    assert found["more_per_token"] == ""
    assert "neither can be said to add more" in found["statement"]


def test_compare_tells_the_richer_recipe(corpora, capsys):
    found = compared(corpora, capsys)
    assert found["more_per_token"] == "b"
    assert "B adds more per token" in found["statement"]
    assert any("writer-small" in note for note in found["notes"])


def test_compare_with_few_fingerprints_estimates_both_at_one_rate(corpora, capsys):
    exact = compared(corpora, capsys)
    found = compared(corpora, capsys, "--fingerprints", "300")
    assert found["sketch_rate"] < 1
    for side in ("a", "b"):
        interval = found[side]["unique"]["8"]
        assert interval["low"] <= exact[side]["unique"]["8"]["estimate"] <= interval["high"]
    assert "estimated from a hash sample" in found["notes"][0]


def test_compare_prints_a_table_and_one_sentence(corpora, capsys):
    assert main(["compare", *corpora]) == 0
    text = capsys.readouterr().out
    found = compared(corpora, capsys)
    for name in ("small", "large"):
        assert f"({name})" in text
    for number in (found["union"], found["overlap"], found["a"]["only"], found["b"]["only"]):
        assert f"{number['8']['estimate']:,.0f}" in text
    assert found["statement"] in text
    assert max(map(len, text.splitlines())) < 200


def test_compare_with_a_folder_that_is_no_corpus_says_so(corpora, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert main(["compare", corpora[0], str(tmp_path / "empty")]) == 1
    assert "holds no corpus" in capsys.readouterr().err


def test_compare_with_a_corpus_that_grew_nothing_yet(grown, corpora, tmp_path, capsys):
    shutil.copy(grown / "seed-0.txt", tmp_path)
    fresh = str(tmp_path / "fresh")
    asked = recipe("fresh", 60, 2)
    store, state = open_store(fresh, asked.store), CorpusState()
    who = WriterOpened("host", 1, "0")
    log = open_writer(store, LogReader(store).head, "reads", who, float, state.apply)
    Catalogues(asked, str(tmp_path), store, state).log_new(state, log)
    assert main(["compare", corpora[0], fresh]) == 1
    assert "no entry has its sketch yet" in capsys.readouterr().err


def test_compare_of_corpora_under_different_text_rules_is_refused(grown, corpora, tmp_path, capsys):
    (tmp_path / "seed-0.txt").write_text("\n".join(SEEDS), encoding="utf-8")
    old = str(tmp_path / "old")
    grow_in_process(recipe("small", 20, 2), old, str(tmp_path), rules={})
    assert main(["compare", old, corpora[0]]) == 1
    assert "under text rule 1" in capsys.readouterr().err


def test_compare_leaves_an_abandoned_generation_out(corpora, tmp_path, capsys):
    (tmp_path / "seed-0.txt").write_text("\n".join(SEEDS), encoding="utf-8")
    again = str(tmp_path / "again")
    grow_in_process(recipe("small", 60, 2), again, str(tmp_path), batches=4)
    begun = accepted_rows(open_store(again, StoreSpec()))
    assert main(["abandon", again]) == 0
    capsys.readouterr()

    found = compared([again, corpora[1]], capsys)["a"]

    first = [row for row in begun if row["generation"] == 1]
    assert found["documents"] == len(first) < len(begun)
    assert found["tokens"] == sum(row["completion_tokens"] for row in first)
