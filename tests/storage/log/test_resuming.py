"""A start from a checkpoint is a start from entry 0 that read less, or it is one from entry 0."""

import json
from dataclasses import replace

import pytest

from seedcorn.core.codec import freeze
from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.identity import canonical_json, digest
from seedcorn.core.ledger.ledger import FoldState, Ledger
from seedcorn.core.log.entries import BatchCommitted, Entry, chain_hash, encode
from seedcorn.core.log.layout import log_key
from seedcorn.core.log.state import CorpusState
from seedcorn.core.recipe import SimulatedSpec
from seedcorn.core.simulation.simulation import simulate
from seedcorn.runtime.keeper.index_client import LocalTransport, PartitionedIndex
from seedcorn.runtime.keeper.keeper import Keeper
from seedcorn.storage.log.checkpoints import (
    checkpoint_prefix,
    checkpoint_sequences,
    read_checkpoint,
)
from seedcorn.storage.log.log import LogReader, StoredChains
from seedcorn.storage.log.reading import read_ledger, read_state
from seedcorn.storage.log.resuming import BOOKS, FOLDS, STATE, resume, unpack
from seedcorn.storage.stores.memory import MemoryStore
from seedcorn.storage.verify.rows import read_batch_table
from tests.core.ledger.test_ledger import LOG, fold
from tests.corpora.damaging import batches
from tests.corpora.growing import grow_in_process
from tests.storage.sound_corpus import RECIPE

MEASURED = {
    "engine_hours": 0.0,
    "unique_per_engine_hour": None,
    "next_hour": None,
    "next_hour_tokens": None,
    "engine_time": {},
    "paid_hours": None,
    "unique_tokens_per_paid_hour": None,
    "strata_times": {},
    "regenerated_tokens": 0,
}
"""Times, which two runs do not share."""


def whole(store):
    """State and head, folded from entry 0."""
    state, reader = CorpusState(), LogReader(store)
    for entry in reader:
        state.apply(entry)
    return state, reader.head


def reading(store):
    """A second handle of the store, and the keys that are read through it."""
    keys = []

    def note(when, operation, key):
        if (when, operation) == ("before", "get"):
            keys.append(key)

    return MemoryStore(store.uri.removeprefix("memory:"), note), keys


def folds_of(store, sequence):
    chains = StoredChains(store, sequence)
    covered, parts = read_checkpoint(store, chains, None, [STATE, BOOKS])
    assert covered == sequence
    return unpack(STATE, parts), unpack(BOOKS, parts)


def test_folds_of_every_checkpoint_equal_those_of_the_log_below_it(store):
    found = checkpoint_sequences(store)
    assert len(found) >= 2
    for sequence in found:
        entries = list(LogReader(store))[:sequence]
        state, fold_state = folds_of(store, sequence)
        assert state == read_state(store, entries)
        assert freeze(FoldState, fold_state) == freeze(
            FoldState, read_ledger(store, entries).fold_state
        )


def test_resume_equals_a_fold_of_the_whole_log_and_reads_the_entries_behind_it_only(store):
    newest, length = checkpoint_sequences(store)[0], len(list(LogReader(store)))
    assert newest < length + 1
    watched, keys = reading(store)
    assert resume(watched) == whole(store)
    read = {key for key in keys if key.startswith("log/")}
    assert read == {log_key(n) for n in range(newest - 1, length + 1)}


def test_keeper_that_resumes_equals_one_that_folds_the_log_over_the_same_arrays(store):
    state, _ = whole(store)

    def loaded(handle):
        keeper = Keeper(handle, PartitionedIndex(LocalTransport()), RECIPE, 1)
        report = keeper.load(state.sequence)
        return report, keeper

    watched, keys = reading(store)
    resumed, first = loaded(watched)
    sequence = resumed.covered
    assert f"log/{0:010d}.json" not in keys
    for name in (STATE, BOOKS):
        _forget_part(store, sequence, name)
    watched, keys = reading(store)
    folded, second = loaded(watched)
    assert f"log/{0:010d}.json" in keys
    assert resumed == folded
    assert freeze(FoldState, first._ledger.fold_state) == freeze(
        FoldState, second._ledger.fold_state
    )
    assert (first._state, first._chain) == (second._state, second._chain)


