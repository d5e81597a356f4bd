"""Spelling is a code: every word has a length, and short common bytes are cheap."""

import itertools

import numpy as np
import pytest

from seedcorn.core.teaching.spelling import byte_pairs, laid_out, word_bits


def test_pairs_are_distributions():
    words = laid_out([b"ab", b"abc", b""])

    pairs = byte_pairs(words, np.array([True, True, False]))

    assert pairs.sum(axis=1) == pytest.approx(np.ones(257))


def test_words_of_all_lengths_have_mass_of_at_most_one():
    pairs = byte_pairs(laid_out([b"ab", b"ba"]), np.ones(2, bool))
    letters = [bytes(word) for n in range(5) for word in itertools.product(b"ab", repeat=n)]

    mass = np.exp2(-word_bits(laid_out(letters), pairs)).sum()

    assert 0.01 < mass < 1


def test_no_words_cost_nothing():
    assert word_bits(laid_out([]), np.ones((257, 257))).size == 0
    assert byte_pairs(laid_out([]), np.ones(0, bool)).sum() == pytest.approx(257)
