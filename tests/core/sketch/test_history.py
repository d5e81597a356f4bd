"""The algebra of novelty against plain sets, and sources whose answer is known (T1, T17)."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.intervals import unique_interval
from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.sketch import LENGTHS, batch_delta
from seedcorn.core.text.shingles import Shingles
from tests.core.forecast.shingled import Document, delta_of, documents, generations, plain_delta


def union(documents: Sequence[Document], stratum: int | None = None) -> set[int]:
    return {
        word
        for document in documents
        if document.outcome == "accepted" and stratum in (None, document.stratum)
        for word in document.words
    }


def equal(left: History, right: History) -> bool:
    a, b = left.snapshot(), right.snapshot()
    return a.keys() == b.keys() and all(np.array_equal(a[key], b[key]) for key in a)


@given(documents, generations)
@settings(max_examples=12, deadline=None)
def test_novel_random_generations_equals_set_differences(seed, grown):
    history = History()
    history.add(delta_of(seed), 0)
    for number, batch in enumerate(grown, 1):
        history.add(delta_of(batch), number)
    known = {w for document in seed if document.outcome != "rejected" for w in document.words}
    for number, batch in enumerate(grown, 1):
        by_stratum = [union(batch, stratum) - known for stratum in range(3)]
        alone = [
            len(own.difference(*(other for other in by_stratum if other is not own)))
            for own in by_stratum
        ]
        found = history.novel(number, 8)
        assert found.total == len(union(batch) - known)
        assert found.strata[:4].tolist() == [*map(len, by_stratum), 0]
        assert found.exclusive[:4].tolist() == [*alone, 0]
        known |= union(batch)


@given(documents, documents)
@settings(max_examples=12, deadline=None)
def test_novel_of_a_union_is_novel_of_one_plus_novel_of_the_rest(one, other):
    both, first, rest = History(), History(), History()
    both.add(delta_of(one), 1)
    both.add(delta_of(other), 1)
    first.add(delta_of(one), 1)
    rest.add(delta_of([d for d in one if d.outcome == "accepted"]), 0)
    rest.add(delta_of(other), 1)
    assert both.novel(1, 8).total == first.novel(1, 8).total + rest.novel(1, 8).total


@given(documents, st.randoms(use_true_random=False), st.integers(1, 4))
@settings(max_examples=12, deadline=None)
def test_history_documents_permuted_and_resharded_is_unchanged(batch, random, shards):
    whole, parts = History(), History()
    whole.add(delta_of(batch), 1)
    shuffled = random.sample(batch, len(batch))
    for shard in range(shards):
        parts.add(delta_of(shuffled[shard::shards]), 1)
    assert equal(whole, parts)


@given(generations, st.randoms(use_true_random=False))
@settings(max_examples=12, deadline=None)
def test_history_added_in_any_order_or_merged_is_unchanged(grown, random):
    straight, shuffled, merged = History(), History(), History()
    steps = [(delta_of(batch), number) for number, batch in enumerate(grown)]
    for delta, number in steps:
        straight.add(delta, number)
    for delta, number in random.sample(steps, len(steps)):
        shuffled.add(delta, number)
        part = History()
        part.add(delta, number)
        merged.merge(part)
    assert equal(straight, shuffled)
    assert equal(straight, merged)
    for number in range(1, len(grown)):
        assert straight.novel(number, 8).total == merged.novel(number, 8).total


@given(documents)
@settings(max_examples=15, deadline=None)
def test_novel_of_a_retried_batch_is_idempotent(batch):
    history = History()
    history.add(delta_of(batch), 1)
    before = history.novel(1, 8)
    history.add(delta_of(batch), 1)
    assert history.novel(1, 8).total == before.total
    assert np.array_equal(history.novel(1, 8).exclusive, before.exclusive)


def test_novel_of_a_copy_of_the_seed_is_zero():
    seed = [Document(frozenset(range(i, i + 9))) for i in range(50)]
    history = History()
    history.add(delta_of(seed), 0)
    history.add(delta_of(seed), 1)
    assert [history.novel(1, length).total for length in LENGTHS] == [0, 0, 0]


def test_history_shingles_of_duplicates_only_are_counted_but_never_novel_nor_history():
    history = History()
    history.add(delta_of([Document(frozenset({1, 2}), 0, "duplicate")]), 1)
    assert history.novel(1, 8).total == 0
    assert history.snapshot()["8.verified"].tolist() == [1, 1]
    history.add(delta_of([Document(frozenset({1}))]), 2)
    assert history.novel(2, 8).total == 1


def test_history_seed_that_grows_during_a_generation_counts_from_the_next_one_on():
    late_seed = delta_of([Document(frozenset({1, 2, 3}))])
    writes_first = delta_of([Document(frozenset({1, 9}))])
    writes_after = delta_of([Document(frozenset({2}))])
    history = History()
    history.add(writes_first, 1)
    history.add(late_seed, 1, seed=True)
    history.add(writes_after, 1)
    assert history.novel(1, 8).total == 3
    history.add(delta_of([Document(frozenset({3, 4}))]), 2)
    assert history.novel(2, 8).total == 1
    assert history.novel(1, 8).total == 3


@given(documents, documents)
@settings(max_examples=12, deadline=None)
def test_withdraw_some_documents_net_equals_history_without_them(kept, gone):
    kept, gone = ([d for d in batch if d.outcome == "accepted"] for batch in (kept, gone))
    history = History()
    history.add(delta_of(kept + gone), 1)
    assert history.withdraw(delta_of(gone)) == 0
    assert history.novel(1, 8).total == len(union(kept + gone))
    assert history.novel(1, 8, net=True).total == len(union(kept))


def test_withdraw_more_than_was_accepted_is_reported():
    history = History()
    one = delta_of([Document(frozenset({1, 2}))])
    history.add(one, 1)
    assert history.withdraw(one) == 0
    assert history.withdraw(one) == 2 * len(LENGTHS)


def test_withdrawn_shingle_of_a_later_seed_copy_leaves_the_net_count():
    history = History()
    one = delta_of([Document(frozenset({1, 2}))])
    history.add(one, 1)
    history.add(one, 1, seed=True)
    history.withdraw(one)
    assert history.novel(1, 8, net=True).total == 0


@given(generations)
@settings(max_examples=15, deadline=None)
def test_history_halved_equals_history_of_thinned_deltas(grown):
    late, early = History(), History(rate=0.5)
    for number, batch in enumerate(grown, 1):
        late.add(delta_of(batch), number)
        early.add(delta_of(batch, 0.5), number)
    late.thin(0.5)
    assert equal(late, early)
    for number in range(1, len(grown) + 1):
        assert late.novel(number, 8).total == early.novel(number, 8).total


def test_history_thinned_midway_goes_on_like_one_that_was_thin_from_the_start():
    before, after = (plain_delta(np.arange(n, n + 600), 8) for n in (0, 600))
    midway, always = History(), History(rate=0.5)
    always.thin(0.5)
    for history in (midway, always):
        history.add(before, 1)
        history.thin(0.5)
        history.add(after, 2)
        history.withdraw(after)

    assert equal(midway, always)
    assert midway.novel(2, 8, net=True).total == 0
    assert midway.novel(1, 8, net=True).total == midway.novel(1, 8).total > 0


def test_history_merged_at_two_rates_keeps_the_lower_one():
    one, other = [Document(frozenset(range(60)))], [Document(frozenset(range(40, 100)))]
    expected = History()
    expected.add(delta_of(one + other, 0.25), 1)
    for coarse_first in (True, False):
        coarse, fine = History(rate=0.25), History()
        coarse.add(delta_of(one), 1)
        fine.add(delta_of(other), 1)
        into, merged = (coarse, fine) if coarse_first else (fine, coarse)
        into.merge(merged)
        assert equal(into, expected)


@given(generations)
@settings(max_examples=15, deadline=None)
def test_snapshot_restored_continues_like_the_original(grown):
    history = History()
    for number, batch in enumerate(grown, 1):
        history.add(delta_of(batch), number)
    restored = History.restore(history.snapshot())
    for one in (history, restored):
        one.add(delta_of([Document(frozenset(range(20, 40)), 1)]), len(grown) + 1)
    assert equal(history, restored)
    for number in range(1, len(grown) + 2):
        found, expected = restored.novel(number, 8), history.novel(number, 8)
        assert found.total == expected.total
        assert np.array_equal(found.exclusive, expected.exclusive)


def test_rate_needed_too_many_hashes_halves_until_they_fit():
    history = History(fingerprints=1000)
    history.add(plain_delta(np.arange(1000), 8), 1)
    assert history.rate_needed() == 1.0
    history.add(plain_delta(np.arange(1000, 3500), 8), 1)
    rate = history.rate_needed()
    assert rate in (0.25, 0.125)
    history.thin(rate)
    assert history.sizes[8] <= 1000
    assert history.rate_needed() == rate
    assert history.sizes[8] / rate == pytest.approx(3500, rel=0.15)


def test_history_grown_through_many_rebuilds_holds_every_hash():
    history = History()
    values = np.arange(40_000)
    for start in range(0, 40_000, 7_000):
        history.add(plain_delta(values[start : start + 7_000], 8), 1)
    kept = history.snapshot()["8.key"]
    assert np.array_equal(kept, plain_delta(values, 8).hash)
    assert history.novel(1, 8).total == 40_000
    assert history.bytes < 40_000 * 92 + 2 * 32_768


@pytest.mark.parametrize("rate", [1.0, 0.25])
def test_snapshot_hashes_of_both_ends_of_the_table_are_in_order(rate):
    """The greatest hashes outgrow the last slots and go on in the first ones, among the least."""
    history = History(rate=rate)
    history.thin(rate)
    last = int(rate * 2**64) - 1
    ends = np.array([*range(150), *range(last - 149, last + 1)], np.uint64)
    every = np.ones(1, bool)
    for value in np.roll(ends, 100):
        shingles = {8: Shingles(np.array([value], np.uint64), np.arange(2))}
        history.add(batch_delta(shingles, every, every, np.zeros(1, np.uint8), rate), 1)
    assert np.array_equal(history.snapshot()["8.key"], ends)
    assert not history.fresh(ends, 8, 2).any()


def test_novel_fixed_zipf_source_matches_the_closed_form_and_sets():
    """T1: types of a Zipf source as shingles, 20 000 one-word documents per generation."""
    expected = [4787.4, 3068.0, 2502.1, 2154.6, 1907.0]
    p = np.arange(1, 50_001) ** -1.1
    p /= p.sum()
    closed = [((1 - p) ** (20_000 * g) - (1 - p) ** (20_000 * (g + 1))).sum() for g in range(5)]
    assert closed == pytest.approx(expected, abs=0.05)
    random = np.random.default_rng(20_240_601)
    history, known = History(), set()
    for generation, mean in enumerate(expected, 1):
        draws = random.choice(50_000, 20_000, p=p)
        history.add(plain_delta(draws, 8), generation)
        new = history.novel(generation, 8).total
        assert new == len(set(draws.tolist()) - known)
        assert abs(new - mean) < 4 * 50
        known |= set(draws.tolist())


def test_sampled_history_agrees_with_the_exact_one_within_its_interval():
    """T17: 1000 trials (generations of disjoint new shingles), few and many, at three rates."""
    random = np.random.default_rng(7)
    sizes = np.exp(random.uniform(np.log(10), np.log(1500), 1000)).astype(int)
    ends = np.cumsum(sizes)
    history = History()
    for trial, (size, end) in enumerate(zip(sizes, ends, strict=True), 1):
        old = random.integers(0, end - size, 50) if trial > 1 else np.empty(0, int)
        fresh = np.arange(end - size, end)
        history.add(plain_delta(np.concatenate([old, fresh]), 8), trial)
        assert history.novel(trial, 8).total == size
    for rate in (1 / 2, 1 / 8, 1 / 64):
        history.thin(rate)
        sampled = [history.novel(trial, 8).total for trial in range(1, 1001)]
        by_count = {m: unique_interval(m, rate) for m in set(sampled)}
        intervals = [by_count[m] for m in sampled]
        covered = np.mean([i.low <= n <= i.high for i, n in zip(intervals, sizes, strict=True)])
        assert covered >= 0.93
        assert not all(i.exact for i in intervals)
