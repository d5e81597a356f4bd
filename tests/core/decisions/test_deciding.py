"""What is said before the next batch opens: the same entries, in order, whoever asks and when."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.ledger.ledger import SKETCH_RATE
from seedcorn.core.log.entries import Decision, Measurement
from seedcorn.core.log.state import FORECAST, MIXING, STOP
from seedcorn.core.recipe import BudgetSpec, TargetSpec
from tests.core.forecast.shingled import Document
from tests.core.ledger.folded import SIZE, Folded, fresh, recipe

ALIKE = {"openings": 1.0, "opened": 64.0, "verified": 64.0, "absorbed": 0.0}


def names(said):
    return [body.action if isinstance(body, Decision) else body.name for body in said]


def test_nothing_is_due_without_an_open_generation_or_a_batch():
    folded = Folded(recipe())
    assert folded.due() is None
    assert folded.start().due() is None
    for number in range(20):
        folded.batch(fresh(number)).settle()
    assert folded.finish().due() is None


def test_rate_comes_before_forecast_and_forecast_before_decisions():
    folded = Folded(recipe(fingerprints=20, target=TargetSpec(accepted=8))).start()
    said = folded.batch(fresh(0)).settle()

    assert names(said) == [SKETCH_RATE, FORECAST, STOP]
    assert said[0].value == {"rate": 0.5}
    assert said[1].values["rate"] == folded.ledger.history.rate == 0.5
    assert folded.due() is None


def test_every_batch_gets_one_forecast_about_the_governed_batch():
    folded = Folded(recipe(samples=6 * SIZE, ahead=2)).start()
    said = [folded.batch(fresh(number)).settle() for number in range(6)]

    assert [names(each) for each in said] == [[FORECAST]] * 6
    assert [each[0].subject["batch"] for each in said] == [3, 4, 5, 6, 6, 6]


def test_missing_sketch_withholds_forecasts_but_not_the_target():
    folded = Folded(recipe(target=TargetSpec(accepted=2 * SIZE), min_per_sample=99.0)).start()

    assert folded.batch(fresh(0), sketch=False).settle() == []
    assert names(folded.batch(fresh(1)).settle()) == [STOP]


def documents(seed):
    """A batch of three strata from a pool of 100 shingles, some of it dropped."""
    random = np.random.default_rng(seed)
    outcomes = ["accepted", "accepted", "duplicate", "rejected"]
    return [
        Document(
            frozenset(random.integers(0, 100, random.integers(1, 7)).tolist()),
            int(random.integers(3)),
            outcomes[random.integers(4)],
        )
        for _ in range(SIZE)
    ]


STEPS = st.lists(
    st.tuples(st.integers(0, 99), st.sets(st.sampled_from(["a", "b", "c"]))), min_size=1, max_size=6
)
STOPS = st.sampled_from(
    [
        {},
        {"alarms": False, "min_per_sample": 4.0},
        {"move_budget": True, "min_per_sample": 1.0, "patience": 1},
        {"target": TargetSpec(accepted=20), "move_budget": True},
        {"target": TargetSpec(unique=60)},
        {"budget": BudgetSpec(engine_hours=1.0)},
    ]
)


@given(steps=STEPS, stop=STOPS, ahead=st.integers(0, 3), asked=st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_entries_are_the_same_whatever_was_restarted_in_between(steps, stop, ahead, asked):
    weights = {"a": 2.0, "b": 1.0, "c": 1.0}
    wanted = recipe(weights=weights, ahead=ahead, fingerprints=60, **stop)
    folded = Folded(wanted).start()
    for number, (seed, alike) in enumerate(steps):
        if folded.state.unfinished.samples <= number * SIZE:
            break
        forms = dict.fromkeys(alike, ALIKE)
        folded.batch(documents(seed), form=forms, seconds=2000.0)
        while (body := folded.due()) is not None:
            if number == asked % len(steps):
                assert folded.again().due() == body == folded.due()
            folded.append(body)
            assert len(folded.entries) < 100
            if isinstance(body, Decision) and body.action in MIXING:
                check_mix(body, weights, move=stop.get("move_budget", False))
        assert folded.again().due() is None


def check_mix(body, weights, move):
    """Weights keep their sum where they are moved, and are dropped where they are not."""
    mix, left = body.value["weights"], sum(weights.values())
    assert mix.keys() == weights.keys()
    assert mix[body.value["stratum"]] == 0
    assert any(mix.values())
    if "to" in body.value:
        assert move
        assert mix[body.value["to"]] > weights[body.value["to"]]
    else:
        assert sum(mix.values()) < left


def test_budget_that_moves_keeps_the_sum_of_weights():
    weights = {"a": 2.0, "b": 1.5, "c": 0.5}
    folded = Folded(recipe(weights=weights, move_budget=True, ahead=0)).start()
    folded.batch(fresh(0, strata=(0, 1, 2))).settle()
    sums = []
    for number, stratum in ((1, "a"), (2, "b")):
        said = folded.batch(fresh(number, strata=(0, 1, 2)), form={stratum: ALIKE}).settle()
        sums += [sum(b.value["weights"].values()) for b in said if isinstance(b, Decision)]

    assert sums == [4.0, 4.0]


@pytest.mark.parametrize("ahead", [0, 1, 2])
def test_decision_governs_the_first_batch_that_is_not_open(ahead):
    folded = Folded(recipe(ahead=ahead)).start()
    for number in range(3):
        said = folded.batch(fresh(number)).settle()
    said = folded.batch(fresh(3), form={"a": ALIKE}).settle()

    assert [(type(b), b.batch) for b in said if isinstance(b, Decision)] == [(Decision, 4 + ahead)]
    [forecast] = [b for b in said if isinstance(b, Measurement)]
    assert forecast.subject["batch"] == 4 + ahead
