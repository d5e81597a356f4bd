"""Forecasts against sums written out, and against futures that are known."""

import math

import numpy as np
import pytest

from seedcorn.core.forecast.forecast import (
    DEEP,
    EMPTY,
    EXTRAPOLATED,
    GOOD_TOULMIN,
    Evidence,
    coverage,
    forecast,
    trend,
)
from seedcorn.core.intervals import Interval


def evidence_of(counts, samples=None, squares=None, rate=1.0, curve=()):
    """Evidence of documents of one fingerprint each, unless `squares` says otherwise."""
    counts = np.array(counts, np.int64)
    samples = samples or int(counts @ np.arange(1, len(counts) + 1))
    once = int(counts[0]) if len(counts) else 0
    return Evidence(samples, counts, once, squares or once, rate, curve)


def drawn(random, pool, samples, clump):
    """(evidence, future) of documents that each show one of `pool` bundles of fingerprints."""
    counts = np.bincount(random.integers(0, pool, samples), minlength=pool)
    occurrences = clump * np.bincount(counts)[1:]
    once = int((counts == 1).sum())
    evidence = Evidence(samples, occurrences, clump * once, clump**2 * once, 1.0)

    def future(more, skip):
        seen = np.append(np.flatnonzero(counts), random.integers(0, pool, skip))
        return clump * len(np.setdiff1d(random.integers(0, pool, more), seen))

    return evidence, future


def test_forecast_as_many_documents_again_is_the_alternating_sum():
    found = forecast(evidence_of([50, 20, 8, 3]), 126)
    assert (found.samples, found.method, found.widen) == (126, GOOD_TOULMIN, 1.0)
    assert found.estimate == pytest.approx(50 - 20 + 8 - 3)
    half = 1.96 * math.sqrt(50 + 20 + 8 + 3 + 35)
    assert (found.low, found.high) == pytest.approx((35 - half, 35 + half))


def test_forecast_of_unequal_documents_has_the_width_of_their_sizes():
    # 40 documents share nothing; half of them bring 30 fingerprints, half bring 10.
    evidence = evidence_of([800], samples=40, squares=20 * 900 + 20 * 100)
    found = forecast(evidence, 20)
    deviation = math.sqrt(40 / 39 * 100 * (20 + 20**2 / 40))
    assert found.estimate == 400
    assert found.high - 400 == pytest.approx(1.96 * deviation, rel=0.01)


