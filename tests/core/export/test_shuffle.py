"""The shuffle of many positions at once against the permutation of one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.export.shuffle import Shuffle
from seedcorn.core.identity import Permutation


@given(st.integers(1, 3000), st.integers(0, 2**64 - 1), st.data())
def test_positions_are_those_of_the_permutation_for_any_range(size, key, data):
    start = data.draw(st.integers(0, size))
    stop = data.draw(st.integers(start, size))
    one = Permutation(size, key)
    expected = [one(row) for row in range(start, stop)]
    assert Shuffle(size, key).positions(start, stop).tolist() == expected


def test_shuffle_of_a_million_rows_is_a_bijection_far_from_the_identity():
    places = Shuffle(1_000_000, 7).positions(0, 1_000_000)
    assert np.array_equal(np.sort(places), np.arange(1_000_000))
    # A uniform permutation moves a row by a third of the length on average.
    assert abs(np.abs(places - np.arange(1_000_000)).mean() / 1_000_000 - 1 / 3) < 0.005
    assert abs(np.corrcoef(places, np.arange(1_000_000))[0, 1]) < 0.005


def test_shuffle_without_key_is_the_identity():
    assert Shuffle(10, None).positions(3, 7).tolist() == [3, 4, 5, 6]


def test_positions_outside_the_shuffle_are_refused():
    with pytest.raises(IndexError, match="rows 0 to 11 are outside a shuffle of 10"):
        Shuffle(10, 1).positions(0, 11)
