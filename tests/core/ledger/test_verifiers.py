"""What verification adds, against counts over every outcome."""

import math
from itertools import product

import numpy as np
import pytest

from seedcorn.core.intervals import Interval
from seedcorn.core.ledger import verifiers


def test_information_budget_is_the_entropy_of_the_decisions():
    assert verifiers.information_budget(1000, 500) == 1000
    assert verifiers.information_budget(1000, 110) == pytest.approx(499.92, abs=0.01)
    assert [verifiers.information_budget(9, a) for a in (0, 9)] == [0, 0]
    assert verifiers.information_budget(0, 0) == 0
    with pytest.raises(ValueError, match="cannot be"):
        verifiers.information_budget(3, 4)


def test_information_budget_bounds_the_log_of_all_decision_sequences():
    assert math.log2(math.comb(400, 90)) < verifiers.information_budget(400, 90)
    assert math.log2(math.comb(400, 90)) > 0.98 * verifiers.information_budget(400, 90)


def test_unique_true_and_false_equal_the_sum_over_all_outcomes():
    chances, correct, right, wrong = np.array([0.7, 0.3]), 0.6, 0.9, 0.5
    # Per sample and fact: (probability, what it shows); two mistakes for each fact.
    outcomes = [(1 - correct * right - (1 - correct) * wrong, None)]
    for fact, p in enumerate(chances):
        outcomes.append((p * correct * right, (fact, "true")))
        outcomes += [(p * (1 - correct) * wrong / 2, (fact, mistake)) for mistake in (0, 1)]
    true = false = 0.0
    for run in product(outcomes, repeat=3):
        shown = {what for _, what in run if what}
        weight = math.prod(chance for chance, _ in run)
        true += weight * sum(what[1] == "true" for what in shown)
        false += weight * sum(what[1] != "true" for what in shown)
    assert verifiers.unique_true(chances, 3, correct, right) == pytest.approx(true)
    assert verifiers.unique_false(chances, 3, correct, wrong, 2) == pytest.approx(false)


def test_adjusted_unique_multiplies_low_ends_and_high_ends():
    found = verifiers.adjusted_unique(Interval(100, 90, 110), Interval(0.9, 0.8, 1.0))
    assert found == pytest.approx((72, 110))


def test_worth_of_repeats_has_the_published_shape():
    assert verifiers.worth_of_repeats(100.0, 1) == 100
    assert verifiers.worth_of_repeats(100.0, 4) == pytest.approx(372.6, abs=0.1)
    assert verifiers.worth_of_repeats(100.0, 1e6) == pytest.approx(100 * 16.387756)
    with pytest.raises(ValueError, match="at least 1"):
        verifiers.worth_of_repeats(100.0, 0)
