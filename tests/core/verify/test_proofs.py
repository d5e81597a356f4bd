"""The pure proofs: honest batches pass, and any single lie about a batch is found."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.dedup.sealing import tally
from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.identity import sample_id
from seedcorn.core.log.entries import BatchCommitted, Entry, Measurement, ObjectRef, WriterOpened
from seedcorn.core.log.state import CorpusState, GenerationState, Source
from seedcorn.core.verify.proofs import (
    BatchRows,
    CorpusDigest,
    Terms,
    check_counts,
    check_ids,
    check_names,
    check_shards,
    check_unknown_objects,
    check_writers,
)

TERMS = Terms("recipe", samples=11, unit=4, strata=["tell", "ask"])
REASONS = {"accepted": "", "duplicate": "near:seed", "rejected": "length", "failed": "engine_error"}
SOURCE = Source("seed", "docs", 0, 3, {}, 1)


def rows_of(outcomes, first=0, generation=1):
    """Rows with these outcomes from plan index `first` on."""
    indices = range(first, first + len(outcomes))
    return BatchRows(
        sample_id=[sample_id("recipe", generation, index) for index in indices],
        generation=[generation] * len(outcomes),
        index=list(indices),
        unit=[index // TERMS.unit for index in indices],
        stratum=[TERMS.strata[index % 2] for index in indices],
        recipe=["recipe"] * len(outcomes),
        parents=[["docs:0"]] * len(outcomes),
        prompt_tokens=[3] * len(outcomes),
        completion_tokens=[10 + index for index in indices],
        outcome=list(outcomes),
        reason=[REASONS[outcome] for outcome in outcomes],
        duplicate_of=["docs:2" if outcome == "duplicate" else "" for outcome in outcomes],
        text=[f"text {index}" for index in indices],
        reasoning=[None] * len(outcomes),
    )


def entry_of(rows):
    """The entry that commits these rows as batch 0."""
    counts, reasons, strata = tally(rows.outcome, rows.reason, rows.stratum, rows.completion_tokens)
    accepted = [
        tokens
        for outcome, tokens in zip(rows.outcome, rows.completion_tokens, strict=True)
        if outcome == "accepted"
    ]
    return BatchCommitted(
        generation=rows.generation[0],
        batch=0,
        first_unit=rows.unit[0],
        last_unit=rows.unit[-1],
        first_index=rows.index[0],
        last_index=rows.index[-1],
        ordinal=0,
        counts=counts,
        reasons=reasons,
        strata=strata,
        tokens={
            "accepted": sum(accepted),
            "generated": sum(rows.completion_tokens),
            "prompt": sum(rows.prompt_tokens),
        },
        data=[],
        dropped=[],
        sketch=None,
        sketch_rate=1.0,
        engine_seconds=1.0,
    )


def changed(rows, column, position, value):
    values = list(getattr(rows, column))
    values[position] = value
    return replace(rows, **{column: values})


OUTCOMES = st.lists(st.sampled_from(sorted(REASONS)), min_size=11, max_size=11)


@settings(max_examples=30)
@given(OUTCOMES)
def test_honest_batch_passes_every_proof(outcomes):
    rows = rows_of(outcomes)
    batch = entry_of(rows)
    check_ids(rows, batch, 5, TERMS)
    check_counts(rows, batch, 5, TERMS)


@settings(max_examples=50)
@given(OUTCOMES, st.integers(0, 10), st.sampled_from(sorted(REASONS)))
def test_other_outcome_of_any_row_contradicts_the_entry(outcomes, position, outcome):
    rows = rows_of(outcomes)
    if outcomes[position] == outcome:
        return
    other = changed(changed(rows, "outcome", position, outcome), "reason", position, "other")
    with pytest.raises(CorruptCorpus, match="log entry 5 does not balance"):
        check_counts(other, entry_of(rows), 5, TERMS)


@pytest.mark.parametrize("column", ["completion_tokens", "prompt_tokens", "stratum", "unit"])
def test_other_value_in_one_row_contradicts_the_entry(column):
    rows = rows_of(["accepted"] * 11)
    with pytest.raises(CorruptCorpus, match="does not balance"):
        check_counts(
            changed(rows, column, 3, {"stratum": "tell"}.get(column, 99)), entry_of(rows), 5, TERMS
        )


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("index", 4, "index 4 has 2 rows"),
        ("index", 70, "index 70 is in the batch's shards, but not in the batch"),
        ("sample_id", "0" * 32, "not the id"),
        ("generation", 2, "says generation, unit, recipe"),
        ("unit", 2, "says generation, unit, recipe"),
        ("recipe", "another", "says generation, unit, recipe"),
    ],
)
def test_row_under_another_name_is_found(column, value, told):
    rows = rows_of(["accepted"] * 11)
    with pytest.raises(CorruptCorpus, match=told):
        check_ids(changed(rows, column, 3, value), entry_of(rows), 5, TERMS)


def test_missing_row_is_found():
    rows = rows_of(["accepted"] * 11)
    with pytest.raises(CorruptCorpus, match="index 10 of the batch has no row"):
        check_ids(rows_of(["accepted"] * 10), entry_of(rows), 5, TERMS)


@settings(max_examples=30)
@given(OUTCOMES, st.integers(0, 11))
def test_digest_does_not_see_where_batches_end(outcomes, cut):
    whole, parts = CorpusDigest(), CorpusDigest()
    whole.add(rows_of(outcomes))
    for part in (rows_of(outcomes[:cut]), rows_of(outcomes[cut:], first=cut)):
        parts.add(part)
    assert whole.hexdigest() == parts.hexdigest()


@pytest.mark.parametrize(
    "column", ["sample_id", "outcome", "text", "reasoning", "reason", "duplicate_of", "index"]
)
def test_digest_sees_every_column_that_counts(column):
    rows = rows_of(["accepted", "failed"])
    other = changed(rows, column, 1, 7 if column == "index" else "changed")
    digests = [CorpusDigest(), CorpusDigest()]
    digests[0].add(rows)
    digests[1].add(other)
    assert digests[0].hexdigest() != digests[1].hexdigest()


def test_digest_does_not_see_what_was_measured_or_how_it_was_cut():
    rows = rows_of(["accepted", "failed"])
    other = changed(changed(rows, "unit", 1, 9), "prompt_tokens", 0, 1)
    digests = [CorpusDigest(), CorpusDigest()]
    digests[0].add(rows)
    digests[1].add(other)
    assert digests[0].hexdigest() == digests[1].hexdigest()


def test_writers_take_turns_and_none_comes_back():
    opened, note = WriterOpened("host", 1, "0"), Measurement("note", {}, {})
    turns = [("a", opened), ("a", note), ("b", opened), ("b", note)]
    entries = [Entry(n, writer, "", 0.0, body) for n, (writer, body) in enumerate(turns)]
    assert check_writers(entries) == 2
    with pytest.raises(CorruptCorpus, match="log entry 4"):
        check_writers([*entries, Entry(4, "a", "", 0.0, note)])
    with pytest.raises(CorruptCorpus, match="log entry 0"):
        check_writers([Entry(0, "a", "", 0.0, note)])


def ref(role="data", generation=1, units=(0, 2), sha="ab" * 32):
    first, last = units
    name = f"{role}/gen-{generation:04d}/part-{first:08d}-{last:08d}-{sha[:16]}.parquet"
    return ObjectRef(name, 9, sha, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        ref(role="dropped"),
        ref(generation=2),
        ref(units=(0, 3)),
        replace(ref(), sha256="cd" * 32),
        replace(ref(), key="data/gen-0001/part-of-something.parquet"),
    ],
)
def test_shard_name_that_lies_is_found(wrong):
    batch = entry_of(rows_of(["accepted"] * 11))
    check_names(replace(batch, data=[ref()], dropped=[ref(role="dropped")]), 5)
    with pytest.raises(CorruptCorpus):
        check_names(replace(batch, data=[wrong]), 5)


def test_sketch_name_that_lies_is_found():
    batch = entry_of(rows_of(["accepted"] * 11))
    sketch = ObjectRef(f"sketches/{'ab' * 8}.parquet", 9, "ab" * 32)
    check_names(replace(batch, sketch=sketch), 5)
    with pytest.raises(CorruptCorpus, match="not named after its sha256"):
        check_names(replace(batch, sketch=replace(sketch, sha256="cd" * 32)), 5)


def state_with(finished="", **refs):
    generation = GenerationState(1, {}, "recipe", 0, units=3, finished=finished, **refs)
    return CorpusState(generations={1: generation})


def test_listing_must_hold_every_shard_once_with_its_size():
    state = state_with(shards=[ref()])
    check_shards(state, {ref().key: 9})
    for listed, told in (({}, "is missing"), ({ref().key: 8}, "has 8 bytes")):
        with pytest.raises(CorruptCorpus, match=told):
            check_shards(state, listed)
    with pytest.raises(CorruptCorpus, match="twice"):
        check_shards(state_with(shards=[ref(), ref()]), {ref().key: 9})


def test_stranger_is_a_fault_in_a_finished_generation_and_a_note_elsewhere():
    stray = ref(units=(0, 0), sha="ef" * 32).key
    assert check_unknown_objects(state_with("exhausted", shards=[ref()]), [ref().key]) == []
    with pytest.raises(CorruptCorpus, match="plain readers"):
        check_unknown_objects(state_with("exhausted", shards=[ref()]), [ref().key, stray])
    [note] = check_unknown_objects(state_with(shards=[ref()]), [ref().key, stray])
    assert "gc would delete" in note
    staged = "staging/gen-0001/unit-00000003-" + "0" * 16 + ".parquet"
    assert check_unknown_objects(state_with(shards=[ref()]), [ref().key, staged]) == []
    [note] = check_unknown_objects(state_with(), ["data/gen-0009/part-x.parquet"])
    assert "seedcorn did not write" in note