def test_forecast_after_skipped_documents_is_the_difference_of_two():
    evidence = evidence_of([500, 120, 40, 9, 2])
    n = evidence.samples
    whole, head = forecast(evidence, n // 2 + n // 4), forecast(evidence, n // 2)
    tail = forecast(evidence, n // 4, skip=n // 2)
    assert tail.estimate == pytest.approx(whole.estimate - head.estimate)
    assert tail.low < tail.estimate < tail.high


@pytest.mark.parametrize("more", [10, 80, 126, 200, 2000, 10**6])
@pytest.mark.parametrize("skip", [0, 40, 126, 5000])
@pytest.mark.parametrize("widen", [1.0, 3.0])
def test_forecast_estimate_lies_in_its_interval_and_below_the_present_yield(more, skip, widen):
    curve = ((63, 60.0), (126, 81.0))
    evidence = evidence_of([50, 20, 8, 3], samples=126, curve=curve)
    found = forecast(evidence, more, skip, widen)
    assert 0 <= found.low <= found.estimate <= found.high
    assert found.estimate <= more * 50 / 126 + 1e-9
    assert found.method == (GOOD_TOULMIN if more + skip <= 126 else EXTRAPOLATED)


def test_forecast_far_ahead_follows_heaps_law_of_the_curve():
    # A Pitman-Yor source of discount 1/2: U = 10 sqrt(n), Q_i = Q_{i-1} (i - 3/2) / i, Q_1 = U/2.
    counts = [500.0]
    for i in range(2, 60):
        counts.append(counts[-1] * (i - 1.5) / i)
    counts[-1] += 1000 - sum(counts)
    curve = tuple((n, 10 * math.sqrt(n)) for n in (2500, 5000, 10_000))
    found = forecast(evidence_of(counts, samples=10_000, curve=curve), 20_000, skip=10_000)
    assert found.estimate == pytest.approx(1000 * (math.sqrt(4) - math.sqrt(2)), rel=0.05)
    assert found.high >= 20_000 * 500 / 10_000


def test_forecast_far_ahead_of_a_saturating_template_bends_where_heaps_law_would_not():
    # Poisson counts of S instances, one expected occurrence each: the yield falls as e^-t.
    instances = 60_000
    counts = [instances / math.e / math.factorial(i) for i in range(1, 9)]
    curve = tuple((n, instances * -math.expm1(-n / instances)) for n in (30_000, 60_000))
    found = forecast(evidence_of(counts, instances, curve=curve), 2 * instances, instances)
    truth = instances * (math.exp(-2) - math.exp(-4))
    assert found.method == EXTRAPOLATED
    assert found.estimate == pytest.approx(truth, rel=0.01)
    assert found.low < truth < found.high


def test_forecast_somewhat_beyond_what_there_is_is_narrow_and_holds():
    """A template of 2000 instances, 3000 drawn and 3600 to come: 372.4 new ones (sd 15)."""
    held, widths, truths, old = 0, [], [], []
    for seed in range(200):
        evidence, future = drawn(np.random.default_rng(seed), 2000, 3000, 1)
        found, truth = forecast(evidence, 3600), future(3600, 0)
        held += found.low <= truth <= found.high
        widths.append((found.high - found.low) / 2 / found.estimate)
        truths.append(truth)
        old.append(forecast(evidence, 3600, rule=1).high - found.high)
    assert np.mean(truths) == pytest.approx(372.4, abs=4)
    assert held >= 0.9 * 200
    assert np.median(widths) <= 0.35
    # Rule 1 knew no more of the high end than the present yield.
    assert np.median(old) > 300


@pytest.mark.parametrize("skip", [0, 1500, 4000])
@pytest.mark.parametrize("clump", [1, 40])
def test_forecast_beyond_what_there_is_covers_the_truth(skip, clump):
    held = 0
    for seed in range(150):
        evidence, future = drawn(np.random.default_rng(seed), 2000, 3000, clump)
        found, truth = forecast(evidence, 3000, skip), future(3000, skip)
        assert found.method == (GOOD_TOULMIN if skip == 0 else EXTRAPOLATED)
        held += found.low <= truth <= found.high
    assert held >= 0.9 * 150


def test_forecast_far_ahead_where_nothing_occurs_three_times_reads_the_curve():
    curve = tuple((n, 10 * n**0.9) for n in (25, 50, 100))
    evidence = evidence_of([600, 31], samples=100, squares=600 * 12, curve=curve)
    assert forecast(evidence, 100, skip=100).estimate == pytest.approx(631 * (3**0.9 - 2**0.9))
    bare = evidence_of([600, 31], samples=100, squares=600 * 12)
    beta = 600 / 631
    assert forecast(bare, 100, skip=100).estimate == pytest.approx(631 * (3**beta - 2**beta))


def test_forecast_of_a_sample_is_that_of_everything_divided_by_the_rate():
    counts = [400, 100, 20]
    all_of_it, half = evidence_of(counts), evidence_of(counts, rate=0.5)
    one, other = forecast(all_of_it, 300), forecast(half, 300)
    assert (other.estimate, other.high) == pytest.approx((2 * one.estimate, 2 * one.high))


def test_forecast_widened_multiplies_both_sides():
    plain, wide = (forecast(evidence_of([400, 100, 20]), 100, widen=w) for w in (1.0, 2.0))
    assert wide.estimate == plain.estimate
    assert wide.high - wide.estimate == pytest.approx(2 * (plain.high - plain.estimate))
    assert wide.estimate - wide.low == pytest.approx(2 * (plain.estimate - plain.low))


def test_forecast_without_documents_is_none_and_after_barren_ones_the_rule_of_three():
    assert forecast(evidence_of([]), 10) is None
    barren = forecast(evidence_of([], samples=300), 100)
    assert barren == (barren.__class__)(100, 0.0, 0.0, 1.0, EMPTY, 1.0)


def test_forecast_of_a_saturated_source_still_allows_three_in_n_documents_something_new():
    # 100 fingerprints, each in 50 of 1000 documents: nothing occurs once.
    counts = np.zeros(50, np.int64)
    counts[49] = 100
    found = forecast(Evidence(1000, counts, 0, 0, 1.0), 100)
    assert (found.estimate, found.low) == (0, 0)
    assert found.high == pytest.approx(3 * 100 / 1000 * 5)


def test_forecast_of_a_fingerprint_in_very_many_documents_expects_nothing():
    counts = np.zeros(DEEP, np.int64)
    counts[0], counts[-1] = 10, 999
    found = forecast(Evidence(10_000, counts, 10, 10, 1.0), 10_000)
    assert found.estimate == 10


def test_forecast_with_impossible_numbers_is_refused():
    for arguments in ((-1,), (1, -1), (1, 0, 0.5)):
        with pytest.raises(ValueError, match="cannot be"):
            forecast(evidence_of([3]), *arguments)


@pytest.mark.parametrize(
    ("pool", "samples", "more", "skip"),
    [(2000, 500, 500, 0), (500, 500, 500, 0), (1000, 1000, 500, 500), (500, 1500, 500, 1000)],
)
def test_forecast_of_fingerprints_that_travel_together_covers_the_truth(pool, samples, more, skip):
    """Bundles of 50: independence alone gives intervals that hold 25 % of the time."""
    random = np.random.default_rng(pool + skip)
    held, narrow = 0, 0
    for _ in range(150):
        evidence, future = drawn(random, pool, samples, 50)
        found, truth = forecast(evidence, more, skip), future(more, skip)
        held += found.low <= truth <= found.high
        narrow += abs(truth - found.estimate) <= (found.high - found.estimate) / math.sqrt(50)
    assert held >= 0.9 * 150
    assert narrow < 0.6 * 150


def test_forecast_of_one_fingerprint_each_is_not_wider_than_it_must_be():
    random = np.random.default_rng(3)
    errors, widths = [], []
    for _ in range(200):
        evidence, future = drawn(random, 3000, 1000, 1)
        found = forecast(evidence, 500)
        errors.append(future(500, 0) - found.estimate)
        widths.append((found.high - found.low) / 2)
    assert np.mean(widths) < 1.5 * 1.96 * np.std(errors)


def test_coverage_is_the_share_of_occurrences_that_are_not_the_first():
    assert coverage(evidence_of([6, 2])) == pytest.approx(1 - 6 / 10)
    counted = Evidence(50, np.array([6, 2]), 6, 6, 1.0, (), incidences=60)
    assert coverage(counted) == pytest.approx(0.9)
    assert coverage(evidence_of([])) is None


def test_trend_of_a_halving_yield_predicts_the_next_half():
    found = trend([(g, 1000 / 2**g) for g in (1, 2, 3, 4)])
    assert found == pytest.approx((1000 / 32,) * 3)


def test_trend_scatter_and_intervals_widen_the_prediction():
    values = [1000.0, 520.0, 240.0, 130.0, 61.0]
    bare = trend(list(enumerate(values, 1)))
    # numpy: log-linear fit; t(.975, 3) = 3.1824463; leverage 1 + 1/5 + 9/10
    slope, start = np.polyfit(np.arange(1, 6), np.log(values), 1)
    residual = np.log(values) - (start + slope * np.arange(1, 6))
    half = 3.1824463 * math.sqrt((residual**2).sum() / 3 * 2.1)
    centre = start + 6 * slope
    assert bare == pytest.approx(tuple(math.exp(centre + side * half) for side in (0, -1, 1)))
    measured = [(g, Interval(v, v / 2, v * 2)) for g, v in enumerate(values, 1)]
    wide = trend(measured)
    assert wide.estimate == pytest.approx(bare.estimate)
    assert wide.low < bare.low
    assert wide.high > bare.high


def test_trend_of_three_generations_is_unknown():
    assert trend([(1, 10.0), (2, 9.0), (3, 8.0)]) is None
