"""Deltas against counting by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.sketch.sketch import COLUMNS, LENGTHS, Delta, batch_delta, combine, limit, thin
from tests.core.forecast.shingled import HASHES, Document, delta_of, documents


def table(delta: Delta) -> list[tuple[int, ...]]:
    columns = ("length", "stratum", "hash", "accepted", "verified", "first")
    return list(zip(*(getattr(delta, name).tolist() for name in columns), strict=True))


@given(documents)
@settings(max_examples=30, deadline=None)
def test_batch_delta_random_documents_equals_counting_by_hand(batch):
    expected = []
    for length in LENGTHS:
        for stratum in range(3):
            for word in range(31):
                holders = [
                    (document.outcome != "accepted", offset)
                    for offset, document in enumerate(batch)
                    if word in document.words
                    and document.stratum == stratum
                    and document.outcome != "rejected"
                ]
                if holders:
                    accepted = sum(not dropped for dropped, _ in holders)
                    row = (accepted, len(holders), min(holders)[1])
                    expected.append((length, stratum, HASHES[word], *row))
    assert table(delta_of(batch)) == sorted(expected)


@given(documents, st.sampled_from([0.5, 0.3, 0.125]))
@settings(max_examples=20, deadline=None)
def test_thin_after_counting_equals_counting_thinned_shingles(batch, rate):
    thinned, counted = thin(delta_of(batch), rate), delta_of(batch, rate)
    assert table(thinned) == table(counted)
    assert thinned.rate == counted.rate == rate


@given(st.lists(documents, max_size=3))
@settings(max_examples=20, deadline=None)
def test_combine_deltas_of_parts_counts_like_one_batch(parts):
    whole = delta_of([document for part in parts for document in part])
    combined = combine([delta_of(part) for part in parts])
    assert [row[:5] for row in table(combined)] == [row[:5] for row in table(whole)]


def test_combine_deltas_of_two_rates_keeps_the_lower_one():
    batch = [Document(frozenset(range(30)))]
    combined = combine([delta_of(batch), delta_of(batch, 0.25)])
    assert combined.rate == 0.25
    assert table(combined) == [(*row[:3], 2, 2, 0) for row in table(delta_of(batch, 0.25))]


@given(documents, st.integers(2, 4))
@settings(max_examples=30, deadline=None)
def test_batch_delta_counts_neighbours_of_one_group_as_one_verified_document(batch, size):
    """What else stands in a row does not know of groups."""
    group = np.arange(len(batch)) // size
    plain, grouped = delta_of(batch), delta_of(batch, group=group)
    assert [(*row[:4], row[5]) for row in table(grouped)] == [
        (*row[:4], row[5]) for row in table(plain)
    ]
    for row in table(grouped):
        holders = {
            offset // size
            for offset, document in enumerate(batch)
            if row[2] in {HASHES[word] for word in document.words}
            and document.stratum == row[1]
            and document.outcome != "rejected"
        }
        assert row[4] == len(holders)


def test_batch_delta_accepted_but_not_verified_is_refused():
    with pytest.raises(ValueError, match="accepted document is a verified one"):
        batch_delta({}, np.array([True]), np.array([False]), np.zeros(1, np.uint8))


def test_batch_delta_columns_have_the_types_they_promise():
    types = ("uint8", "uint8", "uint64", "uint32", "uint32", "uint32")
    for batch in ([], [Document(frozenset({1, 2}), 1)]):
        delta = delta_of(batch)
        assert tuple(getattr(delta, name).dtype for name in COLUMNS) == types


@pytest.mark.parametrize("rate", [0.0, -1.0, 1.01])
def test_limit_impossible_rate_is_refused(rate):
    with pytest.raises(ValueError, match="sample rate"):
        limit(rate)
