"""What ordinals stand for: found again after growth, restarts and resharding, never changed."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.dedup.witnesses import Witnesses, memory_bytes, witness_owner
from seedcorn.core.errors import CorruptCorpus

BLOCK = 2**16


def documents(first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([first, count])
    return rng.integers(0, 256, (count, 64), dtype=np.uint8), rng.integers(
        0, 2**64, count, dtype=np.uint64
    )


@given(
    parts=st.integers(1, 4),
    wanted=st.integers(1, 4),
    first=st.integers(0, 5 * BLOCK),
    cuts=st.lists(st.integers(1, 399), max_size=4),
)
@settings(max_examples=15, deadline=None)
def test_witnesses_put_in_pieces_and_resharded_come_back(parts, wanted, first, cuts):
    signatures, tags = documents(first, 400)
    held = [Witnesses(part, parts) for part in range(parts)]
    edges = [0, *sorted(set(cuts)), 400]
    for start, end in itertools.pairwise(edges):
        for witnesses in held:
            witnesses.put(first + start, signatures[start:end], tags[start:end])
    snapshots = [witnesses.snapshot() for witnesses in held]
    joined = {name: np.concatenate([s[name] for s in snapshots]) for name in snapshots[0]}

    restored = [Witnesses.restore(joined, part, wanted) for part in range(wanted)]

    ordinals = np.arange(first, first + 400)
    for part, witnesses in enumerate(restored):
        mine = witness_owner(ordinals, wanted) == part
        found = witnesses.get(ordinals[mine][::-1])
        assert np.array_equal(found[0], signatures[mine][::-1])
        assert np.array_equal(found[1], tags[mine][::-1])
    assert sum(witnesses.documents for witnesses in restored) == 400


def test_put_again_is_idempotent_and_another_document_is_refused():
    signatures, tags = documents(0, 10)
    witnesses = Witnesses()
    witnesses.put(0, signatures, tags)
    witnesses.put(0, signatures, tags)
    other = tags.copy()
    other[4] += np.uint64(1)

    with pytest.raises(CorruptCorpus, match=r"ordinal 4 .*rebuild"):
        witnesses.put(0, signatures, other)
    assert np.array_equal(witnesses.get(np.arange(10))[1], tags)


@pytest.mark.parametrize("missing", [-1, 10, 1023, 10**6, BLOCK])
def test_get_of_missing_ordinal_raises_naming_it(missing):
    witnesses = Witnesses(0, 2)
    witnesses.put(0, *documents(0, 10))

    with pytest.raises(CorruptCorpus, match=f"ordinal {missing} "):
        witnesses.get(np.array([3, missing]))


def test_get_of_a_hole_between_puts_raises():
    witnesses = Witnesses()
    witnesses.put(5, *documents(5, 3))

    with pytest.raises(CorruptCorpus, match="ordinal 4 "):
        witnesses.get(np.array([5, 4]))
    assert witnesses.snapshot()["ordinals"].tolist() == [5, 6, 7]


def test_put_of_ill_shaped_signatures_is_refused():
    with pytest.raises(ValueError, match="signatures"):
        Witnesses().put(0, np.zeros((3, 32), np.uint8), np.zeros(3, np.uint64))


def test_memory_of_documents_covers_what_is_allocated_after_growth():
    witnesses = Witnesses()
    witnesses.put(0, *documents(0, 2048))

    assert witnesses.nbytes == memory_bytes(2048)
