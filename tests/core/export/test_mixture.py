"""Mixture weights: exact counts, no state, and what a person may type."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.export.mixture import Quota, Weights, parse_weight, quota, weights


@given(st.integers(0, 500), st.floats(0, 4), st.integers(0, 2**32), st.data())
def test_copies_sum_exactly_however_a_group_is_cut(samples, weight, seed, data):
    drawn = quota(samples, weight, seed, 1, "tell")
    cut = data.draw(st.integers(0, samples))
    parts = [drawn.copies(0, cut), drawn.copies(cut, samples - cut)]
    copies = np.concatenate(parts)
    assert copies.sum() == drawn.rows
    assert abs(drawn.rows - weight * samples) <= 0.5
    assert np.count_nonzero(copies) == drawn.distinct
    if samples:
        assert copies.max() - copies.min() <= 1
        assert copies.min() == (
            int(weight) if drawn.rows < (int(weight) + 1) * samples else copies.max()
        )


def test_half_of_a_group_is_spread_over_it_and_depends_on_the_seed():
    one, other = (quota(10_000, 0.5, seed, 1, "tell").copies(0, 10_000) for seed in (0, 1))
    assert one.sum() == other.sum() == 5000
    assert 2300 < one[:5000].sum() < 2700
    assert 0.4 < (one == other).mean() < 0.6


def test_groups_are_drawn_independently():
    one = quota(1000, 0.5, 0, 1, "tell").copies(0, 1000)
    other = quota(1000, 0.5, 0, 2, "tell").copies(0, 1000)
    assert 0.4 < (one == other).mean() < 0.6


@pytest.mark.parametrize(
    ("weight", "rows"), [(0, 0), (0.5, 4), (1, 7), (1.5, 11), (2, 14), (2.6, 18)]
)
def test_rows_of_seven_samples(weight, rows):
    assert Quota(7, weight, 1).rows == rows


def test_weight_of_a_sample_is_the_product_of_both():
    mixed = weights([parse_weight("stratum:tell=2"), parse_weight("generation:03=.5")])
    assert (mixed.of(3, "tell"), mixed.of(3, "ask"), mixed.of(1, "ask")) == (1, 0.5, 1)
    assert mixed.described() == {"generation:3": 0.5, "stratum:tell": 2}


def test_repeats_are_possible_only_where_some_weight_is_above_one():
    assert not Weights().repeat
    assert not Weights({"tell": 0.5}, {1: 1.0}).repeat
    assert Weights({"tell": 0.5}, {1: 1.5}).repeat


def test_parse_weight_takes_names_with_signs():
    assert parse_weight("stratum:a=b:c=1.5") == ("stratum", "a=b:c", 1.5)


@pytest.mark.parametrize(
    "text", ["tell=2", "stratum:=2", "stratum:tell", "generation:x=1", "stratum:tell=-1",
             "stratum:tell=nan", "stratum:tell=1001", "stratum:tell=much", "model:x=1"]
)  # fmt: skip
def test_parse_weight_refuses_by_name(text):
    with pytest.raises(ValueError, match=re.escape(text)):
        parse_weight(text)


def test_two_weights_of_one_key_are_refused():
    with pytest.raises(ValueError, match="generation 3 has two weights"):
        weights([parse_weight("generation:3=1"), parse_weight("generation:03=2")])
