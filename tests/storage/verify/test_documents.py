"""Rows, lineage, P8, sketches and withdrawals: each kind of damage is detected and named."""

from dataclasses import replace

import pytest

from seedcorn.config import recipe_from_dict
from seedcorn.core.log.entries import (
    Entry,
    GenerationStarted,
    Withdrawn,
    chain_hash,
    encode,
)
from seedcorn.core.log.layout import log_key
from seedcorn.core.recipe import (
    SimulatedSpec,
)
from seedcorn.core.simulation.simulation import simulate
from seedcorn.storage.log.log import read_log
from seedcorn.storage.log.withdrawals import write_ids
from seedcorn.storage.samples.samples import read_shard
from seedcorn.storage.verify.verification import verify
from tests.corpora.damaging import batches, reforge, reshard, texts_of
from tests.storage.sound_corpus import broken


def test_verify_row_that_occurs_twice_breaks_p2(store):
    sequence, _ = batches(store)[0]
    reshard(store, sequence, "data", lambda rows: [rows[0], rows[0], *rows[2:]])
    promise, text = broken(store)
    assert promise == "P2"
    assert "has 2 rows" in text


def test_verify_id_of_another_sample_breaks_p2(store):
    sequence, _ = batches(store)[0]

    def rename(rows):
        return [rows[0] | {"sample_id": rows[1]["sample_id"]}, *rows[1:]]

    reshard(store, sequence, "data", rename)
    assert broken(store)[0] == "P2"


def test_verify_row_of_another_unit_breaks_p2(store):
    sequence, _ = batches(store)[0]
    reshard(store, sequence, "data", lambda rows: [rows[0] | {"unit": 4}, *rows[1:]])
    assert broken(store)[0] == "P2"


def test_verify_dropped_row_with_another_reason_breaks_p3(store):
    sequence = next(s for s, body in batches(store) if body.counts["rejected"])

    def excuse(rows):
        return [row | ({"reason": "other"} if row["outcome"] == "rejected" else {}) for row in rows]

    reshard(store, sequence, "dropped", excuse)
    assert broken(store)[0] == "P3"


@pytest.mark.parametrize("witness", ["0" * 32, "docs:2", "docs:#12", "nowhere:#0", ""])
def test_verify_witness_that_does_not_exist_breaks_lineage(store, witness):
    sequence, _ = batches(store)[0]

    def blame(rows):
        of = {"duplicate_of": witness}
        return [row | (of if row["outcome"] == "duplicate" else {}) for row in rows]

    reshard(store, sequence, "dropped", blame)
    promise, text = broken(store)
    assert promise == "lineage"
    assert repr(witness) in text


def test_verify_witness_of_a_later_rank_breaks_lineage(store):
    (sequence, _), (_, later) = batches(store)[:2]
    witness = read_shard(store, later.data[0])["sample_id"].to_pylist()[0]

    def blame(rows):
        of = {"duplicate_of": witness}
        return [row | (of if row["reason"].endswith("same") else {}) for row in rows]

    reshard(store, sequence, "dropped", blame)
    assert broken(store)[0] == "lineage"


def test_verify_parent_that_does_not_exist_breaks_lineage(store):
    sequence, _ = batches(store)[0]
    reshard(store, sequence, "data", lambda rows: [rows[0] | {"parents": ["lost:1"]}, *rows[1:]])
    promise, text = broken(store)
    assert (promise, "'lost:1'" in text) == ("lineage", True)


def test_verify_stored_recipe_with_another_value_breaks_lineage(store):
    started = next(e for e in read_log(store) if isinstance(e.body, GenerationStarted))
    recipe = started.body.recipe | {"samples_per_prompt": 2}
    reforge(store, {started.sequence: replace(started.body, recipe=recipe)})
    promise, text = broken(store)
    assert promise == "lineage"
    assert "generation 1" in text


def smuggle(store, texts):
    """Accepted texts of the last batch become these; counts stay consistent."""
    sequence, _ = batches(store)[-1]

    def forge(rows):
        return [row | {"text": text} for row, text in zip(rows, texts, strict=False)] + rows[
            len(texts) :
        ]

    reshard(store, sequence, "data", forge)


def test_verify_exact_duplicate_that_was_kept_breaks_p8(store):
    smuggle(store, ["\n" + texts_of(store, batches(store)[0][1])[0]])
    promise, text = broken(store)
    assert (promise, "exact duplicates" in text) == ("P8", True)


def test_verify_copy_of_a_seed_document_that_was_kept_breaks_p8(store, tmp_path):
    smuggle(store, [simulate("seed", 0, 3, SimulatedSpec(words=50), "").text])
    promise, text = broken(store)
    assert (promise, "docs:#3" in text) == ("P8", True)


def test_verify_more_near_duplicates_than_the_miss_rate_explains_break_p8(store):
    originals = texts_of(store, batches(store)[0][1])[:5]
    smuggle(store, [f"{text} Altogether other words." for text in originals])
    promise, text = broken(store)
    assert (promise, "both kept" in text) == ("P8", True)


def test_verify_sample_of_a_large_corpus_says_so(sound):
    report = verify(sound, recipe_from_dict, documents=60)
    [line] = [finding.text for finding in report.proved if finding.promise == "P8"]
    assert report.ok
    assert "sample" in line


@pytest.mark.parametrize("which", [0, -1])
def test_verify_sketch_of_other_texts_is_named(store, which):
    found = batches(store)
    sequence, body = found[which]
    wrong = found[1][1].sketch
    reforge(store, {sequence: replace(body, sketch=wrong)})
    promise, text = broken(store)
    # A forecast made from another sketch is noticed before any text is read.
    assert promise in ("ledger", "sketches")
    assert f"log entry {sequence + (promise == 'ledger')}" in text


def append(store, body):
    """One more entry by the last writer."""
    last = list(read_log(store))[-1]
    chained = chain_hash(store.get(log_key(last.sequence)))
    entry = Entry(last.sequence + 1, last.writer, chained, 0.0, body)
    store.put(log_key(entry.sequence), encode(entry))


def test_verify_withdrawal_of_a_sample_that_was_never_accepted_is_named(store):
    ids = write_ids(store, [("0" * 32, 1)])
    append(store, Withdrawn("test", {"id": "x"}, {"1": {"samples": 1, "tokens": 1}}, ids))
    promise, text = broken(store)
    assert promise == "withdrawn"
    assert "log entry" in text


def test_verify_withdrawal_with_the_sketch_of_other_texts_is_named(store):
    _, body = batches(store)[0]
    row = read_shard(store, body.data[0]).to_pylist()[0]
    counts = {"1": {"samples": 1, "tokens": row["completion_tokens"]}}
    ids = write_ids(store, [(row["sample_id"], 1)])
    append(store, Withdrawn("test", {"id": "x"}, counts, ids, body.sketch))
    promise, text = broken(store)
    assert (promise, "sketch" in text) == ("withdrawn", True)
