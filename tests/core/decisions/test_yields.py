"""One ranking of strata, for samples and for engine time."""

import pytest

from seedcorn.core.decisions.yields import Candidate, best_stratum, seconds_per_sample
from seedcorn.core.ledger.alarms import Alarm
from seedcorn.core.recipe import BudgetSpec
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
