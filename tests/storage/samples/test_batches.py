"""A batch between segments and shards: one row per index, every row in exactly one shard (P1, P3)."""

from itertools import count, pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.engine import EngineInfo
from seedcorn.core.errors import CorruptCorpus, ObjectMissing
from seedcorn.core.log.layout import ShardName
from seedcorn.core.sample import Draw, Outcome, Sample
from seedcorn.core.text.fingerprint import fingerprint_texts
from seedcorn.core.text.words import NEWEST
from seedcorn.storage.samples.batches import read_batch, texts_view, write_accepted, write_dropped
from seedcorn.storage.samples.samples import Lineage, read_shard, segment_table, write_segment
from seedcorn.storage.stores.memory import MemoryStore

LINEAGE = Lineage(1, "fingerprint", EngineInfo("e", "m"), {"p": "h"})
FRESH = count()


@pytest.fixture
def store(tmp_path) -> MemoryStore:
    return MemoryStore(str(tmp_path))


def segment(store, texts: dict[int, str], seconds: float = 1.0) -> str:
    """Candidates by index; an empty text is a rejected sample."""
    rows = [
        Sample(
            Draw(index, f"{index:032x}", "p", {}, (), 1),
            Outcome.CANDIDATE if text else Outcome.REJECTED,
            text=text,
            prompt_tokens=2,
            completion_tokens=7,
        )
        for index, text in texts.items()
    ]
    prints = fingerprint_texts([text for text in texts.values() if text], NEWEST)
    each = [(seconds, 3 * seconds)] * len(rows)
    return write_segment(store, segment_table(rows, 0, LINEAGE, prints, each), 1, 0)


PIECES = st.lists(
    st.dictionaries(st.integers(0, 5), st.sampled_from(["", "a", "b", "c c"]), max_size=6),
    min_size=1,
    max_size=4,
)


@given(pieces=PIECES, data=st.data())
@settings(max_examples=20, deadline=None)
def test_batch_is_the_same_whatever_the_order_and_repetition_of_its_segments(pieces, data):
    store = MemoryStore(f"batches-{next(FRESH)}")
    pieces = [*pieces, dict.fromkeys(range(6), "z")]
    keys = [segment(store, piece, n + 1.0) for n, piece in enumerate(pieces)]
    again = data.draw(st.permutations(keys + data.draw(st.lists(st.sampled_from(keys)))))

    table, lost = read_batch(store, keys, 0, 5)
    shuffled, cost = read_batch(store, again, 0, 5)

    assert table["index"].to_pylist() == list(range(6))
    assert table.equals(shuffled)
    assert lost == cost
    paid = sum((n + 1.0) * len(piece) for n, piece in enumerate(pieces))
    assert sum(table["engine_seconds"].to_pylist()) + lost.seconds == paid
    assert sum(table["in_flight_seconds"].to_pylist()) + lost.in_flight.get("p", 0.0) == 3 * paid
    written = sum(map(len, pieces))
    assert sum(table["completion_tokens"].to_pylist()) + lost.tokens == 7 * written
    assert sum(table["prompt_tokens"].to_pylist()) + lost.prompt_tokens == 2 * written
    for index, text in enumerate(table["text"].to_pylist()):
        assert text in {piece[index] for piece in pieces if index in piece}


def test_batch_with_an_index_in_no_segment_is_refused(store):
    key = segment(store, {0: "a", 2: "c"})

    with pytest.raises(CorruptCorpus, match=r"\[1, 3\]"):
        read_batch(store, [key], 0, 3)


def test_batch_without_segments_is_refused_not_empty(store):
    with pytest.raises(CorruptCorpus, match=r"\[0, 1\]"):
        read_batch(store, [], 0, 1)


def test_batch_whose_segment_is_gone_is_an_error(store):
    keys = [segment(store, {0: "a"}), segment(store, {1: "b"})]
    store.delete(keys[1])

    with pytest.raises(ObjectMissing):
        read_batch(store, keys, 0, 1)


UNICODE = st.lists(
    st.text(max_size=6) | st.sampled_from(["", "\x00", "é", "\U0001f33d"]), max_size=8
)


@given(texts=UNICODE, start=st.integers(0, 4), chunked=st.booleans())
@settings(max_examples=80, deadline=None)
def test_texts_view_of_any_slice_holds_exactly_the_texts(texts, start, chunked):
    start = min(start, len(texts))
    array = pa.array(texts, pa.string())[start:]
    column = pa.chunked_array([array[:2], array[2:]]) if chunked else array

    data, offsets = texts_view(column)

    pairs = pairwise(offsets)
    assert [data[a:b].tobytes().decode() for a, b in pairs] == texts[start:]


def test_texts_view_of_no_chunks_is_empty():
    _, offsets = texts_view(pa.chunked_array([], pa.string()))

    assert offsets.tolist() == [0]


OUTCOMES = st.lists(
    st.sampled_from(["accepted", "duplicate", "rejected", "failed"]), min_size=1, max_size=8
)


@given(outcomes=OUTCOMES)
@settings(max_examples=20, deadline=None)
def test_every_row_lies_in_exactly_one_shard_with_its_verdict(outcomes):
    store, many = MemoryStore(f"batches-{next(FRESH)}"), len(outcomes)
    texts = {
        i: f"text {i}" if outcomes[i] in ("accepted", "duplicate") else "" for i in range(many)
    }
    table, _ = read_batch(store, [segment(store, texts)], 0, many - 1)
    kept = np.array([outcome == "accepted" for outcome in outcomes])
    duplicate = [outcome == "duplicate" for outcome in outcomes]
    columns = {
        "outcome": list(outcomes),
        "reason": [f"because {i}" for i in range(many)],
        "detail": [None if keep else "" for keep in kept],
        "duplicate_of": ["seed:4" if d else None for d in duplicate],
        "similarity": [0.75 if d else None for d in duplicate],
    }

    data = write_accepted(store, table, kept, ShardName("data", 1, 0, 0, ""))
    dropped = write_dropped(store, table, columns, ShardName("dropped", 1, 0, 0, ""))

    accepted = [row for ref in data for row in read_shard(store, ref).to_pylist()]
    others = [row for ref in dropped for row in read_shard(store, ref).to_pylist()]
    assert [row["index"] for row in accepted] == np.flatnonzero(kept).tolist()
    assert [row["index"] for row in others] == np.flatnonzero(~kept).tolist()
    assert len(data) == kept.any()
    assert len(dropped) == (~kept).any()
    assert all(row["text"] == texts[row["index"]] for row in accepted + others)
    for row in others:
        assert row["outcome"] == outcomes[row["index"]]
        assert row["reason"] == f"because {row['index']}"
        known = (row["duplicate_of"], row["similarity"])
        assert known == (("seed:4", 0.75) if duplicate[row["index"]] else (None, None))
