"""One ranking of strata, for samples and for engine time."""

import pytest

from seedcorn.core.decisions.yields import (
    Candidate,
    Soundness,
    best_stratum,
    exhausted,
    ranking,
    seconds_per_sample,
    soundness,
)
from seedcorn.core.ledger.alarms import Alarm
from seedcorn.core.log.entries import Measurement
from seedcorn.core.log.state import AUDIT
from seedcorn.core.recipe import BudgetSpec, StopSpec
from seedcorn.core.rule_numbers import LEDGER_UNIT
from tests.core.decisions.test_stopping import after, decided, forecast
from tests.core.ledger.folded import recipe

RICH, CHEAP = Candidate("rich", 9.0, 1.0, 30.0), Candidate("cheap", 4.0, 1.0, 10.0)


def test_stratum_is_ranked_by_what_is_scarce():
    assert best_stratum([RICH, CHEAP], per_engine_time=False) == "rich"
    assert best_stratum([RICH, CHEAP], per_engine_time=True) == "cheap"


@pytest.mark.parametrize("seconds", [None, 0.0])
def test_engine_time_ranks_nobody_where_one_of_them_was_never_timed(seconds):
    assert best_stratum([RICH, CHEAP._replace(seconds=seconds)], per_engine_time=True) == "rich"


def test_content_that_others_have_does_not_count():
    assert best_stratum([RICH._replace(exclusive=0.4), CHEAP], per_engine_time=False) == "cheap"


def test_content_that_is_explained_or_wrong_does_not_count():
    poor = RICH._replace(sound=0.4)
    assert best_stratum([poor, CHEAP], per_engine_time=False) == "cheap"
    assert Soundness(0.8, 0.5).share == 0.4
    assert Soundness(None, 0.5).share == 0.5
    assert Soundness().share == 1.0


def test_strata_in_stop_are_ranked_last_and_never_best():
    gone = RICH._replace(stratum="gone", low=99.0, stopped=True)
    found = ranking([gone, CHEAP, RICH], per_engine_time=False)
    assert [one.stratum for one in found] == ["rich", "cheap", "gone"]
    assert best_stratum([gone, CHEAP], per_engine_time=False) == "cheap"
    assert best_stratum([gone], per_engine_time=False) == ""


def test_soundness_is_what_the_newest_measurement_that_knows_says():
    first, share = {"unexplained": {"low": 0.9}}, {"unexplained": {"low": 0.7}}
    assert soundness([None, {"unexplained": None}, share, first], []) == (0.7, None)
    assert soundness([{"edition": 1}], [None, {"low": 0.95}, {"low": 0.5}]) == (None, 0.95)


@pytest.mark.parametrize(("rules", "best"), [({}, "rich"), ({LEDGER_UNIT: 2}, "cheap")])
def test_budget_moves_to_what_is_neither_explained_nor_wrong_from_ledger_unit_2_on(rules, best):
    weights = {"gone": 1.0, "rich": 1.0, "cheap": 1.0}
    folded = after(1, recipe(weights=weights, move_budget=True))
    folded.state.generations[1].rules.update(rules)
    ends = {"gone": (1.0, 1.0), "rich": (9.0, 9.0), "cheap": (4.0, 4.0)}
    folded.append(forecast(folded, ends))
    audit = {"estimate": 0.3, "low": 0.2, "high": 0.4}
    folded.append(Measurement(AUDIT, {"generation": 1, "stratum": "rich"}, audit))

    assert decided(folded, [Alarm(0, "gone", "openings", 1.0, 0.0, "alike")]).value["to"] == best


def test_engine_hour_of_a_stratum_is_what_was_paid_for_its_time_in_flight():
    """One of two strata took ten times as long; an hour was paid, a quarter of it busy."""
    rule = StopSpec(min_per_engine_hour=400.0, patience=1)
    folded = after(1, recipe(), seconds=900.0)
    generation = folded.state.unfinished
    folded.append(forecast(folded, {"a": (4.0, 4.0), "b": (4.0, 4.0)}))
    # Busy time by tokens: 112.5 s a sample of either.
    assert "at most 128" in exhausted(folded.state, generation, rule, "a")
    generation.rules[LEDGER_UNIT] = 2
    generation.held_seconds, generation.slot_seconds = 3600.0, {"a": 10.0, "b": 100.0}
    assert exhausted(folded.state, generation, rule, "a") == ""
    assert "at most 176" in exhausted(folded.state, generation, rule, "b")


def test_equal_strata_are_told_apart_by_name_and_none_is_best_of_none():
    twins = [CHEAP._replace(stratum=name) for name in ("a", "c", "b")]
    assert best_stratum(twins, per_engine_time=True) == "c"
    assert best_stratum([], per_engine_time=True) == ""


def test_sample_takes_its_stratums_share_of_the_tokens():
    assert seconds_per_sample(600.0, 1000, 250, 5) == 30.0
    assert seconds_per_sample(0.0, 1000, 250, 5) is None
    assert seconds_per_sample(600.0, 1000, 250, 0) is None


@pytest.mark.parametrize(("hours", "best"), [(0.0, "rich"), (9.0, "cheap")])
def test_budget_moves_per_engine_hour_only_where_the_recipe_budgets_hours(hours, best):
    weights = {"gone": 1.0, "rich": 1.0, "cheap": 1.0}
    budget = BudgetSpec(engine_hours=hours)
    folded = after(1, recipe(weights=weights, move_budget=True, budget=budget), seconds=60.0)
    ends = {"gone": (1.0, 1.0), "rich": (9.0, 9.0), "cheap": (4.0, 4.0)}
    folded.append(forecast(folded, ends, rich=1200, cheap=400))

    found = decided(folded, [Alarm(0, "gone", "openings", 1.0, 0.0, "alike")])
    assert found.value["to"] == best
