"""Forecast entries against what came: scored once, as said, and only where the terms were kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.forecast.scores import ForecastScores, batch_of
from seedcorn.core.forecast.track_record import MORE, Change
from seedcorn.core.log.entries import Measurement
from seedcorn.core.log.state import FORECAST

SIZE = 100


def coming(samples, estimate, half=10.0):
    return {
        "samples": samples,
        "estimate": estimate,
        "low": estimate - half,
        "high": estimate + half,
        "method": "m",
        "widen": 1.0,
    }


def entry(batches, batch, strata, rate=1.0, generation=1):
    """Strata: name -> (samples so far, sampled so far, what is coming)."""
    values = {
        name: {"samples": samples, "sampled": sampled, "next": ahead}
        for name, (samples, sampled, ahead) in strata.items()
    }
    subject = {"generation": generation, "batches": batches, "batch": batch}
    return Measurement(FORECAST, subject, {"rate": rate, "strata": values})


def fold(*entries):
    scores = ForecastScores()
    for one in entries:
        scores.apply(one)
    return scores


def told(scores, generation=1):
    """(batch, stratum, truth) of every promise."""
    return [(batch_of(p), p.stratum, p.truth) for p in scores.of(generation)]


def steady(batches, added=50, ahead=1, **more):
    """One stratum that adds as much with every batch."""
    of = (batches * SIZE, batches * added, coming(SIZE, 50.0))
    return entry(batches, batches + ahead, {"": of}, **more)


def test_batch_is_settled_by_the_two_entries_around_it():
    scores = fold(*(steady(n) for n in (1, 2, 3, 4)))

    assert told(scores) == [(2, "", 50), (3, "", 50), (4, "", None), (5, "", None)]
    assert (scores.record.scored, scores.record.covered) == (2, 2)
    assert {n: found.estimate for n, found in scores.unique(1).items()} == {
        1: 50,
        2: 100,
        3: 150,
        4: 200,
    }
    assert scores.last(1) == steady(4)
    assert scores.last(2) is None


def test_ahead_of_zero_settles_with_the_next_entry():
    assert told(fold(steady(1, ahead=0), steady(2, ahead=0))) == [(1, "", 50), (2, "", None)]


def test_promise_about_the_same_batch_is_never_revised():
    first = entry(8, 10, {"": (800, 400, coming(SIZE, 50.0))})
    later = entry(9, 10, {"": (900, 450, coming(SIZE, 99.0))})
    scores = fold(first, later)

    assert [p.forecast.estimate for p in scores.of(1)] == [50.0]
    done = fold(first, later, entry(10, 10, {"": (1000, 500, None)}))
    assert [p.forecast.estimate for p in done.of(1)] == [50.0]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 90)), min_size=1, max_size=12))
def test_what_was_promised_stands_whatever_follows(steps):
    scores, said, total = ForecastScores(), [], 0
    for number, (ahead, added) in enumerate(steps, 1):
        total += added
        forecast = coming(SIZE, float(total))
        scores.apply(entry(number, number + ahead, {"": (number * SIZE, total, forecast)}))
        now = [(p.batch, p.stratum, p.forecast, p.truth) for p in scores.of(1)]
        assert [one[:3] for one in now[: len(said)]] == [one[:3] for one in said]
        for before, after in zip(said, now, strict=False):
            assert before[3] is None or before[3] == after[3]
        said = now
        assert scores.record.scored == sum(one[3] is not None for one in now)


def test_truth_is_told_for_as_many_samples_as_were_promised():
    # 20 of 100 samples were promised to the stratum and 25 came, with 40 new shingles.
    first = entry(1, 2, {"": (100, 90, coming(100, 90.0)), "a": (20, 20, coming(20, 30.0))})
    second = entry(2, 3, {"": (200, 180, None), "a": (40, 40, None)})
    third = entry(3, 4, {"": (300, 270, None), "a": (65, 80, None)})

    assert told(fold(first, second, third)) == [(2, "", 90), (2, "a", 40 * 20 / 25)]


@pytest.mark.parametrize(("drawn", "scored"), [(0, 0), (9, 0), (10, 1), (40, 1), (41, 0)])
def test_amount_far_from_the_promised_one_scores_nothing(drawn, scored):
    first = entry(1, 1, {"": (100, 90, None), "a": (20, 20, coming(20, 30.0))})
    second = entry(2, 2, {"": (200, 180, None), "a": (20 + drawn, 40, None)})

    assert fold(first, second).record.scored == scored


def test_last_short_batch_is_scored_by_its_own_size():
    first = entry(1, 1, {"": (100, 50, coming(30, 15.0))})

    assert told(fold(first, entry(2, 2, {"": (130, 66, None)}))) == [(1, "", 16)]


@pytest.mark.parametrize(
    ("a", "b", "scored"), [(50, 50, True), (65, 35, True), (0, 100, False), (100, 0, False)]
)
def test_whole_is_scored_only_where_its_mix_came(a, b, scored):
    half = {"a": (50, 50, coming(50, 50.0)), "b": (50, 40, coming(50, 40.0))}
    first = entry(1, 1, {"": (100, 90, coming(100, 90.0)), **half})
    after = {"a": (50 + a, 50 + a, None), "b": (50 + b, 40 + b, None)}
    scores = fold(first, entry(2, 2, {"": (200, 180, None), **after}))

    assert ("", scored) in [(s, truth is not None) for _, s, truth in told(scores)]


def test_sample_rate_that_changed_scores_nothing_across_it():
    def at(batches, rate):
        sampled = round(batches * 1000 * rate)
        strata = {"": (batches * SIZE, sampled, coming(SIZE, 1000.0))}
        return entry(batches, batches + 1, strata, rate)

    scores = fold(at(1, 1.0), at(2, 1.0), at(3, 0.5), at(4, 0.5), at(5, 0.5))

    # Batch 2 lies between two rates; 3 was promised at the old one.
    assert told(scores)[:3] == [(2, "", None), (3, "", None), (4, "", 1000)]
    assert scores.unique(1)[3].low < 3000 < scores.unique(1)[3].high


def test_entry_that_is_missing_leaves_the_batch_unscored():
    assert told(fold(steady(1), steady(2), steady(4))) == [
        (2, "", None),
        (3, "", None),
        (5, "", None),
    ]


def test_generations_keep_their_promises_apart():
    scores = fold(steady(1), steady(2), steady(3), steady(1, generation=2))

    assert told(scores, 2) == [(2, "", None)]
    assert len(told(scores, 1)) == 3
    assert scores.record.scored == 1


def test_widening_and_changes_are_those_of_a_stratum_in_one_generation():
    """Stratum b brings ten times as much from batch 30 on, in the first generation alone."""

    def entries(generation, rich):
        total = 0
        for n in range(1, 61):
            total += 500 if rich and n > 30 else 50
            strata = {"": (2 * n * SIZE, n * 50 + total, None)}
            strata["a"] = (n * SIZE, n * 50, coming(SIZE, 50.0))
            strata["b"] = (n * SIZE, total, coming(SIZE, 50.0))
            yield entry(n, n + 1, strata, generation=generation)

    scores = fold(*entries(1, rich=True))
    assert scores.widening(1, "a") == 1.0
    assert scores.widening(1, "b") == 45.0
    assert scores.widening(1, "a", rule=1) == scores.widening(1, "b", rule=1) == 45.0
    assert scores.changes(1) == [Change(30, "b", MORE)]

    for one in entries(2, rich=False):
        scores.apply(one)
    assert scores.widening(2, "b") == 1.0
    assert scores.widening(2, "b", rule=1) == 45.0
    assert scores.changes(2) == []


def test_order_in_which_an_entry_holds_its_strata_makes_no_other_record():
    """A keeper folds what it made, in the recipe's order; a reader what the log holds, sorted."""

    def turned(one):
        strata = dict(reversed(one.values["strata"].items()))
        return Measurement(one.name, one.subject, one.values | {"strata": strata})

    names = {"": 2, "b": 1, "a": 1}
    entries = [
        entry(
            n,
            n + 1,
            {
                name: (n * share * 50, n * share * 20 + n % 7, coming(share * 50, 20.0 * share))
                for name, share in names.items()
            },
        )
        for n in range(1, 200)
    ]
    one, other = fold(*entries), fold(*map(turned, entries))
    assert one.record.scored > 400
    assert list(one.record) == list(other.record)
    assert (one.record, one.record.widening()) == (other.record, other.record.widening())
