"""Segments and shards: every value comes back as it went, and damage is named."""

import json
from collections.abc import Sequence

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.engine import EngineInfo
from seedcorn.core.errors import CorruptCorpus, FormatError, ObjectMissing, StoreError
from seedcorn.core.log.entries import ObjectRef
from seedcorn.core.log.layout import ShardName, parse_segment, parse_shard
from seedcorn.core.sample import Draw, Outcome, Sample
from seedcorn.core.text.fingerprint import fingerprint_texts
from seedcorn.core.text.words import NEWEST
from seedcorn.storage.samples.samples import (
    DATA_SCHEMA,
    SEGMENT_SCHEMA,
    Lineage,
    fingerprints_of,
    read_segment,
    read_shard,
    segment_indices,
    segment_table,
    write_segment,
    write_shard,
)
from seedcorn.storage.stores.memory import MemoryStore

SAMPLING = {"temperature": 0.7, "stop": ["\n\n"]}
INFO = EngineInfo("simulated 1", "model", "rev", "chat", SAMPLING)
LINEAGE = Lineage(2, "fingerprint", INFO, {"diary": "h1", "naïve": "h2"})

TEXTS = st.text(max_size=40) | st.sampled_from(["", "\x00", "a\x00b", "\U0001f33d seed", "\r\n"])


@st.composite
def samples(draw) -> list[Sample]:
    indices = sorted(draw(st.sets(st.integers(0, 2**40), max_size=6)))
    return [
        Sample(
            draw=Draw(
                index=index,
                sample_id=f"{index:032x}",
                prompt=draw(st.sampled_from(["diary", "naïve"])),
                axes={"tone": draw(TEXTS)},
                parents=((0, index),),
                seed=draw(st.integers(0, 2**31 - 1)),
            ),
            outcome=draw(st.sampled_from([Outcome.CANDIDATE, Outcome.REJECTED, Outcome.FAILED])),
            text=draw(TEXTS),
            reasoning=draw(st.none() | TEXTS),
            reason=draw(TEXTS),
            detail=draw(TEXTS),
            parents=tuple(draw(st.lists(TEXTS, max_size=2))),
            prompt_tokens=draw(st.integers(0, 2**31 - 1)),
            completion_tokens=draw(st.integers(0, 2**31 - 1)),
            finish_reason=draw(TEXTS),
            checks=tuple(draw(st.lists(TEXTS, max_size=2))),
            neutralised=draw(st.integers(0, 9)),
            prompt=draw(st.none() | TEXTS),
        )
        for index in indices
    ]


def table_of(rows: list[Sample], seconds: Sequence[tuple[float, float]] = ()):
    texts = [row.text for row in rows if row.outcome is Outcome.CANDIDATE]
    return segment_table(rows, 3, LINEAGE, fingerprint_texts(texts, NEWEST), seconds)


@pytest.fixture
def store(tmp_path) -> MemoryStore:
    return MemoryStore(str(tmp_path))


@given(rows=samples(), data=st.data())
@settings(max_examples=25, deadline=None)
def test_segment_of_any_samples_comes_back_with_every_value(rows, data):
    store, count = MemoryStore("samples-roundtrip"), len(rows)
    pairs = st.tuples(st.floats(0, 1e9), st.floats(0, 1e9))
    seconds = data.draw(st.lists(pairs, min_size=count, max_size=count))

    key = write_segment(store, table_of(rows, seconds), 2, 3)
    table = read_segment(store, key)

    columns = (table[name].to_pylist() for name in ("engine_seconds", "in_flight_seconds"))
    assert list(zip(*columns, strict=True)) == seconds
    assert table.schema.equals(SEGMENT_SCHEMA, check_metadata=False)
    assert segment_indices(store, key) == [row.draw.index for row in rows]
    assert (parse_segment(key).generation, parse_segment(key).unit) == (2, 3)
    for stored, row in zip(table.to_pylist(), rows, strict=True):
        for name in ("text", "reasoning", "reason", "detail", "finish_reason", "prompt"):
            assert stored[name] == getattr(row, name), name
        for name in ("prompt_tokens", "completion_tokens", "neutralised"):
            assert stored[name] == getattr(row, name), name
        assert (stored["parents"], stored["checks"]) == (list(row.parents), list(row.checks))
        assert (stored["sample_id"], stored["seed"]) == (row.draw.sample_id, row.draw.seed)
        assert json.loads(stored["axes"]) == row.draw.axes
        assert json.loads(stored["sampling"]) == SAMPLING
        assert stored["template_hash"] == LINEAGE.templates[row.draw.prompt]
        assert (stored["outcome"], stored["generation"], stored["unit"]) == (row.outcome, 2, 3)
        assert (stored["keys"] is None) == (row.outcome is not Outcome.CANDIDATE)


@given(rows=samples())
@settings(max_examples=25, deadline=None)
def test_fingerprints_of_candidates_come_back_on_their_own_rows(rows):
    table, candidates = table_of(rows), [r for r in rows if r.outcome is Outcome.CANDIDATE]

    mask = [row.outcome is Outcome.CANDIDATE for row in rows]
    found = fingerprints_of(table.filter(np.array(mask, bool)))

    expected = fingerprint_texts([row.text for row in candidates], NEWEST)
    for name in ("keys", "signature", "text_hash", "words"):
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name


