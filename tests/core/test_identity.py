"""Ids and permutations: stable for ever, because corpora carry them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.identity import (
    GOLDEN,
    Permutation,
    canonical_json,
    digest,
    request_seed,
    sample_id,
    splitmix64,
    splitmix64_words,
    uint64,
)

PARTS = st.lists(st.one_of(st.text(), st.integers(), st.binary()), max_size=4)


@given(size=st.integers(1, 400), key=st.integers(0, 2**64 - 1))
def test_permutation_of_any_size_and_key_is_a_bijection(size, key):
    order = Permutation(size, key)
    assert sorted(order(position) for position in range(size)) == list(range(size))


def test_permutation_outside_its_range_raises():
    for position in (-1, 5):
        with pytest.raises(IndexError, match=str(position)):
            Permutation(5, 1)(position)


@given(left=PARTS, right=PARTS)
def test_digest_of_different_parts_differs(left, right):
    def typed(parts):
        return [(type(part), part) for part in parts]

    same = typed(left) == typed(right)
    assert (digest(*left) == digest(*right)) is same


def test_digest_does_not_join_its_parts():
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("1") != digest(1) != digest(b"1")


def test_identity_of_a_sample_is_pinned():
    fingerprint = "0" * 32
    assert sample_id(fingerprint, 1, 0) == "341a0a39b25853195a241e7b0312d610"
    assert request_seed(fingerprint, 1, 0) == 306006296
    assert uint64("a", 1, b"x") == 15898501500741467395
    assert [Permutation(10, 7)(i) for i in range(10)] == [9, 8, 6, 3, 1, 4, 0, 2, 5, 7]


@given(index=st.integers(0, 10**12))
def test_request_seed_fits_31_bits(index):
    assert 0 <= request_seed("f", 1, index) < 2**31


def test_canonical_json_does_not_depend_on_key_order():
    assert canonical_json({"b": 1, "a": ["é"]}) == '{"a":["é"],"b":1}'.encode()


def test_splitmix64_is_the_published_generator():
    """First numbers of Vigna's splitmix64.c from the seed 1234567."""
    drawn = [splitmix64(1234567 + step * GOLDEN) for step in (1, 2, 3)]
    assert drawn == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_splitmix64_of_many_words_is_that_of_each(values):
    each = splitmix64_words(np.array(values, np.uint64)).tolist()
    assert (
        each == [splitmix64(value) for value in values] == [splitmix64(v + 2**64) for v in values]
    )
