"""What a sample brought is held against its batch's log entry, and deeply against all texts."""

from dataclasses import replace

import pytest

from seedcorn.config import recipe_from_dict
from seedcorn.core.recipe import LedgerSpec
from seedcorn.storage.log.reading import read_ledger
from seedcorn.storage.samples.samples import read_shard
from seedcorn.storage.verify.verification import verify
from tests.corpora.damaging import batches, reforge, reshard
from tests.storage.sound_corpus import RECIPE, broken, grown


def found_deeply(store):
    """What `--deep` says is wrong."""
    report = verify(store, recipe_from_dict, deep=True)
    assert report.broken is not None, report
    return report.broken.promise, report.broken.text


def first_batch(store):
    return next((n, body) for n, body in batches(store) if body.data)


def test_figure_of_a_sample_that_the_entry_does_not_sum_up_to_breaks_p3(store):
    sequence, _ = first_batch(store)

    def alter(rows):
        rows[0]["unique_tokens"] += 1.0
        return rows

    reshard(store, sequence, "data", alter)
    promise, text = broken(store)
    assert promise == "P3"
    assert "unique tokens" in text


def test_figures_that_two_samples_exchanged_are_found_deeply(store):
    sequence, _ = first_batch(store)

    def alter(rows):
        pairs = ((a, b) for a in rows for b in rows if a["stratum"] == b["stratum"])
        one, other = next(p for p in pairs if p[0]["unique_tokens"] != p[1]["unique_tokens"])
        one["unique_tokens"], other["unique_tokens"] = (
            other["unique_tokens"],
            one["unique_tokens"],
        )
        return rows

    reshard(store, sequence, "data", alter)
    assert verify(store, recipe_from_dict).ok
    promise, text = found_deeply(store)
    assert promise == "deep"
    assert "unique tokens in its shard, but brought" in text


def test_sums_of_an_entry_that_its_texts_do_not_give_are_found_deeply(store):
    sequence, body = first_batch(store)
    name = min(body.unique)
    sums = body.unique | {name: body.unique[name] | {"held": body.unique[name]["held"] + 1}}
    reforge(store, {sequence: replace(body, unique=sums)})
    promise, text = found_deeply(store)
    assert promise == "deep"
    assert f"log entry {sequence}: its unique tokens are" in text


def test_sampled_corpus_is_proved_deeply_and_its_unique_tokens_have_an_interval(tmp_path):
    store = grown(tmp_path, replace(RECIPE, ledger=LedgerSpec(fingerprints=800, companions=0)))
    report = verify(store, recipe_from_dict, deep=True)
    assert report.ok, report.broken
    ledger = read_ledger(store)
    assert ledger.history.rate < 1
    row = ledger.rows()[-1]
    assert row.unique_tokens is not None
    assert row.unique_tokens.low < row.unique_tokens.estimate < row.unique_tokens.high


@pytest.mark.parametrize("stratum", ["tell", "ask"])
def test_ledger_sums_what_the_shards_have(store, stratum):
    rows = [
        row
        for _, b in batches(store)
        for ref in b.data
        for row in read_shard(store, ref).to_pylist()
    ]
    for told in read_ledger(store).strata():
        if told.stratum == stratum:
            mine = [
                row["unique_tokens"]
                for row in rows
                if (row["generation"], row["stratum"]) == (told.generation, stratum)
            ]
            assert told.unique_tokens.estimate == sum(mine)
            assert told.unique_tokens.exact
