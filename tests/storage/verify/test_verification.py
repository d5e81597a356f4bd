"""Verify proves a sound corpus green, and names every kind of damage by the promise it breaks."""

import itertools
from dataclasses import replace

import pytest

from seedcorn.config import recipe_from_dict
from seedcorn.core.errors import ObjectMissing, StoreError
from seedcorn.core.log.entries import GenerationFinished, encode
from seedcorn.core.log.layout import SegmentName, log_key
from seedcorn.core.recipe import (
    UnitsSpec,
)
from seedcorn.storage.log.log import read_log
from seedcorn.storage.stores.memory import MemoryStore
from seedcorn.storage.stores.patience import Patience, Unanswered
from seedcorn.storage.verify.verification import verify
from tests.corpora.damaging import batches, reforge
from tests.corpora.digests import corpus_digest
from tests.storage.sound_corpus import RECIPE, broken, grown, shard_keys


def test_verify_sound_corpus_proves_every_promise_and_gives_its_digest(sound):
    report = verify(sound, recipe_from_dict)
    assert (report.ok, report.warnings) == (True, [])
    assert [finding.promise for finding in report.proved] == [
        *("log", "P6", "P5", "ledger", "P1", "P2", "P3", "lineage", "withdrawn", "P8", "sketches")
    ]
    assert report.digest == corpus_digest(sound)


def test_verify_unfinished_corpus_is_green(tmp_path):
    assert verify(grown(tmp_path, RECIPE, batches=4), recipe_from_dict).ok


def test_corpus_digest_other_cut_is_equal_and_other_texts_are_not(sound, tmp_path):
    recut = replace(RECIPE, units=UnitsSpec(unit=16, batch=2))
    other = replace(RECIPE, samples=99)
    assert corpus_digest(grown(tmp_path, recut)) == corpus_digest(sound)
    assert corpus_digest(grown(tmp_path, other)) != corpus_digest(sound)


def test_verify_place_without_a_log_is_no_corpus():
    with pytest.raises(ObjectMissing, match="no corpus"):
        verify(MemoryStore("verification-nothing"), recipe_from_dict)


def test_verify_store_that_does_not_answer_is_not_called_broken(sound):
    ticks = itertools.count()
    patience = Patience(8.0, lambda: float(next(ticks)), lambda seconds: None, lambda: 0.0)

    def lose(when, operation, key):
        if operation == "get" and key.startswith("data/"):
            raise Unanswered("nobody there")

    name = sound.uri.removeprefix("memory:")
    with pytest.raises(StoreError):
        verify(MemoryStore(name, lose, patience), recipe_from_dict)


def test_verify_flipped_byte_breaks_p1_and_names_the_shard(store):
    key = shard_keys(store)[1]
    data = bytearray(store.get(key))
    data[len(data) // 2] ^= 1
    store.put(key, bytes(data))
    promise, text = broken(store)
    assert promise == "P1"
    assert key in text


@pytest.mark.parametrize("role", ["data", "dropped"])
def test_verify_missing_shard_breaks_p1_and_names_it(store, role):
    key = shard_keys(store, role)[0]
    store.delete(key)
    promise, text = broken(store)
    assert promise == "P1"
    assert f"{key} is missing" in text


def test_verify_swapped_shards_break_p1(store):
    one, other = shard_keys(store)[:2]
    first, second = store.get(one), store.get(other)
    store.put(one, second)
    store.put(other, first)
    assert broken(store)[0] == "P1"


def test_verify_shard_named_after_other_units_breaks_p1(store):
    (_, first), (sequence, second) = batches(store)[:2]
    reforge(store, {sequence: replace(second, data=first.data)})
    assert broken(store)[0] == "P1"


def test_verify_missing_entry_breaks_the_log(store):
    sequence = batches(store)[1][0]
    store.delete(log_key(sequence))
    promise, text = broken(store)
    assert promise == "log"
    assert f"entry {sequence} is missing" in text


def test_verify_entries_lost_from_the_end_are_betrayed_by_a_checkpoint(store):
    finished = [e.sequence for e in read_log(store) if isinstance(e.body, GenerationFinished)]
    for sequence in range(finished[-1], 1 + max(e.sequence for e in read_log(store))):
        store.delete(log_key(sequence))
    promise, text = broken(store)
    assert promise == "log"
    assert "lost from its end" in text


def test_verify_removed_batch_with_a_chain_made_whole_breaks_the_log(store):
    reforge(store, {batches(store)[1][0]: None})
    assert broken(store)[0] == "log"


def test_verify_changed_entry_breaks_the_chain(store):
    sequence, body = batches(store)[0]
    entry = next(entry for entry in read_log(store) if entry.sequence == sequence)
    store.put(log_key(sequence), encode(replace(entry, body=replace(body, engine_seconds=1e9))))
    promise, text = broken(store)
    assert promise == "log"
    assert f"entry {sequence}" in text


def test_verify_unknown_format_breaks_the_log(store):
    data = store.get(log_key(0))
    store.put(log_key(0), data.replace(b'"format":1', b'"format":9'))
    promise, text = broken(store)
    assert (promise, "format 9" in text) == ("log", True)


def test_verify_entry_of_a_fenced_writer_breaks_p6(store):
    entries = list(read_log(store))
    stranger = replace(entries[-1], writer="f" * 16)
    store.put(log_key(stranger.sequence), encode(stranger))
    promise, text = broken(store)
    assert promise == "P6"
    assert f"entry {stranger.sequence}" in text


def test_verify_counts_that_contradict_their_entry_break_the_ledger(store):
    sequence, body = batches(store)[0]
    counts = body.counts | {"accepted": body.counts["accepted"] + 1}
    counts["failed"] -= 1
    reforge(store, {sequence: replace(body, counts=counts)})
    promise, text = broken(store)
    assert promise in ("ledger", "log")
    assert "entry" in text


def test_verify_counts_that_agree_with_themselves_but_not_with_the_rows_break_p3(store):
    sequence, body = batches(store)[0]
    tokens = body.tokens | {"prompt": body.tokens["prompt"] + 5}
    reforge(store, {sequence: replace(body, tokens=tokens)})
    promise, text = broken(store)
    assert promise == "P3"
    assert f"log entry {sequence}" in text
    assert "prompt" in text


def test_verify_unnamed_shard_in_a_finished_generation_breaks_p5(store):
    key = shard_keys(store)[0]
    stray = key.replace(key[-24:-8], "0" * 16)
    store.put(stray, store.get(key))
    promise, text = broken(store)
    assert promise == "P5"
    assert stray in text


def test_verify_leftover_segment_is_a_note_and_no_fault(store):
    store.put(SegmentName(1, 0, "a" * 16).key, b"committed long ago")
    store.put("staging/gen-0001/readme.txt", b"hello")
    report = verify(store, recipe_from_dict)
    assert report.ok
    assert len(report.warnings) == 2