def _forget_part(store, sequence, name):
    """A checkpoint of a version that did not write this part yet."""
    key = f"{checkpoint_prefix(sequence)}manifest.json"
    manifest = json.loads(store.get(key))
    del manifest["parts"][name]
    store.put(key, json.dumps(manifest).encode())


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: b"", "another version"])
def test_checkpoint_that_is_damaged_or_of_another_version_means_a_fold_from_further_back(
    store, damage
):
    key = f"{checkpoint_prefix(checkpoint_sequences(store)[0])}{STATE}.npz"
    if damage == "another version":
        _forget_part(store, checkpoint_sequences(store)[0], STATE)
    else:
        store.put(key, damage(store.get(key)))
    assert resume(store) == whole(store)


def test_checkpoint_of_a_log_that_was_changed_before_it_is_not_used(store):
    newest = checkpoint_sequences(store)[0]
    entries = list(LogReader(store))
    previous = entries[newest - 1].previous
    for entry in entries[newest - 1 :]:
        changed = replace(entry, previous=previous, at=entry.at + 1)
        data = encode(changed)
        store.put(log_key(entry.sequence), data)
        previous = chain_hash(data)
    watched, keys = reading(store)
    assert resume(watched) == whole(store)
    assert f"{checkpoint_prefix(newest)}{STATE}.npz" not in keys


def test_log_that_lost_its_end_is_refused_and_not_grown_on(store):
    newest, length = checkpoint_sequences(store)[0], len(list(LogReader(store)))
    for sequence in range(newest - 2, length):
        store.delete(log_key(sequence))
    with pytest.raises(CorruptCorpus, match=f"ends after {newest - 2} entries.*covers {newest}"):
        resume(store)


def test_corpus_grown_with_resumes_in_between_equals_one_grown_at_once(tmp_path):
    lines = sound_seed()
    once, often = f"memory:once-{tmp_path}", f"memory:often-{tmp_path}"
    (tmp_path / "seed.txt").write_text(lines, encoding="utf-8")
    grow_in_process(RECIPE, once, str(tmp_path))
    for _ in range(8):
        grow_in_process(RECIPE, often, str(tmp_path), batches=1)
    first, second = (MemoryStore(uri.removeprefix("memory:")) for uri in (once, often))
    pairs = zip(batches(first), batches(second), strict=True)
    for (_, one), (_, other) in pairs:
        assert read_batch_table(first, one) == read_batch_table(second, other)
        assert (one.containment, one.counts) == (other.containment, other.counts)
    told = [[replace(row, **MEASURED) for row in read_ledger(at).rows()] for at in (first, second)]
    assert told[0] == told[1]


def sound_seed():
    return "\n".join(simulate("seed", 0, i, SimulatedSpec(words=50), "").text for i in range(12))


def test_ledger_resumed_from_its_own_books_goes_on_like_the_one_that_never_stopped(store):
    entries = list(LogReader(store))
    fold_state = read_ledger(store, entries[:-1]).fold_state
    last: Entry = entries[-1]
    kept = read_ledger(store, entries)
    again = read_ledger(store, entries[:-1])
    resumed = Ledger.resumed(fold_state, again.history, again.prospects.snapshot())
    resumed.apply(last, None)
    assert resumed.rows() == kept.rows()


GOLDEN = {
    1: "d10185b948c6499c",
    2: "e5d7e48bdf018f17",
    3: "d0900c0603352b1d",
    4: "1b5aa65c79b8378f",
}
"""Digest by version of the folds. Where the same entries come to mean something else, raise FOLDS: a
checkpoint of before must not be resumed from."""


def test_folds_of_one_version_make_the_same_of_the_same_entries():
    state, ledger = CorpusState(), fold(LOG)
    for sequence, (body, _) in enumerate(LOG):
        if isinstance(body, BatchCommitted):
            body = replace(body, ordinal=state.next_ordinal)
        state.apply(Entry(sequence, "w", "0", 0.0, body))
    made = [freeze(CorpusState, state), freeze(FoldState, ledger.fold_state)]
    assert digest("folds", canonical_json(rounded(made)), size=8).hex() == GOLDEN[FOLDS]


def rounded(value):
    """Floats to nine digits: the last ones differ between processors."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value
