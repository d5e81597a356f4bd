"""The incremental table against counts written out with Python dictionaries."""

from collections import Counter
from typing import NamedTuple

import numpy as np
import pytest

from seedcorn.core.forecast.forecast import DEEP
from seedcorn.core.forecast.occupancy import Occupancy

ONE = 2**64


class Batch(NamedTuple):
    """Rows of one batch, as `Occupancy.add` takes them."""

    hashes: np.ndarray
    verified: np.ndarray
    accepted: np.ndarray
    document: np.ndarray
    rate: float = 1.0


def batch_of(documents, start=0, rate=1.0):
    """Rows of documents given as (fingerprints, accepted), at plan indices from `start`."""
    rows = [
        (h, 1, accepted, start + place)
        for place, (fingerprints, accepted) in enumerate(documents)
        for h in sorted(fingerprints)
        if h < rate * ONE
    ]
    columns = zip(*rows, strict=True) if rows else ([], [], [], [])
    types = (np.uint64, np.uint32, bool, np.int64)
    return Batch(*(np.array(c, t) for c, t in zip(columns, types, strict=True)), rate)


def random_batches(rng, universe):
    """A few batches of documents that share fingerprints, at rates that are powers of two."""
    batches = []
    for number in range(int(rng.integers(1, 6))):
        documents = [
            (rng.choice(universe, int(rng.integers(0, 25))).tolist(), rng.random() < 0.5)
            for _ in range(int(rng.integers(0, 60)))
        ]
        documents = [(set(words), accepted) for words, accepted in documents]
        rate = float(rng.choice([1.0, 1.0, 1.0, 0.5, 0.25]))
        batches.append(batch_of(documents, 1000 * number, rate))
    return batches


def plain(batches, limit):
    """(rate, Q_i, sum of q_d, sum of their squares) by dictionaries."""
    verified, holders, held = Counter(), {}, set()
    for batch in batches:
        for h, count, accepted, place in zip(*map(np.ndarray.tolist, batch[:4]), strict=True):
            verified[h] += count
            holders.setdefault(h, []).append(place)
            held |= {h} if accepted else set()
    rate = min((batch.rate for batch in batches), default=1.0)
    while sum(h < rate * ONE for h in verified) > limit:
        rate /= 2
    novel = [h for h in verified if h in held and h < rate * ONE]
    alone = Counter(holders[h][0] for h in novel if verified[h] == 1)
    squares = sum(count**2 for count in alone.values())
    return rate, Counter(verified[h] for h in novel), sum(alone.values()), squares


def figures(occupancy):
    evidence = occupancy.evidence(1)
    counts = {i: int(q) for i, q in enumerate(evidence.occurrences, 1) if q}
    return occupancy.rate, counts, evidence.q_sum, evidence.q_squares


def same(left, right):
    a, b = left.snapshot(), right.snapshot()
    return a.keys() == b.keys() and all(np.array_equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize("seed", range(40))
def test_add_random_batches_any_limit_and_rate_equals_dictionaries(seed):
    rng = np.random.default_rng(seed)
    universe = rng.integers(0, ONE, size=600, dtype=np.uint64)
    batches, limit = random_batches(rng, universe), int(rng.integers(1, 700))
    occupancy, shuffled = Occupancy(limit), Occupancy(limit)
    for batch in batches:
        occupancy.add(*batch)
        occupancy = Occupancy.restore(occupancy.snapshot()) if rng.random() < 0.3 else occupancy
    for place in rng.permutation(len(batches)):
        shuffled.add(*batches[place])
    assert figures(occupancy) == plain(batches, limit)
    assert same(occupancy, shuffled)


def test_add_one_hash_in_rows_of_several_strata_counts_their_documents_together():
    occupancy = Occupancy()
    columns = np.array([5, 5, 7], np.uint64), np.array([1, 2, 1], np.uint32)
    occupancy.add(*columns, np.array([0, 1, 1], np.uint32), np.array([0, 1, 4]), 1.0)
    assert figures(occupancy) == (1.0, {3: 1, 1: 1}, 1, 1)


def test_add_fingerprint_of_duplicates_only_counts_once_an_accepted_document_holds_it():
    occupancy = Occupancy()
    occupancy.add(*batch_of([({1, 2}, False)]))
    assert figures(occupancy) == (1.0, {}, 0, 0)
    occupancy.add(*batch_of([({1}, True)], start=1))
    assert figures(occupancy) == (1.0, {2: 1}, 0, 0)
    assert len(occupancy) == 2


def test_evidence_document_loses_what_a_later_one_repeats():
    occupancy = Occupancy()
    occupancy.add(*batch_of([({1, 2, 3}, True), ({4}, True)]))
    before = occupancy.evidence(2)
    assert (before.q_sum, before.q_squares) == (4, 10)
    occupancy.add(*batch_of([({1, 2}, False)], start=2))
    after = occupancy.evidence(3, [(2, 4.0)])
    assert (after.q_sum, after.q_squares, after.incidences) == (2, 2, 6)
    assert after.occurrences.tolist() == [2, 2]
    assert after.curve == ((2, 4.0),)


def test_evidence_fingerprint_in_very_many_documents_stands_in_the_last_class():
    occupancy = Occupancy()
    column = np.array([DEEP + 9], np.uint32)
    occupancy.add(np.array([3], np.uint64), column, np.array([True]), np.array([0]), 1.0)
    evidence = occupancy.evidence(DEEP + 9)
    assert (len(evidence.occurrences), evidence.occurrences[-1]) == (DEEP, 1)
    assert evidence.incidences == DEEP + 9


def test_add_many_batches_memory_stays_at_what_the_limit_allows():
    rng = np.random.default_rng(0)
    occupancy = Occupancy(1 << 12)
    for number in range(20):
        hashes = rng.integers(0, ONE, size=20_000, dtype=np.uint64)
        one = np.ones(len(hashes), np.uint32)
        occupancy.add(hashes, one, one, rng.integers(0, 500, len(hashes)) + 500 * number, 1.0)
    assert len(occupancy) <= 1 << 12
    assert occupancy.rate < 1 / 64
    assert occupancy.bytes <= 84 * 4096


def test_add_columns_of_different_lengths_is_refused():
    occupancy = Occupancy()
    with pytest.raises(ValueError, match="must agree"):
        occupancy.add(*batch_of([({1, 2}, True)])[:3], np.array([0]), 1.0)
    with pytest.raises(ValueError, match="at least 1"):
        Occupancy(0)
