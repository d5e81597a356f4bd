"""Rarefaction against every subset there is, and against subsets drawn at random."""

from itertools import combinations

import numpy as np
import pytest

from seedcorn.core.measure.rarefaction import rarefied_interval

DOCUMENTS = [{1, 2, 3}, {1, 4}, {1, 2, 5, 6}, {7}, {1, 2, 3}, set()]


def occurrences_of(documents):
    everything = [word for document in documents for word in document]
    return np.bincount(np.unique(everything, return_counts=True)[1])[1:]


@pytest.mark.parametrize("keep", range(7))
def test_rarefied_small_corpus_equals_the_mean_over_all_subsets(keep):
    subsets = list(combinations(DOCUMENTS, keep))
    mean = np.mean([len(set().union(*subset)) for subset in subsets])
    assert rarefied_interval(occurrences_of(DOCUMENTS), 6, keep).estimate == pytest.approx(mean)


def test_rarefied_share_and_number_agree_and_all_of_it_is_the_count():
    counts = occurrences_of(DOCUMENTS)
    assert rarefied_interval(counts, 6, 0.5).estimate == pytest.approx(
        rarefied_interval(counts, 6, 3).estimate
    )
    assert (
        rarefied_interval(counts, 6, 1.0).estimate == rarefied_interval(counts, 6, 6).estimate == 7
    )


def test_rarefied_millions_of_documents_is_stable():
    # Q_i = 10^6 at i = 1: half the documents hold half of them. At i = 50: all but 2^-50.
    counts = np.zeros(50, np.int64)
    counts[0] = counts[49] = 10**6
    assert rarefied_interval(counts, 10**9, 0.5).estimate == pytest.approx(1.5e6, rel=1e-9)
    assert rarefied_interval(counts, 10**9, 1).estimate == pytest.approx(51e6 / 10**9, rel=1e-9)


def test_rarefied_more_than_there_is_is_refused():
    for keep in (7, 1.5, -1):
        with pytest.raises(ValueError, match="documents"):
            rarefied_interval(occurrences_of(DOCUMENTS), 6, keep)


def test_rarefied_interval_covers_other_draws_of_the_source():
    random = np.random.default_rng(5)
    p = np.arange(1, 3001) ** -1.0
    p /= p.sum()
    held = 0
    for _ in range(200):
        counts = random.multinomial(4000, p)
        found = rarefied_interval(np.bincount(counts)[1:], 4000, 0.5)
        expected = float((1 - (1 - p) ** 2000).sum())
        held += found.low <= expected <= found.high
        assert found.estimate == pytest.approx(expected, rel=0.1)
    assert held >= 0.9 * 200


def test_rarefied_interval_of_a_sample_or_of_clumps_is_wider():
    counts = np.array([400, 100, 30])
    plain = rarefied_interval(counts, 1000, 0.5)
    sampled = rarefied_interval(counts, 1000, 0.5, rate=0.25)
    clumps = rarefied_interval(counts, 1000, 0.5, clump=9.0)
    assert sampled == pytest.approx(tuple(4 * value for value in plain))
    assert clumps.high - clumps.low == pytest.approx(3 * (plain.high - plain.low))
    assert rarefied_interval(counts, 1000, 0) == (0, 0, 0)