def sample(index: int, text: str, outcome=Outcome.CANDIDATE, **values) -> Sample:
    draw = Draw(index, f"{index:032x}", "diary", {}, (), 1)
    return Sample(draw, outcome, text=text, **values)


def test_lone_surrogates_are_stored_with_the_fingerprint_they_were_staged_with(store):
    bad = "half a pair \ud83c of corn"
    row = sample(0, bad, reasoning="\udc00", detail="\ud800", prompt="\ud800p")

    table = read_segment(store, write_segment(store, table_of([row]), 2, 3))

    (stored,) = table.to_pylist()
    assert stored["text"] == "half a pair ? of corn"
    assert (stored["reasoning"], stored["detail"], stored["prompt"]) == ("?", "?", "?p")
    again = fingerprint_texts([stored["text"]], NEWEST)
    assert np.array_equal(fingerprints_of(table).keys, again.keys)


def hashes(*rows: Sample) -> list[int]:
    return table_of(list(rows))["content_hash"].to_pylist()


def test_content_hash_depends_on_outcome_and_texts_and_not_on_place_or_cost():
    base = sample(0, "corn", reasoning="why")
    same = sample(9, "corn", reasoning="why", completion_tokens=5, detail="slow")
    others = [
        sample(0, "corn"),
        sample(0, "maize", reasoning="why"),
        sample(0, "corn", Outcome.REJECTED, reasoning="why"),
        sample(0, "corn", Outcome.FAILED, reasoning="why", reason="r"),
        sample(0, "cornw", reasoning="hy"),
    ]

    assert hashes(base) == hashes(same)
    assert len({*hashes(base, *others)}) == 1 + len(others)


def test_segment_that_is_gone_covers_nothing_but_cannot_be_read(store):
    key = write_segment(store, table_of([sample(0, "a")]), 2, 3)
    store.delete(key)

    assert segment_indices(store, key) == []
    with pytest.raises(ObjectMissing):
        read_segment(store, key)


def test_segment_of_another_version_is_refused_by_the_column_it_lacks(store):
    table = table_of([sample(0, "a")]).drop_columns(["engine_seconds"])
    key = write_segment(store, table, 2, 3)

    with pytest.raises(FormatError, match=f"{key} was staged by another.*no engine_seconds"):
        read_segment(store, key)


def test_segment_staged_before_time_in_flight_was_kept_is_read_with_its_shares(store):
    table = table_of([sample(0, "a"), sample(1, "b")], [(1.0, 9.0), (2.0, 9.0)])
    key = write_segment(store, table.drop_columns(["in_flight_seconds"]), 2, 3)

    assert read_segment(store, key)["in_flight_seconds"].to_pylist() == [1.0, 2.0]


def test_fingerprints_of_a_slice_are_those_of_its_rows():
    texts = [f"text number {n}" for n in range(5)]
    table = table_of([sample(n, text) for n, text in enumerate(texts)])

    found = fingerprints_of(table.slice(2, 2))

    expected = fingerprint_texts(texts[2:4], NEWEST)
    assert np.array_equal(found.keys, expected.keys)
    assert np.array_equal(found.signature, expected.signature)


@pytest.mark.parametrize("cut", [1, 500])
def test_damaged_segment_is_named_and_says_what_to_do(store, cut):
    key = write_segment(store, table_of([sample(0, "a"), sample(1, "b")]), 2, 3)
    data = store.get(key)
    store.put(key, data[:cut] + bytes([data[cut] ^ 1]) + data[cut + 1 :])

    with pytest.raises(CorruptCorpus, match=f"{key} is damaged.*delete it"):
        read_segment(store, key)


@pytest.fixture
def shard(store) -> ObjectRef:
    table = table_of([sample(i, f"text {i}") for i in range(3)]).select(DATA_SCHEMA.names)
    return write_shard(store, table, ShardName("data", 2, 3, 4, ""))


def test_shard_is_named_after_its_bytes_and_read_in_columns(store, shard):
    name = parse_shard(shard.key)

    assert shard.rows == 3
    assert shard.bytes == len(store.get(shard.key))
    assert (name.first_unit, name.last_unit) == (3, 4)
    assert shard.sha256.startswith(name.sha16)
    assert read_shard(store, shard, ["text"]).to_pydict() == {
        "text": ["text 0", "text 1", "text 2"]
    }


def test_shard_with_other_bytes_or_rows_than_the_log_says_is_refused(store, shard):
    wrong_rows = ObjectRef(shard.key, shard.bytes, shard.sha256, 4)
    with pytest.raises(CorruptCorpus, match=f"{shard.key} holds 3 rows, the log says 4"):
        read_shard(store, wrong_rows)
    store.put(shard.key, store.get(shard.key) + b"x")
    with pytest.raises(CorruptCorpus, match=f"{shard.key} does not have the sha256"):
        read_shard(store, shard)


def test_failed_upload_is_raised_and_leaves_no_reference(store):
    def refuse(when: str, operation: str, key: str) -> None:
        if operation == "put":
            raise StoreError("disk full")

    broken = MemoryStore(store.uri.removeprefix("memory:"), refuse)
    with pytest.raises(StoreError, match="disk full"):
        write_segment(broken, table_of([sample(0, "a")]), 2, 3)
    assert list(store.list("staging/")) == []


def test_plain_parquet_readers_see_the_types(store, shard):
    table = pq.read_table(store.open(shard.key))

    assert table.schema.equals(DATA_SCHEMA, check_metadata=False)
