"""The index against a plain dict: whatever the order, the growth and the number of parts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.dedup.index import (
    KEYS_PER_DOCUMENT,
    ORDINALS,
    Index,
    memory_bytes,
    owners,
    reduced,
)

SETTINGS = settings(max_examples=12, deadline=None)


def random_keys(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, count, dtype=np.uint64)


def filled(keys: np.ndarray, ordinals: np.ndarray, parts: int, batch: int) -> list[Index]:
    indexes = [Index(part, parts) for part in range(parts)]
    for start in range(0, keys.size, batch):
        some, theirs = keys[start : start + batch], ordinals[start : start + batch]
        owner = owners(some, parts)
        for part in range(parts):
            indexes[part].insert(some[owner == part], theirs[owner == part])
    return indexes


def asked(indexes: list[Index], keys: np.ndarray) -> np.ndarray:
    owner, answers = owners(keys, len(indexes)), np.full(keys.size, -2, np.int64)
    for part, index in enumerate(indexes):
        answers[owner == part] = index.lookup(keys[owner == part])
    return answers


def joined(indexes: list[Index]) -> dict[str, np.ndarray]:
    snapshots = [index.snapshot() for index in indexes]
    return {name: np.concatenate([s[name] for s in snapshots]) for name in ("keys", "ordinals")}


@given(
    seed=st.integers(0, 2**32),
    count=st.integers(1, 3000),
    parts=st.sampled_from([1, 2, 3, 7]),
    batch=st.integers(1, 4000),
)
@SETTINGS
def test_index_any_order_parts_and_batches_answers_like_a_dict(seed, count, parts, batch):
    rng = np.random.default_rng(seed)
    pool = random_keys(seed, max(1, count // 2))
    keys = rng.choice(pool, count)
    ordinals = rng.integers(0, ORDINALS, count)
    truth: dict[int, int] = {}
    for key, ordinal in zip(keys.tolist(), ordinals.tolist(), strict=True):
        truth[key >> 12] = min(ordinal, truth.get(key >> 12, ORDINALS))
    questions = np.concatenate([pool, random_keys(seed + 1, 200)])
    expected = [truth.get(key >> 12, -1) for key in questions.tolist()]

    indexes = filled(keys, ordinals, parts, batch)

    assert asked(indexes, questions).tolist() == expected
    assert sum(index.keys for index in indexes) == len(truth)


@given(seed=st.integers(0, 2**32), made=st.integers(1, 5), wanted=st.integers(1, 5))
@SETTINGS
def test_snapshot_restored_into_other_parts_answers_the_same(seed, made, wanted):
    keys, ordinals = random_keys(seed, 1000), np.arange(1000)
    indexes = filled(keys, ordinals, made, 300)

    restored = [Index(part, wanted) for part in range(wanted)]
    for index in restored:
        index.fill(joined(indexes))

    assert asked(restored, keys).tolist() == ordinals.tolist()
    assert max(index.documents for index in restored) == 1000


@given(seed=st.integers(0, 2**32), batch=st.integers(1, 2000))
@SETTINGS
def test_snapshot_of_equal_sets_is_equal_bytes(seed, batch):
    keys, ordinals = random_keys(seed, 2000), np.arange(2000)
    order = np.random.default_rng(seed).permutation(2000)
    direct, shuffled = Index(), Index()
    direct.reserve(5000)
    direct.insert(keys, ordinals)
    for start in range(0, 2000, batch):
        some = order[start : start + batch]
        shuffled.insert(keys[some], ordinals[some])
        shuffled.insert(keys[some], ordinals[some] + 1)

    first, second = direct.snapshot(), shuffled.snapshot()

    assert direct.nbytes != shuffled.nbytes
    assert np.all(first["keys"][1:] > first["keys"][:-1])
    assert first["keys"].tobytes() == second["keys"].tobytes()
    assert first["ordinals"].tobytes() == second["ordinals"].tobytes()


def test_lookup_of_keys_equal_in_their_top_52_bits_finds_one_another():
    index = Index()
    keys = np.array([0xABCDEF0123456_000, 0xABCDEF0123457_000], np.uint64)
    index.insert(keys[:1], np.array([7]))

    assert index.lookup(keys | np.uint64(0xFFF)).tolist() == [7, -1]
    assert reduced(keys | np.uint64(0xFFF)).tolist() == keys.tolist()


def test_extreme_keys_and_ordinals_are_stored_exactly():
    index = Index()
    keys = np.array([0, 2**12, 2**52 - 2**12, 2**64 - 2**12, 2**64 - 1], np.uint64)
    ordinals = np.array([0, ORDINALS - 1, 2**24 - 1, 2**24 - 2, 2**24])
    index.insert(keys, ordinals)

    assert index.lookup(keys).tolist() == [0, ORDINALS - 1, 2**24 - 1, 2**24 - 2, 2**24 - 2]


def test_crowded_partition_wraps_and_grows_without_losing_keys():
    tail = np.uint64(2**52 - 2**12)
    keys = tail - (np.arange(500, dtype=np.uint64) << np.uint64(12))
    index = Index(0, 4096)
    index.insert(keys, np.arange(500))

    assert index.lookup(keys).tolist() == list(range(500))
    assert index.snapshot()["keys"].tolist() == sorted(keys.tolist())


def test_insert_of_ordinal_out_of_range_stores_nothing():
    index = Index()
    keys = random_keys(1, 2)

    for wrong in (-1, ORDINALS):
        with pytest.raises(ValueError, match=str(wrong)):
            index.insert(keys, np.array([3, wrong]))
    assert index.lookup(keys).tolist() == [-1, -1]


def test_lookup_of_another_parts_key_is_refused():
    keys = random_keys(2, 100)
    with pytest.raises(ValueError, match="owners"):
        Index(1, 2).lookup(keys)


@pytest.mark.parametrize(("part", "parts"), [(-1, 1), (2, 2), (0, 4097)])
def test_index_impossible_part_is_refused(part, parts):
    with pytest.raises(ValueError, match="part"):
        Index(part, parts)


@pytest.mark.parametrize("documents", [10, 3000])
def test_reserve_for_documents_needs_no_growth_and_the_promised_memory(documents):
    index = Index()
    index.reserve(documents)
    prepared = index.nbytes
    keys = random_keys(3, documents * KEYS_PER_DOCUMENT)
    index.insert(keys, np.repeat(np.arange(documents), KEYS_PER_DOCUMENT))

    assert index.nbytes == prepared == memory_bytes(documents)
    assert index.documents == documents


def test_memory_of_a_billion_documents_is_as_documented():
    assert memory_bytes(10**9) == pytest.approx(213e9, rel=0.01)


@given(seed=st.integers(0, 2**32), parts=st.integers(1, 4096))
@SETTINGS
def test_owners_any_parts_are_contiguous_ranges_the_index_accepts(seed, parts):
    keys = np.sort(random_keys(seed, 50))
    owner = owners(keys, parts)

    assert np.all(np.diff(owner) >= 0)
    assert Index(int(owner[0]), parts).lookup(keys[:1]).tolist() == [-1]
    assert Index(int(owner[-1]), parts).lookup(keys[-1:]).tolist() == [-1]
