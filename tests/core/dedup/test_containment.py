"""Containment against plain sets: the same sums however documents are divided into batches."""

from itertools import pairwise

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seedcorn.core.dedup.containment import Containment

VALUES = st.integers(0, 40).map(lambda n: n * 8) | st.integers(0, 2**64 - 1)
"""Every second small value is in the sample, and zero, which marks a free slot."""
DOCUMENTS = st.lists(st.sets(VALUES, max_size=8), max_size=12)


def packed(documents) -> tuple[np.ndarray, np.ndarray]:
    hashes = np.array([v for document in documents for v in sorted(document)], np.uint64)
    return hashes, np.cumsum([0, *map(len, documents)]).astype(np.int64)


def by_sets(documents) -> tuple[dict[str, float], set[int]]:
    known: set[int] = set()
    sums = dict.fromkeys(("shingles", "seen", "documents", "half"), 0.0)
    for document in documents:
        sampled = {v for v in document if v % 16 == 0 and v}
        if sampled:
            seen = len(sampled & known)
            sums["shingles"] += len(sampled)
            sums["seen"] += seen
            sums["documents"] += 1
            sums["half"] += 2 * seen >= len(sampled)
        known |= sampled
    return sums, known


@given(documents=DOCUMENTS, cuts=st.lists(st.integers(0, 12), max_size=4), restart=st.booleans())
@example(documents=[{16, 32}, {16, 48}, set()], cuts=[1], restart=True)
@settings(max_examples=25, deadline=None)
def test_measure_any_division_and_restart_equals_plain_sets(documents, cuts, restart):
    containment, totals = Containment(), Counter4()
    edges = [0, *sorted(min(cut, len(documents)) for cut in cuts), len(documents)]

    for start, end in pairwise(edges):
        totals.add(containment.measure(*packed(documents[start:end])))
        if restart:
            containment = Containment(containment.snapshot())

    expected, known = by_sets(documents)
    assert totals.sums == expected
    table = containment.snapshot()
    assert sorted(table[table != 0].tolist()) == sorted(known)


class Counter4:
    """Adds up what batches measured."""

    def __init__(self) -> None:
        self.sums = dict.fromkeys(("shingles", "seen", "documents", "half"), 0.0)

    def add(self, part: dict[str, float]) -> None:
        self.sums = {name: self.sums[name] + value for name, value in part.items()}


def test_growth_far_beyond_the_first_table_forgets_nothing():
    rng = np.random.default_rng(7)
    hashes = rng.integers(1, 2**60, 20_000, dtype=np.uint64) << np.uint64(4)
    ends = np.array([0, len(hashes)], np.int64)
    containment = Containment()
    for part in np.array_split(hashes, 7):
        containment.measure(part, np.array([0, len(part)], np.int64))
    containment = Containment(containment.snapshot())

    again = containment.measure(hashes, ends)

    assert again == {"shingles": 20_000.0, "seen": 20_000.0, "documents": 1.0, "half": 1.0}


def test_restored_copy_does_not_share_memory_with_its_snapshot():
    containment = Containment()
    containment.measure(*packed([{16}]))
    snapshot = containment.snapshot()
    Containment(snapshot).measure(*packed([{32}]))

    assert set(snapshot.tolist()) == {0, 16}
