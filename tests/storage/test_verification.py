"""Verify proves a sound corpus green, and names every kind of damage by the promise it breaks."""

import itertools
from dataclasses import replace

import pytest

from seedcorn.config import recipe_from_dict
from seedcorn.core.entries import (
    Entry,
    GenerationFinished,
    GenerationStarted,
    Withdrawn,
    chain_hash,
    encode,
)
from seedcorn.core.errors import ObjectMissing, StoreError
from seedcorn.core.layout import SegmentName, log_key
from seedcorn.core.recipe import (
    EngineSpec,
    PromptSpec,
    Recipe,
    SimulatedSpec,
    SourceSpec,
    StoreSpec,
    UnitsSpec,
)
from seedcorn.core.simulation import simulate
from seedcorn.storage.log import read_log
from seedcorn.storage.memory_store import MemoryStore
from seedcorn.storage.opening import open_store
from seedcorn.storage.patience import Patience, Unanswered
from seedcorn.storage.samples import read_shard
from seedcorn.storage.verification import corpus_digest, verify
from seedcorn.storage.withdrawals import write_ids
from tests.damaging import batches, copy_of, reforge, reshard, texts_of
from tests.growing import grow_in_process

RECIPE = Recipe(
    name="verified",
    generations=2,
    samples=100,
    seed=[SourceSpec(path="seed.txt", name="docs", split="line")],
    prompts=[
        PromptSpec(name="tell", template="{{ parent }}"),
        PromptSpec(name="ask", template="?"),
    ],
    engine=EngineSpec(
        kind="simulated",
        simulated=SimulatedSpec(
            words=60,
            duplicate_rate=0.1,
            near_duplicate_rate=0.1,
            seed_copy_rate=0.05,
            rejection_rate=0.05,
            failure_rate=0.05,
        ),
    ),
    checks=[{"refusal": {}}],
    units=UnitsSpec(unit=8, batch=5),
)
NUMBERS = itertools.count()


def grown(folder, recipe, **limits):
    """A fresh memory store with the recipe's corpus in it."""
    lines = [simulate("seed", 0, i, SimulatedSpec(words=50), "").text for i in range(12)]
    (folder / "seed.txt").write_text("\n".join(lines), encoding="utf-8")
    uri = f"memory:verification-{next(NUMBERS)}"
    grow_in_process(recipe, uri, str(folder), **limits)
    return open_store(uri, StoreSpec())


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return grown(tmp_path_factory.mktemp("seed"), RECIPE)


@pytest.fixture
def store(sound):
    """A copy to damage."""
    return copy_of(sound, f"damaged-{next(NUMBERS)}")


def broken(store):
    """What is wrong first: (promise, message)."""
    report = verify(store, recipe_from_dict)
    assert report.broken is not None, report
    assert (report.ok, report.digest) == (False, "")
    return report.broken.promise, report.broken.text


def shard_keys(store, role="data"):
    return [ref.key for _, body in batches(store) for ref in getattr(body, role)]


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
    last = max(entry.sequence for entry in read_log(store))
    store.delete(log_key(last))
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
    tokens = body.tokens | {"generated": body.tokens["generated"] + 5}
    reforge(store, {sequence: replace(body, tokens=tokens)})
    promise, text = broken(store)
    assert promise == "P3"
    assert f"log entry {sequence}" in text
    assert "generated" in text


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
    sequence, _ = batches(store)[0]

    def excuse(rows):
        return [row | ({"reason": "other"} if row["outcome"] == "rejected" else {}) for row in rows]

    reshard(store, sequence, "dropped", excuse)
    assert broken(store)[0] == "P3"


@pytest.mark.parametrize("witness", ["0" * 32, "docs:12", "nowhere:0", ""])
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
    smuggle(store, [texts_of(store, batches(store)[0][1])[0].upper()])
    promise, text = broken(store)
    assert (promise, "same words" in text) == ("P8", True)


def test_verify_copy_of_a_seed_document_that_was_kept_breaks_p8(store, tmp_path):
    smuggle(store, [simulate("seed", 0, 3, SimulatedSpec(words=50), "").text])
    promise, text = broken(store)
    assert (promise, "docs:3" in text) == ("P8", True)


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
    assert promise == "sketches"
    assert f"log entry {sequence}" in text


def append(store, body):
    """One more entry by the last writer."""
    finished = list(read_log(store))[-1]
    assert isinstance(finished.body, GenerationFinished)
    last = store.get(log_key(finished.sequence))
    entry = Entry(finished.sequence + 1, finished.writer, chain_hash(last), 0.0, body)
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
