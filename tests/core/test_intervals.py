"""Error bars against sums written out with exact fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest

from seedcorn.core.intervals import (
    at_least,
    clopper_pearson,
    incomplete_beta,
    students_t,
    unique_interval,
)


def exact_tail(k: int, n: int, p: Fraction) -> Fraction:
    return sum((math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1)), Fraction(0))


@pytest.mark.parametrize(
    ("k", "n", "p"),
    [
        (1, 1, "3/10"),
        (3, 10, "1/5"),
        (7, 10, "9/10"),
        (50, 200, "1/4"),
        (49, 49, "1/2"),
        (1, 500, "1/100"),
        (2, 3, "999/1000"),
        (120, 400, "1/4"),
    ],
)
def test_binomial_tail_any_parameters_equals_exact_sum(k, n, p):
    expected = float(exact_tail(k, n, Fraction(p)))
    assert at_least(k, n, float(Fraction(p))) == pytest.approx(expected, rel=1e-10)


def test_incomplete_beta_of_large_arguments_is_half_at_the_median():
    assert incomplete_beta(0.5, 1e6, 1e6) == pytest.approx(0.5, abs=1e-9)


def test_unique_interval_at_rate_one_is_exact():
    interval = unique_interval(12345, 1.0)
    assert interval == (12345, 12345, 12345)
    assert interval.exact


def test_unique_interval_of_many_items_is_the_normal_one():
    half = 1.96 * math.sqrt(400 * 0.75) / 0.25
    assert unique_interval(400, 0.25) == pytest.approx((1600, 1600 - half, 1600 + half))


@pytest.mark.parametrize(("m", "rate"), [(0, 0.5), (1, 0.5), (10, 0.25), (49, 0.125), (3, 0.9)])
def test_unique_interval_of_few_items_ends_where_the_tails_reach_their_share(m, rate):
    interval = unique_interval(m, rate)
    tail, p = Fraction(25, 1000), Fraction(rate)
    low, high = int(interval.low), int(interval.high)
    if low > m:
        assert exact_tail(m, low, p) >= tail > exact_tail(m, low - 1, p)
    assert 1 - exact_tail(m + 1, high, p) >= tail > 1 - exact_tail(m + 1, high + 1, p)
    assert interval.low <= interval.estimate <= interval.high


def test_unique_interval_at_a_tiny_rate_is_the_exact_poisson_one():
    # chi-square quantiles / 2 for 10 events: 4.7954 and 18.3904 (Garwood 1936).
    interval = unique_interval(10, 1e-6)
    assert interval.low * 1e-6 == pytest.approx(4.7954, abs=1e-3)
    assert interval.high * 1e-6 == pytest.approx(18.3904, abs=1e-3)


def test_unique_interval_low_end_is_never_below_what_was_seen():
    assert unique_interval(49, 0.999).low >= 49
    assert unique_interval(60, 0.999).low >= 60


@pytest.mark.parametrize("rate", [0.5, 0.1])
def test_unique_interval_of_few_items_covers_at_least_what_it_promises(rate):
    for truth in (3, 20, 60):
        probabilities = [
            math.comb(truth, m) * rate**m * (1 - rate) ** (truth - m) for m in range(truth + 1)
        ]
        covered = sum(
            p
            for m, p in enumerate(probabilities)
            if m < 50 and unique_interval(m, rate).low <= truth <= unique_interval(m, rate).high
        )
        assert covered >= 0.95


def test_clopper_pearson_known_cases_match_closed_forms():
    assert clopper_pearson(0, 10).high == pytest.approx(1 - 0.025**0.1)
    assert clopper_pearson(10, 10).low == pytest.approx(0.025**0.1)
    # Quantiles .025 of Beta(5, 6) and .975 of Beta(6, 5).
    assert clopper_pearson(5, 10) == pytest.approx((0.5, 0.18708603, 0.81291397))
    assert clopper_pearson(0, 0)[1:] == (0, 1)


def test_clopper_pearson_a_million_trials_is_close_to_the_normal_interval():
    interval = clopper_pearson(500_000, 1_000_000)
    assert np.diff(interval[1:])[0] == pytest.approx(2 * 1.96 * 0.0005, rel=1e-3)


@pytest.mark.parametrize(("m", "rate"), [(-1, 0.5), (3, 0.0), (3, 1.5)])
def test_unique_interval_impossible_input_is_refused(m, rate):
    with pytest.raises(ValueError, match="cannot be"):
        unique_interval(m, rate)


def test_clopper_pearson_more_successes_than_trials_is_refused():
    with pytest.raises(ValueError, match="cannot be"):
        clopper_pearson(4, 3)


def test_students_t_is_the_printed_table():
    table = {1: 12.706, 2: 4.303, 3: 3.182, 6: 2.447, 30: 2.042, 1000: 1.962}
    assert {freedom: round(students_t(freedom), 3) for freedom in table} == table
