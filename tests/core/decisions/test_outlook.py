"""What further samples or engine-hours would add, and which stratum deserves them."""

import pytest

from seedcorn.core.decisions.outlook import as_json, best, outlooks
from seedcorn.core.errors import SeedcornError
from seedcorn.core.forecast.prospects import SUMMED
from seedcorn.core.log.entries import Decision
from seedcorn.core.log.state import DROP_STRATUM
from tests.core.forecast.shingled import Document
from tests.core.ledger.folded import SIZE, Folded, fresh, recipe


def batch(number):
    """Four documents of a with 5 shingles of their own, four of b that repeat 4 shingles."""
    own = [
        Document(frozenset(range(20 * number + 5 * n, 20 * number + 5 * n + 5)), 0)
        for n in range(4)
    ]
    return own + [Document(frozenset({90 + n, 92 + n}), 1) for n in (0, 1, 0, 1)]


@pytest.fixture
def grown():
    """Three batches in 2400 s of engine time: 10 s a token, 10 tokens a sample."""
    folded = Folded(recipe()).start()
    for number in range(3):
        folded.batch(batch(number), seconds=800.0).settle()
    return folded


def found(folded, **amount):
    return {one.stratum: one for one in outlooks(folded.ledger, **amount)}


def test_each_stratum_is_asked_for_the_whole_amount(grown):
    rows = found(grown, samples=12)

    assert [(n, o.samples) for n, o in rows.items()] == [("", 12), ("a", 12), ("b", 12)]
    assert rows["a"].forecast.estimate == 60
    assert rows["b"].forecast.estimate == 0 < rows["b"].forecast.high
    # Half as many again of the mixture: 60 shingles seen once, b's four seen six times each.
    assert rows[""].forecast.estimate == 60 / 2 - 4 / 2**6
    assert [o.exclusive for o in rows.values()] == [1, 1, 1]
    assert best(list(rows.values()), per_engine_time=False) == "a"


def test_engine_hours_buy_what_samples_of_the_stratum_took(grown):
    rows = found(grown, engine_hours=0.5)

    assert [one.seconds_per_sample for one in rows.values()] == [100.0, 100.0, 100.0]
    assert [one.samples for one in rows.values()] == [18, 18, 18]


def test_stopped_stratum_is_shown_never_recommended_and_not_part_of_the_whole(grown):
    mix = {"a": 0.0, "b": 1.0}
    grown.append(Decision(1, 5, DROP_STRATUM, {"stratum": "a", "weights": mix}, "why"))
    rows = found(grown, samples=12)

    assert [one.stopped for one in rows.values()] == [False, True, False]
    assert best(list(rows.values()), per_engine_time=False) == ""
    assert rows[""].forecast.method == SUMMED
    assert rows[""].forecast.estimate == rows["b"].forecast.estimate == 0
    assert [
        row["stopped"] for row in as_json(list(rows.values()), per_engine_time=False)["strata"]
    ] == [
        False,
        True,
        False,
    ]


def test_newest_decision_says_who_is_drawn(grown):
    for batch_, mix in ((5, {"a": 0.0, "b": 1.0}), (6, {"a": 1.0, "b": 3.0})):
        value = {"stratum": "a", "weights": mix}
        grown.append(Decision(1, batch_, DROP_STRATUM, value, "why"))
    rows = found(grown, samples=12)

    assert rows[""].forecast.samples == 12
    assert rows[""].forecast.estimate == pytest.approx(15)
    assert not rows["a"].stopped


def test_single_stratum_has_no_rival():
    folded = Folded(recipe(weights={"a": 1.0})).start().batch(fresh(0, strata=(0,)))

    rows = outlooks(folded.ledger, samples=SIZE)
    assert best(rows, per_engine_time=False) == ""
    assert rows[0].forecast == rows[1].forecast


def test_stratum_that_was_never_drawn_has_no_forecast():
    folded = Folded(recipe(weights={"a": 1.0, "b": 1.0, "c": 0.0})).start().batch(fresh(0))
    rows = found(folded, samples=5)

    assert rows["c"].forecast is None
    assert best(list(rows.values()), per_engine_time=False) != "c"
    assert as_json(list(rows.values()), per_engine_time=False)["strata"][3]["estimate"] is None
    assert [
        row["seconds_per_sample"]
        for row in as_json(list(rows.values()), per_engine_time=False)["measured"]
    ] == [None] * 4


@pytest.mark.parametrize(
    ("make", "amount", "words"),
    [
        (lambda f: f, {"samples": 1}, "the newest generation has no batch"),
        (lambda f: f.start(), {"samples": 1}, "the newest generation has no batch"),
        (lambda f: f.start().batch(fresh(0), sketch=False), {"samples": 1}, "sketch .* missing"),
        (lambda f: f.start().batch(fresh(0)), {"engine_hours": 1.0}, "no engine time"),
    ],
)
def test_what_cannot_be_forecast_is_said(make, amount, words):
    with pytest.raises(SeedcornError, match=words):
        outlooks(make(Folded(recipe())).ledger, **amount)
