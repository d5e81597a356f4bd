"""Sketch files come back as they were, or not at all."""

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from seedcorn.core.errors import CorruptCorpus, FormatError, ObjectMissing
from seedcorn.core.sketch.sketch import COLUMNS, LENGTHS, Delta, batch_delta, limit, thin
from seedcorn.core.text.fingerprint import Shingles
from seedcorn.storage.log import sketches
from seedcorn.storage.log.sketches import read_delta, write_delta
from seedcorn.storage.stores.memory import MemoryStore


@pytest.fixture
def store(request):
    return MemoryStore(request.node.name)


def some_delta(documents: int = 40, words: int = 100) -> Delta:
    random = np.random.default_rng(3)
    shingles = {}
    for length in LENGTHS:
        hashes = np.sort(random.integers(0, 2**64, (documents, words), dtype=np.uint64), axis=1)
        shingles[length] = Shingles(hashes.ravel(), np.arange(documents + 1) * words)
    accepted = random.random(documents) < 0.7
    stratum = random.integers(0, 3, documents).astype(np.uint8)
    return batch_delta(shingles, accepted, np.ones(documents, bool), stratum)


def same(left: Delta, right: Delta) -> bool:
    columns = all(np.array_equal(getattr(left, n), getattr(right, n)) for n in COLUMNS)
    return columns and left.rate == right.rate


def test_write_delta_read_back_is_equal(store):
    delta = some_delta()
    ref = write_delta(store, delta, 1.0)
    found = read_delta(store, ref)
    assert same(found, delta)
    assert [getattr(found, n).dtype for n in COLUMNS] == [getattr(delta, n).dtype for n in COLUMNS]
    assert ref.rows == len(delta)
    assert ref.key == f"sketches/{ref.sha256[:16]}.parquet"


def test_write_delta_without_rows_read_back_is_equal(store):
    empty = thin(some_delta(1, 1), 2**-60)
    assert same(read_delta(store, write_delta(store, empty, 1.0)), empty)


def test_write_delta_at_a_lower_rate_keeps_the_sample_and_says_so(store):
    found = read_delta(store, write_delta(store, some_delta(), 0.25))
    assert same(found, thin(some_delta(), 0.25))
    assert found.rate == 0.25
    assert 0 < int(found.hash.max()) < limit(0.25)


def test_write_delta_twice_is_one_object(store):
    first, again = (write_delta(store, some_delta(), 1.0) for _ in range(2))
    assert first == again
    assert [info.key for info in store.list("sketches/")] == [first.key]


def test_write_delta_sorted_hashes_take_less_than_plain_columns(store):
    delta = some_delta(400)
    assert write_delta(store, delta, 1.0).bytes < 0.5 * len(delta) * (8 + 3 * 4 + 2)


def test_read_delta_flipped_byte_is_refused_by_name(store):
    ref = write_delta(store, some_delta(), 1.0)
    data = bytearray(store.get(ref.key))
    data[len(data) // 2] ^= 1
    store.put(ref.key, bytes(data))
    with pytest.raises(CorruptCorpus, match=ref.key):
        read_delta(store, ref)


def test_read_delta_other_row_count_than_the_log_is_refused_by_name(store):
    ref = write_delta(store, some_delta(), 1.0)
    with pytest.raises(CorruptCorpus, match=f"{ref.key} holds {ref.rows} rows"):
        read_delta(store, replace(ref, rows=ref.rows + 1))


def test_read_delta_missing_object_is_named(store):
    ref = write_delta(store, some_delta(), 1.0)
    store.delete(ref.key)
    with pytest.raises(ObjectMissing, match=ref.key):
        read_delta(store, ref)


def test_read_delta_of_another_format_version_is_refused_by_name(store, monkeypatch):
    versions = {b"seedcorn_sketch": 2, b"seedcorn_fingerprint": 1}
    monkeypatch.setattr(sketches, "_VERSIONS", versions)
    ref = write_delta(store, some_delta(), 1.0)
    monkeypatch.undo()
    with pytest.raises(FormatError, match="seedcorn_sketch version 2, this seedcorn reads 1"):
        read_delta(store, ref)


def test_write_delta_file_uses_the_delta_encoding_for_hashes(store):
    ref = write_delta(store, some_delta(), 1.0)
    group = pq.ParquetFile(store.open(ref.key)).metadata.row_group(0)
    encodings = {group.column(i).path_in_schema: group.column(i) for i in range(len(COLUMNS))}
    assert "DELTA_BINARY_PACKED" in encodings["hash"].encodings
    assert encodings["hash"].compression == "ZSTD"
