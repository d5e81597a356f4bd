"""Closed forms against their published values and small cases worked out in full."""

import math
from itertools import product

import numpy as np
import pytest

from tests.truths import closed_loops as loops


def test_heterozygosity_replaced_one_step_equals_the_sum_over_all_samples():
    p = np.array([0.5, 0.3, 0.2])
    after = sum(
        math.prod(p[list(sample)]) * loops.heterozygosity(np.bincount(sample, minlength=3))
        for sample in product(range(3), repeat=4)
    )
    assert loops.heterozygosity_replaced(1 - (p**2).sum(), 4, 1) == pytest.approx(after)


def test_heterozygosity_accumulated_one_step_equals_the_sum_over_all_samples():
    pool = np.array([2, 1, 1])
    after = sum(
        math.prod(pool[list(sample)] / 4)
        * loops.heterozygosity(pool + np.bincount(sample, None, 3))
        for sample in product(range(3), repeat=4)
    )
    assert loops.heterozygosity_accumulated(loops.heterozygosity(pool), 4, 1) == pytest.approx(
        after
    )


def test_heterozygosity_accumulated_ten_draws_has_the_ledger_s_values():
    found = [loops.heterozygosity_accumulated(1.0, 10, g) for g in (1, 2, 3)]
    assert found == pytest.approx([0.9750, 0.9642, 0.9581], abs=5e-5)


def test_variance_has_the_ledger_s_values_and_euler_s_limit():
    assert loops.variance_replaced(20, 10) == pytest.approx(0.598737, abs=5e-7)
    assert loops.variance_replaced(20, 20) == pytest.approx(0.358486, abs=5e-7)
    assert loops.variance_accumulated(20, 100_000) == pytest.approx(0.919759, abs=1e-6)
    angle = math.pi / math.sqrt(20)
    assert math.sin(angle) / angle == pytest.approx(0.919759, abs=5e-7)


def test_regression_error_grows_by_one_fit_a_generation_and_is_bounded_if_accumulated():
    once = loops.regression_error_replaced(2.0, 10, 60, 1)
    assert once == pytest.approx(20 / 49)
    assert loops.regression_error_replaced(2.0, 10, 60, 7) == pytest.approx(7 * once)
    assert loops.regression_error_bound(2.0, 10, 60) == pytest.approx(1.6449341 * once)


def test_new_types_equals_the_sum_over_all_draws():
    p, known = np.array([0.6, 0.3, 0.1]), np.array([True, False, False])
    mean = sum(
        math.prod(p[list(draw)]) * len(set(draw[2:]) - set(draw[:2]))
        for draw in product(range(3), repeat=4)
    )
    assert loops.new_types(p, 2, 4) == pytest.approx(mean)
    unknown = sum(
        math.prod(p[list(draw)]) * len(set(draw[2:]) - set(draw[:2]) - {0})
        for draw in product(range(3), repeat=4)
    )
    assert loops.new_types(p, 2, 4, known) == pytest.approx(unknown)
    assert loops.new_types(np.array([1.0]), 0, 3) == 1
    assert loops.new_types(np.array([1.0]), 1, 3) == 0


def test_template_instances_equals_new_types_of_a_uniform_source():
    uniform = np.full(500, 1 / 500)
    assert loops.template_instances(500, 700) == pytest.approx(loops.new_types(uniform, 0, 700))
    assert loops.template_instances(1, 3) == 1


def test_template_saturation_has_the_ledger_s_batch():
    assert loops.template_saturation(20_000, 2000, 600) == 12
    assert loops.template_saturation(20_000, 2000, 2000) == 0


def test_pitman_yor_types_has_the_ledger_s_values_and_obeys_its_recursion():
    assert loops.pitman_yor_types(1000, 0.5, 10) == pytest.approx(183.5, abs=0.05)
    assert loops.pitman_yor_types(5000, 0.5, 10) == pytest.approx(433.3, abs=0.05)
    types = 1.0
    for n in range(1, 50):
        types += (10 + 0.5 * types) / (10 + n)
    assert loops.pitman_yor_types(50, 0.5, 10) == pytest.approx(types)


def test_breaking_noise_leaves_half_of_the_accepted_labels_wrong():
    assert loops.breaking_noise(0.9, 0.3) == pytest.approx(0.75)
    assert loops.breaking_noise(0.4, 0.4) == pytest.approx(0.5)
    assert loops.accepted_noise(0.75, 0.9, 0.3) == pytest.approx(0.5)
    assert loops.accepted_noise(0.2, 0.9, 0.3) == pytest.approx(0.06 / 0.78)
