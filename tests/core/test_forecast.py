"""Forecasts against sums written out, and against futures that are known."""

import numpy as np
import pytest

from seedcorn.core.forecast import EMPTY, EXTRAPOLATED, GOOD_TOULMIN, Evidence, coverage, forecast


def evidence_of(counts, samples=None, squares=None, rate=1.0, curve=()):
    """Evidence of documents of one fingerprint each, unless `squares` says otherwise."""
    counts = np.array(counts, np.int64)
    samples = samples or int(counts @ np.arange(1, len(counts) + 1))
    return Evidence(samples, counts, int(counts[0]), squares or int(counts[0]), rate, curve)


def test_forecast_as_many_documents_again_is_the_alternating_sum():
    found = forecast(evidence_of([50, 20, 8, 3]), 126)
    assert found is not None
    assert (found.samples, found.method) == (126, GOOD_TOULMIN)
    assert found.estimate == pytest.approx(50 - 20 + 8 - 3)


def test_forecast_after_skipped_documents_is_the_difference_of_two():
    evidence = evidence_of([500, 120, 40, 9, 2])
    n = evidence.samples
    whole, head = forecast(evidence, n // 2 + n // 4), forecast(evidence, n // 2)
    tail = forecast(evidence, n // 4, skip=n // 2)
    assert tail.estimate == pytest.approx(whole.estimate - head.estimate)
    assert tail.high - tail.low > 0
