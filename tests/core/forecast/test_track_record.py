"""Scored forecasts: what was promised, what came, and how much wider the next must be."""

import time

import pytest

from seedcorn.core.forecast.forecast import GOOD_TOULMIN, Forecast
from seedcorn.core.forecast.track_record import LESS, MORE, NEWEST, RECENT, Change, TrackRecord


def promised(widen=1.0, half=10.0):
    return Forecast(100, 50.0, 50 - widen * half, 50 + widen * half, GOOD_TOULMIN, widen)


def record_of(truths, widen=1.0):
    record = TrackRecord()
    for batch, truth in enumerate(truths):
        record.register(batch, "", promised(widen))
        record.settle(batch, "", truth)
    return record


def test_settle_within_and_beyond_the_interval_is_scored():
    record = TrackRecord()
    record.register(3, "", promised())
    record.register(3, "rewrite", promised())
    assert (record.scored, record.covered) == (0, 0)
    assert record.settle(3, "", 60.0).covered is True
    assert record.settle(3, "rewrite", 60.5).covered is False
    assert (record.scored, record.covered) == (2, 1)
    assert [(p.batch, p.stratum, p.truth) for p in record] == [(3, "", 60.0), (3, "rewrite", 60.5)]


def test_settle_a_batch_nobody_forecast_is_no_score():
    record = TrackRecord()
    assert record.settle(0, "", 5.0) is None
    assert record.scored == 0


def test_promise_or_settle_twice_is_refused():
    record = record_of([50.0])
    with pytest.raises(ValueError, match="forecast before"):
        record.register(0, "", promised())
    with pytest.raises(ValueError, match="settled before"):
        record.settle(0, "", 50.0)


def test_widening_few_or_good_forecasts_is_one():
    assert record_of([90.0] * 19).widening() == 1.0
    assert record_of([50.0] * 18 + [90.0] * 2).widening() == 1.0


def test_widening_too_many_misses_is_the_factor_that_would_have_held_95_percent():
    # 40 forecasts of half-width 10: 30 hold, misses of 2, 2, 2, 3, 3, 3, 3, 4 and twice 9.
    truths = [55.0] * 30 + [70.0] * 3 + [20.0] * 4 + [90.0] + [140.0] * 2
    assert record_of(truths).widening() == 4.0


def test_widening_does_not_undo_itself_once_wider_forecasts_hold():
    truths = [55.0] * 10 + [30.0] * 10
    assert record_of(truths).widening() == 2.0
    wide = record_of(truths, widen=2.0)
    assert wide.covered == 20
    assert wide.widening() == 2.0


def test_widening_measures_each_side_by_its_own_width():
    record = TrackRecord()
    lopsided = Forecast(100, 50.0, 40.0, 90.0, GOOD_TOULMIN)
    for batch in range(20):
        record.register(batch, "", lopsided)
        record.settle(batch, "", 80.0 if batch % 2 else 20.0)
    assert record.widening() == 3.0


def test_widening_of_an_interval_without_width_counts_fingerprints():
    record = TrackRecord()
    for batch in range(20):
        record.register(batch, "", Forecast(10, 0.0, 0.0, 0.0, GOOD_TOULMIN))
        record.settle(batch, "", 2.0)
    assert record.widening() == 2.0


def test_widening_looks_at_the_newest_forecasts_only():
    bad_then_good = [90.0] * 100 + [50.0] * NEWEST
    assert record_of(bad_then_good[:-1]).widening() == 1.0
    assert record_of([50.0] * 1000 + [90.0] * 39).widening() == 1.0
    assert record_of([50.0] * 1000 + [90.0] * 41).widening() == 4.0


def test_a_batch_costs_the_same_after_any_number_of_them():
    record = record_of([50.0] * 20_000)
    started = time.perf_counter()
    for _ in range(200):
        record.widening()
        assert (record.scored, record.covered) == (20_000, 20_000)
    assert time.perf_counter() - started < 1.0


def record_of_strata(first=0, **truths):
    """Batch by batch, one truth per stratum; None: nobody forecast it."""
    record = TrackRecord()
    for stratum, values in truths.items():
        for batch, truth in enumerate(values, first):
            record.register(batch, stratum, promised())
            record.settle(batch, stratum, truth)
    return record


def test_widening_of_a_stratum_is_judged_on_its_own_forecasts():
    record = record_of_strata(steady=[50.0] * 30, moved=[90.0] * 30)
    assert record.widening_of("steady", 0) == 1.0
    assert record.widening_of("moved", 0) == 4.0
    assert record.widening_of("unheard of", 0) == 1.0


def test_widening_of_a_stratum_forgets_what_is_long_ago_or_of_another_generation():
    record = record_of_strata(a=[90.0] * 30 + [50.0] * (RECENT - 4))
    assert record.widening_of("a", 0) == 1.0
    early = record_of_strata(a=[90.0] * 30)
    assert early.widening_of("a", 30) == 1.0


def test_five_misses_in_a_row_on_one_side_are_a_change_of_policy():
    more, less, fine = 90.0, 10.0, 50.0
    record = record_of_strata(
        a=[fine] * 4 + [more] * 5 + [fine],
        b=[fine] + [less] * 7 + [more] * 2,
        c=[more] * 4 + [less] + [more] * 4,
    )
    assert record.changes(0, 100) == [Change(1, "b", LESS), Change(4, "a", MORE)]
    assert record.changes(0, 8) == [Change(1, "b", LESS)]
    assert record.changes(5, 100) == []
