"""What is usual after so many nights, and when a figure has left it."""

import numpy as np
import pytest

from seedcorn.core.night.drift import FALL, NIGHTS, RISE, UNKNOWN, USUAL, against


@pytest.mark.parametrize("earlier", [[], [5.0], [5.0, 5.0]])
def test_against_few_nights_judges_nothing(earlier):
    found = against(50.0, earlier)
    assert (found.verdict, found.low, found.nights) == (UNKNOWN, None, len(earlier))
    assert found.mean == (5.0 if earlier else None)


@pytest.mark.parametrize(
    ("value", "verdict"), [(95.1, USUAL), (104.9, USUAL), (94.9, FALL), (105.1, RISE)]
)
def test_against_equal_nights_allows_a_twentieth(value, verdict):
    assert against(value, [100.0] * 4).verdict == verdict


def test_against_spread_nights_is_a_prediction_interval():
    # Mean 100, standard deviation 10, three nights: 4.303 * 10 * sqrt(4/3) to either side.
    found = against(149.0, [90.0, 100.0, 110.0])
    assert found.high == pytest.approx(149.69, abs=0.01)
    assert found.verdict == USUAL
    assert against(150.0, [90.0, 100.0, 110.0]).verdict == RISE


def test_against_looks_at_the_newest_week():
    found = against(10.0, [1000.0] * 5 + [10.0] * NIGHTS)
    assert (found.mean, found.nights, found.verdict) == (10.0, NIGHTS, USUAL)


def test_against_an_estimate_needs_its_whole_interval_outside():
    assert against(110.0, [100.0] * 5, (104.0, 116.0)).verdict == USUAL
    assert against(110.0, [100.0] * 5, (106.0, 114.0)).verdict == RISE


def test_against_covers_as_often_as_it_promises():
    draws = np.random.default_rng(7).normal(100, 10, (1500, NIGHTS + 1))
    usual = [against(row[-1], row[:-1].tolist()).verdict == USUAL for row in draws]
    assert 0.93 < np.mean(usual) < 0.97
