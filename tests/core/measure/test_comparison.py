"""Comparisons against plain sets, and what their intervals promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.intervals import Interval
from seedcorn.core.measure.comparison import Holdings, compare, per_token
from seedcorn.core.sketch.sketch import LENGTHS, batch_delta
from seedcorn.core.text.shingles import Shingles
from tests.core.forecast.shingled import Document, delta_of, documents

batches = st.lists(documents, max_size=4)


def held(seeds, samples, gone=(), fingerprints=10_000_000):
    holdings = Holdings(fingerprints)
    for seed in seeds:
        holdings.add_seed(delta_of(seed))
    for batch in samples:
        accepted = sum(document.outcome == "accepted" for document in batch)
        holdings.add(delta_of(batch), accepted, 10 * accepted)
    for batch in gone:
        holdings.withdraw(delta_of(batch), len(batch), 10 * len(batch))
    return holdings


def words(groups):
    return {w for batch in groups for d in batch if d.outcome == "accepted" for w in d.words}


@given(st.lists(documents, max_size=2), batches, batches)
@settings(max_examples=15, deadline=None)
def test_compare_at_rate_1_is_what_plain_sets_say(seeds, one, other):
    seeds = [[d._replace(outcome="accepted") for d in batch] for batch in seeds]
    found = compare(held(seeds, one), held(seeds, other))
    a, b = words(one) - words(seeds), words(other) - words(seeds)
    for length in LENGTHS:
        assert found.a.unique[length] == Interval(len(a), len(a), len(a))
        assert found.b.unique[length].estimate == len(b)
        assert found.a.only[length].estimate == len(a - b)
        assert found.b.only[length].estimate == len(b - a)
        assert found.union[length].estimate == len(a | b)
        assert found.overlap[length].estimate == len(a & b)
    assert found.a.yield_per_token == per_token(found.a.unique[8], found.a.tokens)


@given(batches, batches)
@settings(max_examples=10, deadline=None)
def test_compare_swapped_corpora_swap_their_columns(one, other):
    forth, back = compare(held([], one), held([], other)), compare(held([], other), held([], one))
    assert (forth.a, forth.b) == (back.b, back.a)
    assert (forth.union, forth.overlap) == (back.union, back.overlap)
    assert forth.more == {"a": "b", "b": "a", "": ""}[back.more]


def test_compare_withdrawn_samples_count_in_neither():
    kept, gone = Document(frozenset({1, 2, 3})), Document(frozenset({3, 4}))
    found = compare(held([], [[kept, gone]], [[gone]]), held([], [[kept]]))
    assert found.a == found.b
    assert (found.a.documents, found.a.tokens) == (1, 10)
    assert found.a.unique[8].estimate == 3


def test_withdraw_more_than_was_accepted_is_refused():
    batch = [Document(frozenset({1}))]
    with pytest.raises(CorruptCorpus, match="more shingles than were accepted"):
        held([], [batch], [batch, batch])


def test_compare_with_a_corpus_without_samples_has_no_figures_per_token():
    found = compare(held([], [[Document(frozenset({1}))]]), held([], []))
    assert (found.equal_tokens, found.more) == (0, "")
    assert found.b.yield_per_token is found.a.at_equal_tokens is found.b.at_equal_tokens is None


def test_compare_two_that_repeat_the_seed_is_a_draw_of_nothing():
    batch = [Document(frozenset({1, 2}))]
    found = compare(held([batch], [batch]), held([batch], [batch]))
    assert found.a.at_equal_tokens == found.b.at_equal_tokens == Interval(0, 0, 0)
    assert found.more == ""


def texts(rng, source, count, length=20, world=0):
    """A delta of documents of `length` shingles in a row from a source of so many long texts;
    another `world` is another source of this size."""
    starts = (world * 1000 + rng.integers(0, source, count)) * 1000 + rng.integers(0, 60, count)
    every = np.ones(count, bool)
    values = (starts[:, None] + np.arange(length)).astype(np.uint64)
    hashes = np.sort(mixed(values), axis=1)
    shingles = Shingles(hashes.ravel(), np.arange(0, count * length + 1, length))
    return batch_delta({8: shingles}, every, every, np.zeros(count, np.uint8))


def mixed(x):
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def drawn(rng, source, count, fingerprints=10_000_000, world=0):
    holdings = Holdings(fingerprints)
    for _ in range(4):
        delta = texts(rng, source, count // 4, world=world)
        holdings.add(delta, count // 4, count // 4 * 20)
    return holdings


@pytest.mark.statistics
def test_compare_two_draws_of_one_source_whatever_their_sizes_seldom_separates_them():
    rng = np.random.default_rng(6)
    truth = np.mean([len(np.unique(texts(rng, 100, 400).hash)) for _ in range(100)])
    covered = apart = 0
    for _ in range(80):
        found = compare(drawn(rng, 100, 400), drawn(rng, 100, 1200))
        sides = (found.a.at_equal_tokens, found.b.at_equal_tokens)
        covered += sum(side.low <= truth <= side.high for side in sides)
        apart += found.more != ""
    assert covered >= 0.93 * 160
    assert apart <= 0.03 * 80


@pytest.mark.statistics
@pytest.mark.parametrize("source", [100, 3])
def test_compare_at_equal_tokens_from_a_sample_covers_untouched_and_used_up_sources(source):
    rng = np.random.default_rng(9)
    truth = np.mean([len(np.unique(texts(rng, source, 400).hash)) for _ in range(60)])
    covered = 0
    for world in range(80):
        sides = [drawn(rng, source, count, int(truth / 6), world) for count in (400, 1200)]
        found = compare(*sides)
        assert found.rate <= 1 / 8
        equal = (found.a.at_equal_tokens, found.b.at_equal_tokens)
        covered += sum(side.low <= truth <= side.high for side in equal)
    assert covered >= 0.92 * 160


def test_compare_a_richer_source_is_told_apart_whatever_the_sizes():
    rng = np.random.default_rng(7)
    assert compare(drawn(rng, 100, 1200), drawn(rng, 200, 400)).more == "b"
    assert compare(drawn(rng, 200, 400), drawn(rng, 100, 1200)).more == "a"


@pytest.mark.statistics
def test_compare_thinned_to_the_lower_rate_covers_the_exact_counts():
    covered = trials = 0
    for seed in range(20):
        exact = compare(
            drawn(np.random.default_rng(seed), 100, 800),
            drawn(np.random.default_rng(99 + seed), 120, 800),
        )
        thin = compare(
            drawn(np.random.default_rng(seed), 100, 800, 1000),
            drawn(np.random.default_rng(99 + seed), 120, 800),
        )
        assert thin.rate <= 1 / 4
        pairs = [
            (thin.a.unique, exact.a.unique),
            (thin.b.only, exact.b.only),
            (thin.union, exact.union),
            (thin.overlap, exact.overlap),
        ]
        covered += sum(t[8].low <= e[8].estimate <= t[8].high for t, e in pairs)
        trials += len(pairs)
        assert thin.a.yield_per_token.low < exact.a.yield_per_token.high
    assert covered >= 0.93 * trials


def test_clump_is_the_same_from_a_sample_as_from_everything():
    rng = np.random.default_rng(8)
    delta = texts(rng, 100_000, 2000)
    whole, thin = Holdings(), Holdings(5000)
    whole.add(delta, 2000, 1)
    thin.add(delta, 2000, 1)
    thin.add(texts(rng, 100_000, 2000), 2000, 1)
    assert whole.clump() == pytest.approx(20, rel=0.02)
    assert thin.history.rate < 1
    assert thin.clump() == pytest.approx(1 + thin.history.rate * 19, rel=0.05)
